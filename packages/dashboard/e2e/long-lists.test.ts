import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { startBrowser } from "./browser.ts";
import { hold } from "./hold.ts";
import { type Stage, setStage } from "./stage.ts";

/** How long a list grows. */
const LONG_LIST = process.env.BELFRY_LONG ? 10_000 : 350;

let browser: Browser;
let stage: Stage;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  stage = await setStage(browser, { framework: "hono", prefix: "/admin" });
});

afterEach(() => stage.end());

async function create(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 500) {
    await Promise.all(Array.from({ length: Math.min(left, 500) }, () => stage.service().create({ to: "bob", message: "Hello" })));
  }
}

function rowsOf(page: Page) {
  return page.locator("table.results tbody tr");
}

/** Presses "Show older" until there are so many rows. */
async function growTo(page: Page, count: number): Promise<void> {
  for (let shown = await rowsOf(page).count(); shown < count; shown = await rowsOf(page).count()) {
    await page.getByRole("button", { name: "Show older" }).click();
    await vi.waitFor(async () => expect(await rowsOf(page).count()).toBeGreaterThan(shown), { timeout: 30_000 });
  }
}

/** Opens a view whose session arrives only once its stream has caught up, and notes what it asks for. */
async function openNoting(search: string): Promise<{ readonly page: Page; readonly asked: readonly string[] }> {
  const { page } = await stage.open("?view=live");
  await page.getByText("Live", { exact: true }).last().waitFor();
  const { promise: caughtUp, resolve: onHello } = Promise.withResolvers<void>();
  await page.exposeFunction("onHello", onHello);
  await page.addInitScript(`
    window.EventSource = class extends EventSource {
      constructor(url) {
        super(url);
        this.addEventListener("hello", () => void window.onHello());
      }
    }`);
  await page.route("**/api/session", async (route) => {
    await caughtUp;
    await route.continue();
  });
  const asked: string[] = [];
  page.on("request", (request) => {
    const { pathname, search: query } = new URL(request.url());
    asked.push(pathname.slice(pathname.lastIndexOf("/") + 1) + query);
  });
  await page.goto(stage.url() + search);
  return { page, asked };
}

test("a list grows page by page, and nothing is asked for twice", { timeout: 600_000 }, async () => {
  await create(LONG_LIST);
  const { page, asked } = await openNoting("?view=search");
  await page.getByTestId("count").waitFor();
  await growTo(page, LONG_LIST);
  expect(await page.getByRole("button", { name: "Show older" }).count()).toBe(0);
  const pages = asked.filter((request) => request.startsWith("activity"));
  expect(pages.length).toBe(2 + Math.ceil((LONG_LIST - 50) / 100));
  expect(new Set(pages).size).toBe(pages.length);
});

test("a view asks for its first contents once, after the stream has caught up, and again when they change", async () => {
  await create(1);
  const { page, asked } = await openNoting("?view=inbox&user=bob");
  await page.getByText("Hello").waitFor();
  await page.getByText("Live", { exact: true }).last().waitFor();
  expect(asked.filter((request) => request.startsWith("items"))).toHaveLength(1);
  await stage.service().create({ to: "bob", message: "And another" });
  await page.getByText("And another").waitFor();
});

test("rows do not wait for their count, and few are not counted on the server at all", async () => {
  await create(60);
  const { page } = await stage.open();
  const counts = await hold(page, "**/api/activity-count*");
  await page.goto(`${stage.url()}?view=search`);
  await vi.waitFor(async () => expect(await rowsOf(page).count()).toBe(50));
  await page.getByText("More than 50").waitFor();
  await growTo(page, 60);
  await page.getByTestId("count").getByText("60 notifications").waitFor();
  expect(counts.held()).toBe(1);
  counts.release();
});

test("a long list stays under its reader whatever happens, and the newest ones come at a press", async () => {
  await create(160);
  const { page } = await stage.open("?view=search");
  await page.getByText("Live", { exact: true }).last().waitFor();
  await growTo(page, 160);
  await create(3);
  await vi.waitFor(async () => expect(await rowsOf(page).count()).toBe(163), { timeout: 30_000 });
  const newest = await hold(page, "**/api/activity*", ({ pathname }) => pathname.endsWith("/activity"));
  await create(80);
  await vi.waitFor(() => expect(newest.held()).toBe(1), { timeout: 30_000 });
  newest.release();
  await page.getByText("Much is new.").waitFor();
  expect(await rowsOf(page).count()).toBeGreaterThanOrEqual(163);
  await page.getByRole("button", { name: "Show the newest" }).click();
  await vi.waitFor(async () => expect(await rowsOf(page).count()).toBe(50));
  expect(await page.getByText("Much is new.").count()).toBe(0);
  await page.getByTestId("count").getByText("243 notifications").waitFor();
});
