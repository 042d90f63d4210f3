import { loadavg } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startBrowser } from "../../dashboard/e2e/browser.ts";
import { bundledPage } from "../../react/e2e/bundled-page.ts";
import { type InboxStage, setInboxStage } from "../../react/e2e/stage.ts";
import { bundledElement } from "./bundled-element.ts";
import { held, loadAll, scroll, traceTasks, watchTasks } from "./measure.ts";

// Times depend on the machine: they are printed, and not compared. The long form takes some minutes, and wants a machine that does nothing else.
const { BELFRY_LONG, BELFRY_TRACE } = process.env;
/** How many items a reader scrolls through. */
const MANY = BELFRY_LONG ? 20_000 : 300;
const SECONDS = BELFRY_LONG ? 60 : 1;
const TICKS_PER_SECOND = 10;
/** In each tick: 100 new items and 50 changes for each second. */
const CREATED = 10;
const CHANGED = 5;
/** In each frame: 12,000 pixels a second, as a finger flings a list. */
const STEP_PX = 200;
const FRAMES = BELFRY_LONG ? 600 : 20;
/** So few articles are in the document at a time. */
const MAX_ARTICLES = 60;
/** What was in the document before is held no more: a page holds the nodes of those articles, and some. */
const MAX_NODES = 4_000;
const TIMEOUT = { timeout: 900_000 };

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const ELEMENT = { name: "the element", page: bundledElement, search: "&bare" };

/** The element renders the inbox of React, so the short form looks at the element alone. */
const INBOXES = BELFRY_LONG ? [{ name: "the inbox of React", page: () => bundledPage("production"), search: "" }, ELEMENT] : [ELEMENT];

/** Says what the page's thread did meanwhile, if `BELFRY_TRACE` asks for it: tracing itself holds the page for 100 ms where it begins and ends. */
async function onProcessor(page: Page, work: () => Promise<void>): Promise<object> {
  if (BELFRY_TRACE) {
    return { onProcessor: await traceTasks(page, work) };
  }
  await work();
  return {};
}

/** Prints what was measured, and how busy the machine was. */
function print(title: string, measures: Readonly<Record<string, unknown>>): void {
  console.info(title, { ...measures, load: loadavg()[0] });
}

describe.each(INBOXES)("$name", ({ name, page: files, search }) => {
  let stage: InboxStage;

  beforeAll(async () => {
    stage = await setInboxStage(browser, { page: files });
  });
  afterEach(() => stage.closePages());
  afterAll(() => stage.end());

  const create = async (to: string, from: number, count: number) => {
    const made = Array.from({ length: count }, (_, index) => stage.service.create({ to, type: "note", title: `Item ${from + index}` }));
    return (await Promise.all(made)).map(({ notification }) => notification.id);
  };

  test(`scrolls through ${MANY} items with few of them in the document`, TIMEOUT, async () => {
    for (let count = 0; count < MANY; count += 100) {
      await create("scroller", count + 1, 100);
    }
    const { page, problems } = await stage.open(`?user=scroller&layout=page&pageSize=100&locale=en${search}`);
    const articles = page.locator("article");
    await articles.first().waitFor();
    const list = page.locator(".belfry-list .belfry-scroll");
    await loadAll(list);
    expect(await articles.last().getAttribute("aria-posinset")).toBe(String(MANY));
    expect(await page.getByText("Item 1", { exact: true }).count()).toBe(1);
    const measures: Record<string, unknown> = { first: await held(page) };
    const processed = await onProcessor(page, async () => {
      measures.down = await scroll(list, { from: 0, step: STEP_PX, frames: FRAMES });
      measures.middle = await scroll(list, { from: 0.5, step: STEP_PX, frames: FRAMES });
      measures.up = await scroll(list, { from: 1, step: -STEP_PX, frames: FRAMES });
    });
    expect(await articles.count()).toBeLessThan(MAX_ARTICLES);
    const last = await held(page);
    print(`${name}, scrolled through ${MANY} items`, { ...measures, ...processed, last });
    expect(last.nodes).toBeLessThan(MAX_NODES);
    expect(problems).toEqual([]);
  });

  test(`follows ${TICKS_PER_SECOND * (CREATED + CHANGED)} events a second while it is open`, TIMEOUT, async () => {
    const { page, problems } = await stage.open(`?user=busy&locale=en${search}`);
    await page.locator(".belfry-bell").click();
    await page.locator(".belfry-state").waitFor();
    const watched = await watchTasks(page);
    let made = 0;
    let perSecond = 0;
    const processed = await onProcessor(page, async () => {
      const begun = Date.now();
      for (let tick = 1; tick <= SECONDS * TICKS_PER_SECOND; tick += 1) {
        const ids = await create("busy", made + 1, CREATED);
        made += CREATED;
        await Promise.all(ids.slice(0, CHANGED).map((id) => stage.service.inbox("busy").markRead(id)));
        await wait(Math.max(0, begun + (tick * 1_000) / TICKS_PER_SECOND - Date.now()));
      }
      perSecond = ((made / CREATED) * (CREATED + CHANGED) * 1_000) / (Date.now() - begun);
      const unread = (made / CREATED) * (CREATED - CHANGED);
      await page.getByRole("button", { name: `Notifications, ${unread.toLocaleString("en")} unread` }).waitFor();
    });
    await page.getByText(`Item ${made}`, { exact: true }).waitFor();
    const { frames, longTasks } = await watched.end();
    print(`${name}, ${Math.round(perSecond)} events a second`, { frames, longTasks, ...processed, ...(await held(page)) });
    expect(problems).toEqual([]);
  });
});
