import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { startBrowser } from "../../dashboard/e2e/browser.ts";
import { expectTruth } from "../test/truth.ts";
import { type Stage, setStage } from "./stage.ts";

let browser: Browser;
let stage: Stage;
const PATIENCE = { timeout: 40_000, interval: 50 };

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());
afterEach(() => stage.end());

async function tabsOf(user: string, count: number) {
  stage = await setStage(browser);
  const profile = await stage.profile();
  const tabs: Page[] = [];
  for (let opened = 0; opened < count; opened += 1) {
    tabs.push(await stage.open(profile, user));
  }
  return { profile, tabs };
}

const create = async (user: string, titles: readonly string[]) => {
  for (const title of titles) {
    await stage.service.create({ to: user, type: "note", title });
  }
};

const shown = (tab: Page) => tab.evaluate(() => window.tab.shown());
const status = (tab: Page) => tab.evaluate(() => window.tab.inbox.getSnapshot().connection);
const titles = (tab: Page) =>
  tab.evaluate(() =>
    window.tab.inbox
      .view()
      .getSnapshot()
      .items.map(({ title }) => title),
  );

/** Waits until all tabs are connected, by one connection, and show the truth. */
async function settled(user: string, tabs: readonly Page[]): Promise<void> {
  for (const tab of tabs) {
    await vi.waitFor(async () => expect(await status(tab)).toBe("open"), PATIENCE);
    await vi.waitFor(async () => expectTruth(stage.service, user, await shown(tab)), PATIENCE);
  }
  await vi.waitFor(() => expect(stage.connections()).toBe(1), PATIENCE);
}

test("tabs of a user share one connection, and go on when the one that has it is closed or loaded again", async () => {
  const { profile, tabs } = await tabsOf("ann", 3);
  await create("ann", ["a", "b"]);
  await settled("ann", tabs);
  const lists = stage.requests.filter((request) => request.endsWith("/inbox")).length;
  await create("ann", ["c"]);
  await tabs[1]?.evaluate(() =>
    window.tab.inbox.markRead(
      window.tab.inbox
        .view()
        .getSnapshot()
        .items.map(({ id }) => id),
    ),
  );
  await settled("ann", tabs);
  // What is pushed is not asked for.
  expect(stage.requests.filter((request) => request.endsWith("/inbox")).length).toBe(lists);
  await tabs[0]?.close();
  await create("ann", ["d"]);
  await settled("ann", tabs.slice(1));
  await tabs[1]?.reload();
  await create("ann", ["e"]);
  const again = await stage.open(profile, "ann");
  await settled("ann", [...tabs.slice(1), again]);
});

test("ten changes wait while there is no network; the three that are refused then are taken back, and no other", async () => {
  const { profile, tabs } = await tabsOf("ben", 2);
  await create("ben", ["0", "1", "2", "3", "4"]);
  const [tab, other] = tabs as [Page, Page];
  await settled("ben", tabs);
  await profile.setOffline(true);
  await tab.evaluate(() => {
    const { inbox } = window.tab;
    const [e = "", d = "", c = "", b = "", a = ""] = inbox
      .view()
      .getSnapshot()
      .items.map(({ id }) => id);
    const past = new Date(0);
    void inbox.markRead(a);
    void inbox.snooze(b, past);
    void inbox.pin(c);
    void inbox.archive(d);
    void inbox.snooze(c, past);
    void inbox.markUnread(a);
    void inbox.markRead([a, e]);
    void inbox.snooze(e, past);
    void inbox.markSeen(b);
    void inbox.unarchive(d);
  });
  for (const one of tabs) {
    await vi.waitFor(async () => expect(await titles(one)).toEqual(["3", "0"]), PATIENCE);
    expect(await one.evaluate(() => window.tab.inbox.getSnapshot().pending)).toBe(10);
  }
  await profile.setOffline(false);
  await settled("ben", tabs);
  expect(await tab.evaluate(() => window.tab.failed)).toEqual(["snoozed", "snoozed", "snoozed"]);
  expect(await titles(other)).toEqual(["4", "3", "2", "1", "0"]);
  const { items } = await stage.service.inbox("ben").list();
  expect(items.map(({ readAt, isSeen, pinnedAt }) => [readAt !== null, isSeen, pinnedAt !== null])).toEqual([
    [true, true, false],
    [false, false, false],
    [false, false, true],
    [false, true, false],
    [true, true, false],
  ]);
});

test("changes that wait when the last tab is closed are made by the next one", async () => {
  const { profile, tabs } = await tabsOf("eve", 1);
  await create("eve", ["a"]);
  await settled("eve", tabs);
  await profile.setOffline(true);
  await tabs[0]?.evaluate(
    () =>
      void window.tab.inbox.archive(
        window.tab.inbox
          .view()
          .getSnapshot()
          .items.map(({ id }) => id),
      ),
  );
  await tabs[0]?.close();
  expect((await stage.service.inbox("eve").counts()).total).toBe(1);
  await profile.setOffline(false);
  const next = await stage.open(profile, "eve");
  await settled("eve", [next]);
  expect((await stage.service.inbox("eve").counts()).total).toBe(0);
});
