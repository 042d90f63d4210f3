import { readFile, stat, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { startBrowser } from "../../dashboard/e2e/browser.ts";
import { play, storyClock } from "../test/story.ts";
import { type Frame, frame, movingPicture } from "./frames.ts";
import { type InboxStage, setInboxStage } from "./stage.ts";

const USER = "ann";
const SCHEMES = ["light", "dark"] as const;
const SIZE = { width: 720, height: 600 };
const MAX_BYTES = 250_000;
const TITLE = "The inbox beside its bell: a notification comes in while it is open, is read, and all others are marked as read at once";

const fileOf = (scheme: string) => fileURLToPath(new URL(`../../../docs/screenshots/moving-${scheme}.svg`, import.meta.url));

/** Plays what the README shows, and takes a still after each step. */
async function story(page: Page, { service }: InboxStage): Promise<Frame[]> {
  const frames: Frame[] = [];
  const take = async (seconds: number) => {
    await page.waitForTimeout(400);
    frames.push(await frame(page, seconds));
  };
  await page.locator(".belfry-bell").waitFor();
  await take(1.5);
  await page.locator(".belfry-bell").click();
  await page.locator("article").first().waitFor();
  await take(2.5);
  await service.create({
    to: USER,
    actor: "Noor",
    title: "Noor approved your request",
    message: "“Looks good to me. Ship it!”",
    url: "/requests/4",
  });
  await page.getByText("Noor approved your request").waitFor();
  await take(2.5);
  await page.getByRole("button", { name: "Mark all as read" }).click();
  await take(2.5);
  return frames;
}

test.runIf(process.env.UPDATE_SCREENSHOTS)("the moving picture of the README is taken anew", async () => {
  const browser = await startBrowser();
  for (const scheme of SCHEMES) {
    const stage = await setInboxStage(browser, { clock: storyClock });
    await play(stage.service, USER);
    const { page } = await stage.open(`?scheme=${scheme}`, { viewport: SIZE, colorScheme: scheme, reducedMotion: "reduce" });
    await writeFile(fileOf(scheme), movingPicture(await story(page, stage), SIZE, TITLE));
    await stage.end();
  }
  await browser.close();
});

test.each(SCHEMES)("the README's moving picture is light, stands still for who asked for that, and loads nothing (%s)", async (scheme) => {
  expect((await stat(fileOf(scheme))).size).toBeLessThan(MAX_BYTES);
  const picture = await readFile(fileOf(scheme), "utf8");
  expect(picture).toMatch(/@media \(prefers-reduced-motion: no-preference\) \{ \.f0/);
  expect(picture.match(/href="(?!data:image\/webp)/g)).toBeNull();
});
