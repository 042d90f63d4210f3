import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { startBrowser } from "../../dashboard/e2e/browser.ts";
import { expectTruth } from "../test/truth.ts";
import { frozen } from "./frozen.ts";
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

/** Keeps the page in a profile, as a service worker does, so that it can be loaded without the network. */
async function keepPage(profile: BrowserContext): Promise<void> {
  for (const path of ["/", ...stage.scripts]) {
    const url = new URL(path, stage.url).href;
    const response = await fetch(url);
    const [body, contentType] = [await response.text(), response.headers.get("content-type") ?? ""];
    await profile.route(url, (route) => route.fulfill({ body, contentType }));
  }
}

const ids = (tab: Page) =>
  tab.evaluate(() =>
    window.tab.inbox
      .view()
      .getSnapshot()
      .items.map(({ id }) => id),
  );
const pending = (tab: Page) => tab.evaluate(() => window.tab.inbox.getSnapshot().pending);
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

test("ten changes wait without a network, through a reload; the three that are refused then are taken back, and no other", async () => {
  const { profile, tabs } = await tabsOf("ben", 2);
  await keepPage(profile);
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
    expect(await pending(one)).toBe(10);
  }
  await tab.reload();
  expect([await pending(tab), await pending(other)]).toEqual([10, 10]);
  await profile.setOffline(false);
  await settled("ben", tabs);
  for (const one of tabs) {
    expect(await one.evaluate(() => window.tab.failed)).toEqual(["snoozed", "snoozed", "snoozed"]);
  }
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

test("a leader that is frozen is replaced by a tab that is looked at, and what it says late changes nothing", async () => {
  const { tabs } = await tabsOf("fay", 2);
  await create("fay", ["a", "b"]);
  await settled("fay", tabs);
  const [leader, other] = tabs as [Page, Page];
  await frozen(leader, async () => {
    await create("fay", ["c", "d"]);
    const [b = ""] = await ids(other);
    await other.evaluate((id) => void window.tab.inbox.markRead(id), b);
    await other.evaluate(() => window.dispatchEvent(new Event("online")));
    await vi.waitFor(async () => expectTruth(stage.service, "fay", await shown(other)), PATIENCE);
    const [d = ""] = await ids(other);
    await stage.service.inbox("fay").remove(d);
    await vi.waitFor(async () => expectTruth(stage.service, "fay", await shown(other)), PATIENCE);
  });
  await settled("fay", tabs);
  expect([await titles(leader), await titles(other)]).toEqual([
    ["c", "b", "a"],
    ["c", "b", "a"],
  ]);
});

test("tabs that slept while their connection ended go on where they were, without listing the inbox anew", async () => {
  const { tabs } = await tabsOf("gil", 2);
  await create("gil", ["a", "b"]);
  await settled("gil", tabs);
  const lists = stage.requests.filter((request) => request.endsWith("/inbox")).length;
  const [leader, other] = tabs as [Page, Page];
  const [b = ""] = await ids(leader);
  await frozen(leader, () =>
    frozen(other, async () => {
      stage.drop();
      await create("gil", ["c"]);
      await stage.service.inbox("gil").archive(b);
    }),
  );
  await settled("gil", tabs);
  expect(stage.requests.filter((request) => request.endsWith("/inbox")).length).toBe(lists);
});

test("a page that goes on after it was frozen replaces a connection that died meanwhile", async () => {
  stage = await setStage(browser);
  const profile = await stage.profile();
  let isDead = false;
  await profile.routeWebSocket(/inbox\/socket/, (socket) => {
    const server = socket.connectToServer();
    const isLater = isDead;
    server.onMessage((message) => (isDead && !isLater ? undefined : socket.send(message)));
  });
  const tab = await stage.open(profile, "hal");
  await create("hal", ["a"]);
  await settled("hal", [tab]);
  isDead = true;
  await create("hal", ["b"]);
  await tab.evaluate(() => document.dispatchEvent(new Event("resume")));
  await vi.waitFor(async () => expectTruth(stage.service, "hal", await shown(tab)), PATIENCE);
  expect(await status(tab)).toBe("open");
});

test("the part of the client that is loaded later is asked for again if that fails; what was changed meanwhile is kept, and made", async () => {
  stage = await setStage(browser);
  const profile = await stage.profile();
  await profile.route("**/assets/live-*", (route) => route.abort());
  await create("ida", ["a"]);
  const tab = await stage.open(profile, "ida");
  await tab.evaluate(() => void window.tab.inbox.markAllRead());
  await tab.reload();
  await vi.waitFor(async () => expect(await status(tab)).toBe("offline"), PATIENCE);
  const { pending, error, viewStatus, asked } = await tab.evaluate(async () => {
    const { inbox } = window.tab;
    const { pending, error } = inbox.getSnapshot();
    return { pending, error, viewStatus: inbox.view().getSnapshot().status, asked: await inbox.preferences.get() };
  });
  expect({ pending, error, viewStatus, asked }).toMatchObject({
    ...{ pending: 1, error: { code: "UNREACHABLE" }, viewStatus: "error", asked: { ok: false, error: { code: "UNREACHABLE" } } },
  });
  expect((await stage.service.inbox("ida").counts()).unread).toBe(1);
  await profile.unroute("**/assets/live-*");
  await tab.evaluate(() => window.dispatchEvent(new Event("online")));
  await settled("ida", [tab]);
  expect((await stage.service.inbox("ida").counts()).unread).toBe(0);
});
