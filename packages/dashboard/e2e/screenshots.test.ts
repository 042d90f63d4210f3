import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Clock, systemClock } from "@belfry/core";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBrowser } from "./browser.ts";
import { type Stage, setStage } from "./stage.ts";

/** The documents' pictures are taken anew only on demand: every run takes slightly different ones. */
const DIRECTORY = process.env.UPDATE_SCREENSHOTS
  ? fileURLToPath(new URL("../../../docs/screenshots", import.meta.url))
  : join(tmpdir(), "belfry-screenshots");

let browser: Browser;
let stage: Stage;
let sendId: string;

/** How long ago the story's present moment is; the story ends now. */
let agoMs = 0;
const clock: Clock = { ...systemClock, now: () => Date.now() - agoMs };

beforeAll(async () => {
  browser = await startBrowser();
  await mkdir(DIRECTORY, { recursive: true });
  const authorize = () => ({ read: true, act: true, actor: "ann" });
  stage = await setStage(browser, { framework: "hono", prefix: "", authorize, clock });
  sendId = await play(stage);
});

afterAll(async () => {
  await stage.end();
  await browser.close();
});

/** Plays an hour in a shop: orders, comments, and codes by text message, some of which fail while the gateway is down. */
async function play({ service, channel }: Stage): Promise<string> {
  const notifications = service();
  const at = (minutes: number) => {
    agoMs = minutes * 60_000;
  };
  at(58);
  const comment = await notifications.create({
    to: "user_789",
    type: "comment",
    title: "New comment",
    message: "Ann answered your question.",
  });
  for (let minute = 57; minute > 6; minute -= 1) {
    at(minute);
    channel.isBroken = minute > 20 && minute < 26;
    for (let count = 0; count < 2 + ((minute * 7) % 5); count += 1) {
      const content = `Your code is ${1000 + 37 * minute + count}`;
      await notifications.create({
        channels: ["sms"],
        to: `+4930${minute}${count}`,
        type: "sign_in",
        title: "Sign-in code",
        message: content,
      });
    }
    await notifications.runDue();
  }
  channel.isBroken = true;
  const content = "It arrives between 14:00 and 16:00.";
  const { notification: parcel } = await notifications.create({
    channels: ["sms"],
    to: "+4930456789",
    type: "delivery",
    title: "Parcel arrives today",
    message: content,
  });
  await notifications.runDue();
  at(4);
  channel.isBroken = false;
  await notifications.retry(parcel.id, { actor: "ann" });
  await notifications.runDue();
  await notifications.inbox("user_789").markRead(comment.notification.id);
  at(3);
  await notifications.create({ to: "user_456", type: "invoice", title: "Invoice ready", message: "Your invoice for November is ready." });
  at(1);
  await notifications.create({
    to: "user_123",
    type: "order_update",
    title: "Order shipped",
    message: "Your order 1234 is on its way, and should arrive on Tuesday.",
    data: { action_url: "https://shop.example.com/orders/1234" },
  });
  at(0);
  return parcel.id;
}

const VIEWS = ["inbox", "search", "notification", "health", "live"] as const;

// Other tests open the same views, so it takes the pictures only where somebody looks at them.
const isWanted = Boolean(process.env.UPDATE_SCREENSHOTS || process.env.BELFRY_LONG);

describe.runIf(isWanted).each(["light", "dark"] as const)("in %s", (colorScheme) => {
  test.each(VIEWS)("a picture of the view %s", async (view) => {
    const viewport = { width: 1200, height: 720 };
    const { page, problems } = await stage.open(`?view=${view}${view === "notification" ? `&id=${sendId}` : ""}`, {
      colorScheme,
      viewport,
    });
    await page.getByText("Live", { exact: true }).last().waitFor();
    await page.waitForFunction(() => document.querySelector(".card") !== null && document.querySelector(".skeleton") === null);
    await page.waitForLoadState("load");
    await page.screenshot({ path: join(DIRECTORY, `${view}-${colorScheme}.png`), animations: "disabled" });
    expect(problems).toEqual([]);
  });
});
