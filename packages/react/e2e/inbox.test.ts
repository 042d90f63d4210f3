import { createECDH, randomBytes } from "node:crypto";
import { defineTypes } from "@belfry/core";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { stubPushManager } from "../../client/e2e/stub-push-manager.ts";
import { axeFindings } from "../../dashboard/e2e/axe.ts";
import { startBrowser } from "../../dashboard/e2e/browser.ts";
import { keyboardTests } from "../test/keyboard-tests.ts";
import { type InboxStage, type OpenPage, setInboxStage } from "./stage.ts";

const types = defineTypes({
  note: { channels: ["inbox"] },
  comment: { label: "New comment", category: "social", channels: { inbox: true, email: true } },
  mention: { label: "Mention", category: "social", channels: { inbox: true, email: true } },
  invoice: { label: "Invoice", category: "billing", required: ["inbox", "email"], channels: { inbox: true, email: true } },
});

let browser: Browser;
let stage: InboxStage;
let user: string;
let users = 0;

beforeAll(async () => {
  browser = await startBrowser();
  const directory = async (ids: readonly string[]) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }]));
  stage = await setInboxStage(browser, { types, directory });
});

// Each test has an inbox of its own on the same host.
beforeEach(() => {
  users += 1;
  user = `user-${users}`;
});

afterEach(() => stage.closePages());

afterAll(async () => {
  await stage.end();
  await browser.close();
});

/** Puts items into the inbox of this test, the last one newest. */
async function fill(...inputs: readonly object[]): Promise<void> {
  for (const input of inputs) {
    await stage.service.create({ to: user, type: "note", ...input } as Parameters<typeof stage.service.create>[0]);
  }
}

type Opening = Parameters<InboxStage["open"]>;

async function open(search = "", options: Opening[1] = {}, prepare?: Opening[2]): Promise<OpenPage> {
  const opened = await stage.open(`?user=${user}${search}`, options, prepare);
  await opened.page.locator(search.includes("layout=page") ? ".belfry-panel" : ".belfry-bell").waitFor();
  return opened;
}

const titles = (page: Page) => page.locator(".belfry-item-title bdi").allTextContents();

keyboardTests(() => stage);

test("a click outside closes it, and a second click on the bell does", async () => {
  const { page } = await open();
  await page.locator(".belfry-bell").click();
  await page.getByRole("dialog").waitFor();
  await page.locator(".belfry-bell").click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.locator(".belfry-bell").click();
  await page.getByRole("dialog").waitFor();
  await page.mouse.click(40, 500);
  await page.getByRole("dialog").waitFor({ state: "hidden" });
});

describe("what happens live", () => {
  test("arrives without a reload, is announced once, and is marked by one click for all", async () => {
    const { page, problems } = await open();
    await page.locator(".belfry-bell").click();
    await page.getByText("All caught up").waitFor();
    await vi.waitFor(async () =>
      expect(
        await page.evaluate(
          () => (window as unknown as { client: { getSnapshot(): { connection: string } } }).client.getSnapshot().connection,
        ),
      ).toBe("open"),
    );
    await fill({ title: "One" }, { title: "Two" }, { title: "Three", group: "g" }, { title: "Four", group: "g" });
    await vi.waitFor(async () => expect(await titles(page)).toEqual(["Four", "Two", "One"]));
    await vi.waitFor(async () => expect(await page.getByRole("status").textContent()).toContain("4 new notifications"));
    await vi.waitFor(async () => expect((await stage.service.inbox(user).counts()).unseen).toBe(0));
    await page.getByRole("button", { name: "1 more" }).click();
    expect(await titles(page)).toEqual(["Four", "Three", "Two", "One"]);
    await page.getByRole("button", { name: "Mark all as read" }).click();
    await vi.waitFor(async () => expect((await stage.service.inbox(user).counts()).unread).toBe(0));
    expect(await page.locator(".belfry-bell").getAttribute("aria-label")).toBe("Notifications");
    expect(problems).toEqual([]);
  });

  test("waits behind a pill while the reader is further down, and no row moves", async () => {
    await fill(...Array.from({ length: 30 }, (_, index) => ({ title: `Item ${index + 1}` })));
    const { page } = await open();
    await page.locator(".belfry-bell").click();
    await page.locator("article").first().waitFor();
    const scroller = page.locator(".belfry-list .belfry-scroll");
    await scroller.evaluate((element) => element.scrollTo({ top: 400 }));
    const place = async () => (await page.getByText("Item 24", { exact: true }).boundingBox())?.y;
    await vi.waitFor(async () => expect(await place()).toBeDefined());
    const before = await place();
    await fill({ title: "New 1" }, { title: "New 2" }, { title: "New 3" });
    await page.getByRole("button", { name: "3 new" }).click({ trial: true });
    expect(await place()).toBe(before);
    await page.getByRole("button", { name: "3 new" }).click();
    await vi.waitFor(async () => expect((await titles(page)).slice(0, 3)).toEqual(["New 3", "New 2", "New 1"]));
    expect(await page.locator(".belfry-pill").count()).toBe(0);
  });
});

test("an item is put off by its menu", async () => {
  await fill({ title: "Later" }, { title: "Now" });
  const { page } = await open();
  await page.locator(".belfry-bell").click();
  const later = page.locator("article", { hasText: "Later" });
  await later.hover();
  await later.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Snooze" }).click();
  await page.getByRole("menuitem", { name: /Tomorrow/ }).click();
  await vi.waitFor(async () => expect(await titles(page)).toEqual(["Now"]));
  await vi.waitFor(async () =>
    expect((await stage.service.inbox(user).list({ snoozed: true })).items.map(({ title }) => title)).toEqual(["Later"]),
  );
});

test("preferences are chosen, for a type and for a category, locked ones cannot be, and quiet hours, the time of digests and a pause are kept", async () => {
  const { page, problems } = await open();
  await page.locator(".belfry-bell").click();
  await page.getByRole("button", { name: "Preferences" }).click();
  await page.getByRole("heading", { name: "Preferences" }).waitFor();
  const comment = page.getByRole("group", { name: "New comment" });
  await comment.getByLabel("Email: How often").selectOption("daily");
  await vi.waitFor(async () => {
    const { choices } = await stage.service.preferences.list(user);
    expect(choices).toMatchObject([{ scope: "type", name: "comment", channel: "email", value: "daily" }]);
  });
  // A choice for the whole category, which a choice for one of its types does not withstand.
  const email = (group: string) => page.getByRole("group", { name: group }).getByRole("switch", { name: "Email" });
  await email("All types").click();
  await vi.waitFor(async () => {
    const { choices } = await stage.service.preferences.list(user);
    expect(choices.map(({ scope, name, channel, value }) => [scope, name, channel, value]).sort()).toEqual([
      ["category", "social", "email", "off"],
      ["type", "comment", "email", "off"],
    ]);
  });
  await vi.waitFor(async () => expect(await email("Mention").getAttribute("aria-checked")).toBe("false"));
  await page.getByLabel("Day of the week").selectOption("fri");
  const invoice = page.getByRole("group", { name: "Invoice" });
  expect(await invoice.getByRole("switch", { name: "Email" }).isDisabled()).toBe(true);
  expect(await invoice.textContent()).toContain("Always on");
  await page.getByRole("switch", { name: "Quiet hours" }).click();
  await page.getByRole("button", { name: "1 hour" }).click();
  await page.getByText(/Paused until/).waitFor();
  await vi.waitFor(async () => {
    const { settings } = await stage.service.preferences.list(user);
    expect(settings.quietHours).toMatchObject([{ from: "22:00", to: "07:00", timeZone: "UTC" }]);
    expect(settings.digest).toEqual({ at: "09:00", weekday: "fri" });
    expect(settings.pauseUntil).not.toBeNull();
  });
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByText("All caught up").waitFor();
  expect(problems).toEqual([]);
});

test("preferences whose code could not be loaded are loaded by another try", async () => {
  const code = "**/assets/preference-panel-*";
  const { page } = await open("", {}, (opened) => opened.route(code, (route) => route.abort()));
  await page.locator(".belfry-bell").click();
  await page.getByRole("button", { name: "Preferences" }).click();
  const retry = page.getByRole("button", { name: "Try again" });
  await retry.waitFor();
  await page.unroute(code);
  await retry.click();
  await page.getByRole("switch").first().waitFor();
});

test("pushes to this browser are switched on and off, with no finding of axe, and one that does not subscribe says so", async () => {
  const subscription = {
    endpoint: "https://push.example/of-this-browser",
    keys: { p256dh: createECDH("prime256v1").generateKeys("base64url"), auth: randomBytes(16).toString("base64url") },
  };
  const stub = (page: Page) => page.addInitScript(stubPushManager, [subscription]);
  const { page, problems } = await stage.open(`?user=${user}&push`, { permissions: ["notifications"] }, stub);
  await page.locator(".belfry-bell").click();
  await page.getByRole("button", { name: "Preferences" }).click();
  const device = page.getByRole("switch", { name: "Notifications on this device" });
  expect(await device.getAttribute("aria-checked")).toBe("false");
  await device.click();
  await expect.poll(() => device.getAttribute("aria-checked")).toBe("true");
  expect(await stage.service.devices.list(user)).toMatchObject([{ platform: "web" }]);
  expect((await axeFindings(page)).map(({ text }) => text)).toEqual([]);
  await device.click();
  await expect.poll(() => device.getAttribute("aria-checked")).toBe("false");
  expect(await stage.service.devices.list(user)).toEqual([]);
  // The browser has no second subscription to give.
  await device.click();
  await page.getByText("That could not be done on this device.").waitFor({ state: "attached" });
  expect(await device.getAttribute("aria-checked")).toBe("false");
  expect(problems).toEqual([]);
});

test("changes are kept without a connection, and a list that failed is loaded by another try", async () => {
  await fill({ title: "Here" });
  const { page } = await open("&theme=system");
  await page.locator(".belfry-bell").click();
  await page.locator("article").first().waitFor();
  // Opening marks what it shows as seen. Only then is the next change the one that waits.
  await vi.waitFor(async () => expect((await stage.service.inbox(user).counts()).unseen).toBe(0));
  await page.waitForFunction("client.getSnapshot().pending === 0");
  await stage.cut();
  await page.locator(".belfry-offline").waitFor();
  await page.locator("article").hover();
  await page.locator("article").getByRole("button", { name: "Mark as read" }).click();
  await page.getByText("1 change waits").waitFor();
  await stage.mend();
  await vi.waitFor(async () => {
    // By itself the client tries again after random waits of up to 30 s. A browser says when the network is back.
    await page.evaluate("dispatchEvent(new Event('online'))");
    expect((await stage.service.inbox(user).counts()).unread).toBe(0);
    expect(await page.locator(".belfry-offline").count()).toBe(0);
  });
  await page.route("**/inbox?*", (route) => route.fulfill({ status: 500, body: "" }));
  await page.getByRole("tab", { name: "Archived" }).click();
  await page.getByText("Notifications could not be loaded.").waitFor();
  await page.unroute("**/inbox?*");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("Nothing here").waitFor();
});
