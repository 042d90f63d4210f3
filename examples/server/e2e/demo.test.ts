import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBrowser } from "../../../packages/dashboard/e2e/browser.ts";
import { DEMO_USERS } from "../src/demo/demo-users.ts";
import { MAIN, type ServerProcess, startServer } from "../test/run-server.ts";

const SCRIPT = fileURLToPath(new URL("../scripts/build-page.ts", import.meta.url));

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const pictureOf = (scheme: "light" | "dark") => `docs/screenshots/demo-${scheme}.png`;
const MAX_PICTURE_BYTES = 150_000;

let browser: Awaited<ReturnType<typeof startBrowser>>;
let server: ServerProcess;

beforeAll(async () => {
  const buildPage = promisify(execFile)(process.execPath, [SCRIPT, join(dirname(MAIN), "../.page")]);
  [browser, server] = await Promise.all([startBrowser(), startServer({ DEMO: "1" }), buildPage]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

test("the demo shows two inboxes, and what becomes of a notification that its form creates", async () => {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on("pageerror", ({ message }) => void problems.push(message));
  page.on("console", (message) => void (["error", "warning"].includes(message.type()) && problems.push(message.text())));
  await page.goto(server.url);
  page.setDefaultTimeout(50_000);
  const region = (name: string) => page.getByRole("region", { name });
  await region("Ann").getByText("Welcome, Ann").waitFor();
  await region("Bob").getByText("Welcome, Bob").waitFor();

  await page.getByLabel("Text").fill("At noon?");
  await page.getByRole("button", { name: "Create" }).click();
  for (const name of ["Ann", "Bob"]) {
    await region(name).getByText("Carla commented on “Lunch”").waitFor();
    await page.getByText(new RegExp(`${name} over email: `)).waitFor();
  }

  await page.getByLabel("A mention").check();
  await page.getByLabel("Of whom").selectOption("Bob");
  await page.getByRole("button", { name: "Create" }).click();
  await region("Bob").getByText("Carla mentioned you").waitFor();
  expect(await region("Ann").getByText("Carla mentioned you").count()).toBe(0);

  // The mails of the comment wait for others for some seconds, and go out then.
  for (const { email } of DEMO_USERS) {
    await region("Mails").getByRole("listitem").filter({ hasText: email }).filter({ hasText: "At noon?" }).first().waitFor();
  }

  // Ann may have pushes sent to this browser: the host made keys for it, and serves the service worker.
  await region("Ann").getByRole("button", { name: "Preferences" }).click();
  await region("Ann").getByRole("switch", { name: "Notifications on this device" }).waitFor();
  expect(await (await fetch(`${server.url}/belfry-worker.js`)).text()).toContain("notificationclick");

  const dashboard = await page.getByRole("link", { name: "the dashboard" }).getAttribute("href");
  expect((await fetch(`${server.url}${dashboard}`)).status).toBe(200);
  expect(problems).toEqual([]);
});

/** Runs in the page before it: its times of day and its "5 seconds ago" are the same in every picture. */
function stopClocks(): void {
  Date.prototype.toLocaleTimeString = () => "10:24:07";
  Intl.RelativeTimeFormat.prototype.format = () => "1 min. ago";
}

// The documents' pictures are taken anew only on demand.
test.runIf(process.env.UPDATE_SCREENSHOTS).each(["light", "dark"] as const)("a picture of the demo in %s", async (colorScheme) => {
  const own = await startServer({ DEMO: "1" });
  const page = await browser.newPage({ colorScheme, viewport: { width: 1200, height: 1_240 }, locale: "en", timezoneId: "UTC" });
  await page.addInitScript(stopClocks);
  await page.goto(own.url);
  const inbox = (name: string) => page.getByRole("region", { name });
  const create = async (type: string, text: string) => {
    await page.getByLabel(type).check();
    await page.getByLabel("Text").fill(text);
    await page.getByRole("button", { name: "Create" }).click();
  };
  await inbox("Bob").getByText("Welcome, Bob").waitFor();
  await create("A comment on “Lunch”", "How about noodles?");
  await inbox("Bob").getByText("How about noodles?").waitFor();
  await create("A comment on “Lunch”", "At noon, then.");
  await inbox("Bob").getByText("At noon, then.").waitFor();
  await create("A mention", "Can you reserve a table?");
  await inbox("Ann").getByText("Can you reserve a table?").waitFor();
  // The digest of the comments, and the mail of the mention.
  await expect.poll(() => inbox("Mails").getByRole("listitem").count(), { timeout: 50_000 }).toBe(3);
  await page.screenshot({ path: join(ROOT, pictureOf(colorScheme)), animations: "disabled" });
  await page.close();
  await own.stop();
});

test("README shows the demo, light and dark, in pictures that are not heavy", async () => {
  const readme = await readFile(join(ROOT, "README.md"), "utf8");
  for (const picture of [pictureOf("light"), pictureOf("dark")]) {
    expect(readme).toContain(picture);
    expect((await stat(join(ROOT, picture))).size).toBeLessThan(MAX_PICTURE_BYTES);
  }
});
