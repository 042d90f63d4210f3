import { systemClock } from "@belfry/core";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { BreakableChannel } from "../test/breakable-channel.ts";
import { startBrowser } from "./browser.ts";
import { hold } from "./hold.ts";
import { type Stage, setStage } from "./stage.ts";

let browser: Browser;
let stage: Stage;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  stage = await setStage(browser, { framework: "express", prefix: "/admin" });
});

afterEach(() => stage.end());

async function fill(user: string, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => stage.service().create({ to: user, message: `for ${user}, ${index}.` })));
}

test("older items that load late do not show in another user's list", async () => {
  await fill("big", 60);
  await fill("small", 1);
  const { page } = await stage.open("?view=inbox&user=big");
  const older = await hold(page, "**/api/items*", (url) => url.searchParams.has("cursor"));
  await page.getByRole("button", { name: "Show older" }).click();
  await vi.waitFor(() => expect(older.held()).toBe(1));
  await page.getByLabel("User", { exact: true }).fill("small");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await page.getByText("for small, 0.").waitFor();
  older.release();
  await stage.service().create({ to: "small", message: "and one more" });
  await page.getByText("and one more").waitFor();
  expect(await page.locator(".item").count()).toBe(2);
  expect(await page.getByText("for big").count()).toBe(0);
});

test("older results that load late do not show in another search", async () => {
  await fill("big", 60);
  await fill("small", 1);
  const { page } = await stage.open("?view=search&recipient=big");
  const older = await hold(page, "**/api/activity?*", (url) => url.searchParams.has("cursor"));
  await page.getByRole("button", { name: "Show older" }).click();
  await vi.waitFor(() => expect(older.held()).toBe(1));
  await page.getByLabel("Recipient").fill("small");
  await page.keyboard.press("Enter");
  await page.getByText("1 notification match").waitFor();
  older.release();
  await stage.service().create({ to: "small", message: "and one more" });
  await page.getByText("2 notifications match").waitFor();
  expect(await page.locator("table.results tbody tr").count()).toBe(2);
});

test("older pages are up to date after a change too", async () => {
  await fill("bob", 70);
  const { page } = await stage.open("?view=inbox&user=bob");
  await page.getByText("Live", { exact: true }).last().waitFor();
  await page.getByRole("button", { name: "Show older" }).click();
  await vi.waitFor(async () => expect(await page.locator(".item").count()).toBe(70));
  const { items } = await stage.service().inbox("bob").list({ limit: 100 });
  await stage
    .service()
    .inbox("bob")
    .markRead(items.at(-1)?.id ?? "");
  await vi.waitFor(async () => expect(await page.locator(".item.unread").count()).toBe(69));
  expect(await page.locator(".item").count()).toBe(70);
  await stage
    .service()
    .inbox("bob")
    .remove(items.at(-1)?.id ?? "");
  await vi.waitFor(async () => expect(await page.locator(".item").count()).toBe(69));
});

test("a search that shows older results drops those that no longer match", async () => {
  const sends = await Promise.all(
    Array.from({ length: 60 }, (_, index) => stage.service().create({ channels: ["sms"], to: `+49${index}`, message: "1234" })),
  );
  await stage.service().runDue();
  const { page } = await stage.open("?view=search&status=failed");
  await page.getByText("Live", { exact: true }).last().waitFor();
  await page.getByText("60 notifications match").waitFor();
  await page.getByRole("button", { name: "Show older" }).click();
  const rows = page.locator("table.results tbody tr");
  await vi.waitFor(async () => expect(await rows.count()).toBe(60));
  stage.channel.isBroken = false;
  for (const { notification } of sends) {
    await stage.service().retry(notification.id);
  }
  await stage.service().runDue();
  await page.getByText("Nothing matches").waitFor();
  expect(await rows.count()).toBe(0);
});

test("the page shows answers even if changes come faster than answers", async () => {
  const { page } = await stage.open("?view=inbox&user=bob");
  await page.getByText("No notifications for bob").waitFor();
  await page.getByText("Live", { exact: true }).last().waitFor();
  const items = await hold(page, "**/api/items*");
  await stage.service().create({ to: "bob", message: "first" });
  await vi.waitFor(() => expect(items.held()).toBe(1));
  await stage.service().create({ to: "bob", message: "second" });
  await page.waitForResponse((response) => response.url().includes("/api/counts"));
  items.release();
  await page.getByText("second").waitFor();
  expect(await page.locator(".item").count()).toBe(2);
});

test("fast clicks mark several items as read while answers are slow", async () => {
  await fill("bob", 3);
  const { page } = await stage.open("?view=inbox&user=bob");
  const marks = await hold(page, "**/api/items/read");
  const buttons = page.getByRole("button", { name: /^Mark as read/ });
  for (const index of [0, 1, 2]) {
    await buttons.nth(index).click();
  }
  await vi.waitFor(() => expect(marks.held()).toBe(3));
  expect(await buttons.evaluateAll((all) => all.map((one) => one.getAttribute("aria-disabled")))).toEqual(["true", "true", "true"]);
  marks.release();
  await vi.waitFor(async () => expect(await page.getByTestId("unread").textContent()).toBe("0"));
  expect(await stage.service().inbox("bob").counts()).toMatchObject({ unread: 0 });
});

test("for all users the page counts only the newest items, and says so", async () => {
  await stage.service().create({ to: "old", message: "unread for long" });
  await fill("bob", 100);
  await stage.service().inbox("bob").markAllRead();
  const { page } = await stage.open("?view=inbox&status=unread");
  await page.getByText("Nothing unread among the newest 100").waitFor();
  expect(await page.getByText("Everything has been read.").count()).toBe(0);
});

test("text typed while a notification is created stays, and so does the focus", async () => {
  const { page } = await stage.open("?view=inbox&user=bob");
  const create = await hold(page, "**/api/notifications");
  await page.getByLabel("Title (optional)").fill("A title");
  await page.getByLabel("Message").fill("first");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await vi.waitFor(() => expect(create.held()).toBe(1));
  await page.getByLabel("Message").fill("second");
  await page.getByLabel("User", { exact: true }).focus();
  create.release();
  await vi.waitFor(async () => expect(await page.getByLabel("Title (optional)").inputValue()).toBe(""));
  expect(await page.getByLabel("Message").inputValue()).toBe("second");
  expect(await page.evaluate(() => document.activeElement?.getAttribute("name"))).toBe("user");
});

test("a retry uses the filters on show, even before a search", async () => {
  for (const type of ["code", "alarm"]) {
    await stage.service().create({ channels: ["sms"], to: "+4911", type, message: "1234" });
  }
  await stage.service().runDue();
  const { page } = await stage.open("?view=search");
  await page.getByTestId("count").getByText("2 notifications").waitFor();
  await page.getByLabel("Type").fill("alarm");
  await page.getByRole("button", { name: "Retry what failed…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Try 1 again" }).waitFor();
  expect(new URL(page.url()).searchParams.get("type")).toBe("alarm");
});

test("a retry goes on while its dialog is closed, and another dialog has its outcome", async () => {
  await Promise.all(
    Array.from({ length: 30 }, (_, index) => stage.service().create({ channels: ["sms"], to: `+49${index}`, message: "1234" })),
  );
  await stage.service().runDue();
  stage.channel.isBroken = false;
  const { page } = await stage.open("?view=search");
  await page.getByRole("button", { name: "Retry what failed…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Try 30 again" }).click();
  await dialog.getByTestId("retried").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await vi.waitFor(async () => expect(await stage.service().operator.retries.list()).toMatchObject([{ state: "finished" }]));
  await page.getByRole("button", { name: "Retry what failed…" }).click();
  await dialog.getByText("30 of 30 tried again; finished").waitFor();
});

test("what is tried again later goes out at a press", async () => {
  await stage.end();
  const [nowMs, calls] = [Date.now(), new BreakableChannel("call", [3_600_000])];
  stage = await setStage(browser, {
    framework: "express",
    prefix: "/admin",
    clock: { ...systemClock, now: () => nowMs },
    channels: [calls],
  });
  const { notification } = await stage.service().create({ channels: ["call"], to: "+4911", title: "Call", message: "x" });
  await stage.service().runDue();
  calls.isBroken = false;
  const { page } = await stage.open(`?view=notification&id=${notification.id}`);
  await page.getByText("Attempt 2, call to +4911, follows a failure").waitFor();
  await page.getByRole("button", { name: "Try now" }).click();
  await page.getByText("Attempt 2, call to +4911: delivered").waitFor();
  await page.getByText("Retry asked for by dashboard").waitFor();
});

test("a count that has reached its limit says that there may be more", async () => {
  const { page } = await stage.open();
  await page.route("**/api/activity-count*", (route) => route.fulfill({ status: 200, json: { count: 10_000 } }));
  await fill("bob", 60);
  await page.getByRole("link", { name: "Search" }).click();
  await page.getByTestId("count").getByText("10,000 or more notifications").waitFor();
});

test("deleted notifications leave the live tail too", async () => {
  await stage.service().create({ to: "bob", message: "stays" });
  const {
    notification: { id },
  } = await stage.service().create({ channels: ["sms"], to: "+4911", title: "goes", message: "x" });
  await stage.service().runDue();
  const { page } = await stage.open("?view=live");
  await page.getByText("Live", { exact: true }).last().waitFor();
  await page.getByTestId("tail").getByText("goes").waitFor();
  await stage.service().delete(id);
  await page.getByTestId("tail").getByText("goes").waitFor({ state: "detached" });
  expect(await page.getByTestId("tail").getByText("stays").count()).toBe(1);
});

test("what is tried again later, and what its resting endpoint holds back, is found and says why", async () => {
  await stage.end();
  const [nowMs, calls] = [Date.now(), new BreakableChannel("call", [3_600_000])];
  // The endpoint's rest never ends.
  stage = await setStage(browser, {
    framework: "express",
    prefix: "/admin",
    clock: { ...systemClock, now: () => nowMs },
    channels: [calls],
  });
  for (let count = 0; count < 6; count += 1) {
    await stage.service().create({ channels: ["call"], to: "+4911", title: `Call ${count}`, message: "x" });
    await stage.service().runDue();
  }
  const { page } = await stage.open("?view=search");
  await page.getByLabel("Any delivery is").selectOption("retrying");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await page.getByText("5 notifications match").waitFor();
  const row = page.getByRole("row").filter({ hasText: "Call 4" });
  await row.getByText("retrying", { exact: true }).waitFor();
  await row.getByText("The gateway has no signal.").waitFor();
  await page.getByLabel("Any delivery is").selectOption("held");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await page.getByText("1 notification match").waitFor();
  await page.getByText("held back", { exact: true }).waitFor();
  await page.getByText(/its endpoint rests after 5 failures in a row/).waitFor();
  await page.getByRole("link", { name: "Call 5" }).click();
  await page.getByText("Attempt 1, call to +4911, is held back").waitFor();
});

test("an address is suppressed, found by its beginning, and lifted, and the keyboard keeps its place", async () => {
  const { suppressions } = stage.service();
  await suppressions.add({ channel: "sms", address: "+4999" });
  await stage.service().deleteUser("dan", { addresses: ["+4999"] });
  await Promise.all(Array.from({ length: 59 }, (_, index) => suppressions.add({ channel: "sms", address: `+49${100 + index}` })));
  const { page, problems } = await stage.open();
  await page.getByRole("link", { name: "Suppressed" }).click();
  await page.getByText("50 shown").waitFor();
  await page.getByRole("button", { name: "Show more" }).click();
  const rows = page.locator("table.results tbody tr");
  await vi.waitFor(async () => expect(await rows.count()).toBe(60));
  expect(await rows.filter({ hasText: "address of a deleted user" }).textContent()).not.toContain("Lift");
  await page.getByRole("button", { name: "Suppress an address…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("sms takes telephone numbers").waitFor();
  await dialog.getByLabel("Address").fill("+4711");
  await dialog.getByLabel("Detail (optional)").fill("Asked us by phone.");
  await dialog.getByRole("button", { name: "Suppress", exact: true }).click();
  await vi.waitFor(async () => expect(await rows.count()).toBe(61));
  await page.getByLabel("Begins with").fill("+47");
  await page.getByLabel("Reason").selectOption("By hand");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await vi.waitFor(async () => expect(await rows.count()).toBe(1));
  expect(await rows.textContent()).toMatch(/^\+4711Asked us by phone\.smsBy handdashboard.+Lift…$/);
  await page.getByRole("button", { name: "Lift +4711 over sms" }).click();
  await dialog.getByRole("button", { name: "Lift the address" }).click();
  await page.getByText("Nothing matches").waitFor();
  expect(await page.getByRole("status").last().textContent()).toBe("+4711 is lifted.");
  await vi.waitFor(async () => expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1"));
  expect(await suppressions.get("sms", "+4711")).toBe(null);
  expect(problems).toEqual([]);
});
