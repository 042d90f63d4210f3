import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { stubPushManager } from "../../client/e2e/stub-push-manager.ts";
import { startBrowser } from "../../dashboard/e2e/browser.ts";
import { type InboxStage, setInboxStage } from "../../react/e2e/stage.ts";
import { keyboardTests } from "../../react/test/keyboard-tests.ts";
import { bundledElement } from "./bundled-element.ts";

let browser: Browser;
let stage: InboxStage;

beforeAll(async () => {
  browser = await startBrowser();
  stage = await setInboxStage(browser, { page: bundledElement });
});

afterEach(() => stage.closePages());

afterAll(async () => {
  await stage.end();
  await browser.close();
});

test("the element shows the inbox in a shadow root, in its language, follows it, and tells of what happens", async () => {
  await stage.service.create({ to: "ann", title: "First", url: "/posts/1" });
  const { page, problems } = await stage.open("?user=ann&bare");
  const noted = () => page.evaluate(() => (window as unknown as { noted: string[] }).noted);
  const bell = page.getByRole("button", { name: "Benachrichtigungen, 1 ungelesen" });
  await bell.click();
  await page.getByRole("dialog", { name: "Benachrichtigungen" }).waitFor();
  await page.locator("article").first().waitFor();
  // Its styles are its own.
  expect(await page.locator(".belfry-panel").evaluate((panel) => getComputedStyle(panel).position)).toBe("fixed");
  await stage.service.create({ to: "ann", title: "Second" });
  await vi.waitFor(async () => expect(await page.locator(".belfry-item-title bdi").allTextContents()).toContain("Second"));
  expect(await noted()).toEqual(["received Second"]);

  await page.locator("article", { hasText: "First" }).focus();
  await page.keyboard.press("Enter");
  await vi.waitFor(async () => expect(await noted()).toContain("navigate /posts/1"));
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await bell.or(page.locator(".belfry-bell")).first().click();
  await page.locator("article").first().waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  expect(await page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.className)).toBe("belfry-bell");
  expect(problems).toEqual([]);
});

keyboardTests(() => stage, "&bare");

test("contents that could not be loaded are loaded when the reader tries again", async () => {
  await stage.service.create({ to: "ben", title: "Here" });
  const { page } = await stage.open("?user=ben&bare", {}, (opened) => opened.route("**/assets/content-*", (route) => route.abort()));
  await page.getByRole("button", { name: "Benachrichtigungen, 1 ungelesen" }).click();
  const retry = page.getByRole("button", { name: "Erneut versuchen" });
  await retry.waitFor();
  await page.unroute("**/assets/content-*");
  await retry.click();
  await page.locator("article", { hasText: "Here" }).waitFor();
});

test("with the address of a service worker, its preferences have a switch for pushes to this browser", async () => {
  const { page, problems } = await stage.open("?user=cleo&bare&push", { permissions: ["notifications"] }, (opened) =>
    opened.addInitScript(stubPushManager, []),
  );
  await page.locator(".belfry-bell").click();
  await page.getByRole("button", { name: "Einstellungen" }).click();
  const device = page.getByRole("switch", { name: "Benachrichtigungen auf diesem Gerät" });
  expect(await device.getAttribute("aria-checked")).toBe("false");
  expect(problems).toEqual([]);
});
