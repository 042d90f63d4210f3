import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBrowser } from "./browser.ts";
import { setStage } from "./stage.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser.close());

const MARKUP = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 2</script>';
const LINKS = ["//evil.test", "nothing", "mailto:ann@evil.test", "/path"];

test("row 21: texts of users and senders are shown as text everywhere, and only web addresses become links", async () => {
  const stage = await setStage(browser, { framework: "express", prefix: "/admin" });
  const service = stage.service();
  const user = `${MARKUP.slice(0, 40)}">`;
  const ids: string[] = [];
  for (const link of LINKS) {
    const data = { action_url: link, [MARKUP]: MARKUP };
    const { notification } = await service.create({ to: user, title: MARKUP, message: MARKUP, type: "<b>type</b>", data });
    ids.push(notification.id);
  }
  const good = await service.create({ to: user, title: "good", message: "x", data: { action_url: "https://example.com/?a=1&b=<2>" } });
  const { notification: send } = await service.create({
    channels: ["sms"],
    to: `+${MARKUP}`,
    title: MARKUP,
    message: MARKUP,
    data: { "<i>": MARKUP },
  });
  await service.runDue();
  const { page, problems } = await stage.open();
  const views = [
    "",
    `?view=inbox&user=${encodeURIComponent(user)}`,
    "?view=search",
    `?view=search&recipient=${encodeURIComponent(MARKUP)}`,
    "?view=live",
    "?view=health",
    ...[...ids, send.id].map((id) => `?view=notification&id=${id}`),
    `?view=${encodeURIComponent(MARKUP)}&user=${encodeURIComponent(MARKUP)}`,
  ];
  for (const view of views) {
    await page.goto(stage.url() + view);
    await page.waitForFunction(() => document.querySelector("h1") !== null && document.querySelector(".skeleton") === null);
    expect(await page.evaluate(() => (window as unknown as { hacked?: number }).hacked)).toBeUndefined();
    expect(await page.locator("img, b, script:not([src])").count()).toBe(0);
    const links = await page.locator("a").evaluateAll((found) => found.map((one) => (one as HTMLAnchorElement).href));
    expect(links.filter((link) => !link.startsWith(stage.url()) && link !== "https://example.com/?a=1&b=%3C2%3E")).toEqual([]);
  }
  await page.goto(stage.url());
  await page.getByText(MARKUP).first().waitFor();
  await page.goto(`${stage.url()}?view=notification&id=${good.notification.id}`);
  const link = page.getByRole("link", { name: "Open link" });
  await link.waitFor();
  expect(await link.getAttribute("rel")).toBe("noopener noreferrer");
  await stage.end();
  expect(problems).toEqual([]);
});

test("the page cannot be framed, and its policy stops injected code", async () => {
  const stage = await setStage(browser, { framework: "hono", prefix: "/admin" });
  const { page, problems } = await stage.open();
  await page.getByRole("heading", { name: "Inbox" }).waitFor();
  expect(problems).toEqual([]);
  await page.evaluate(() => {
    const container = document.createElement("div");
    container.innerHTML = '<img src=x onerror="window.hacked = 1"><a href="javascript:window.hacked=2">x</a><iframe src="/admin"></iframe>';
    document.body.append(container);
    container.querySelector("a")?.click();
    const script = document.createElement("script");
    script.textContent = "window.hacked = 3";
    document.body.append(script);
  });
  await expect.poll(() => problems.filter((problem) => /Content Security Policy/i.test(problem)).length).toBeGreaterThanOrEqual(3);
  expect(await page.evaluate(() => (window as unknown as { hacked?: number }).hacked)).toBeUndefined();
  await stage.end();
});

test("long and reversed titles stay in their place on narrow and wide screens", async () => {
  const stage = await setStage(browser, { framework: "express", prefix: "/admin" });
  const long = "W".repeat(300);
  const { notification } = await stage.service().create({ to: "u".repeat(255), title: long, message: long, type: "t".repeat(100) });
  await stage.service().create({ to: "\u202ebob", title: "\u202ereversed", message: "x" });
  const { page } = await stage.open("?view=inbox");
  for (const view of ["?view=inbox", "?view=search", "?view=live", `?view=notification&id=${notification.id}`]) {
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 700 });
      await page.goto(stage.url() + view);
      await page.getByText(long.slice(0, 70)).first().waitFor();
      const outside = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect([view, width, outside]).toEqual([view, width, 0]);
    }
  }
  await page.goto(`${stage.url()}?view=inbox`);
  const reversed = page.locator("a.item-title, a.chip").filter({ hasText: "\u202e" });
  await reversed.first().waitFor();
  expect(await reversed.evaluateAll((all) => all.map((one) => getComputedStyle(one).unicodeBidi))).toEqual(["isolate", "isolate"]);
  const { notification: send } = await stage.service().create({ channels: ["sms"], to: "+\u202e4911", message: "x" });
  await stage.service().runDue();
  await page.goto(`${stage.url()}?view=notification&id=${send.id}`);
  await page.locator(".step-head bdi").filter({ hasText: "\u202e" }).waitFor();
  await stage.end();
});

test.each(["Asia/Tokyo", "UTC", "America/New_York"])("a time at the end of time does not empty the page in %s", async (timezoneId) => {
  const stage = await setStage(browser, { framework: "express", prefix: "/admin" });
  const { page } = await stage.open(`?view=search&from=${encodeURIComponent("+275760-09-13T00:00:00.000Z")}`, { timezoneId });
  await page.getByRole("button", { name: "Search", exact: true }).waitFor();
  await page.getByText(`Times in ${timezoneId}`, { exact: true }).waitFor();
  await stage.end();
});

test("a view that throws says so, and the rest of the page still works", async () => {
  const stage = await setStage(browser, { framework: "express", prefix: "/admin" });
  const { page } = await stage.open("?view=health");
  await page.route(/\/api\/activity$/, (route) => route.fulfill({ status: 200, json: { notifications: [{}], nextCursor: null } }));
  await page.getByRole("navigation").getByRole("link", { name: "Search" }).click();
  await page.getByText("This view could not be shown.").waitFor();
  await page.getByRole("link", { name: "Inbox" }).click();
  await page.getByRole("heading", { name: "Inbox" }).waitFor();
  await stage.end();
});
