import { expect, test, vi } from "vitest";
import { type PushWorkerScope, type ShownOptions, type ShowPushesOptions, showPushes } from "../src/push/service-worker.ts";

/** A service worker that a test has instead of a browser's: what it showed, and how it is woken. */
function worker(options?: ShowPushesOptions) {
  const shown: { readonly title: string; readonly options: ShownOptions }[] = [];
  const badges: number[] = [];
  const opened: string[] = [];
  const listeners = new Map<string, (event: never) => void>();
  const scope: PushWorkerScope = {
    location: { origin: "https://app.example" },
    registration: {
      scope: "https://app.example/",
      pushManager: { subscribe: () => Promise.reject(new Error("There is no push service.")) },
      async showNotification(title, given) {
        if (given.tag === "refused") {
          throw new TypeError("The browser does not take it.");
        }
        shown.push({ title, options: given });
      },
      getNotifications: async ({ tag }) =>
        shown.filter(({ options: given }) => given.tag === tag).map(({ options: { data } }) => ({ data })),
    },
    clients: { matchAll: async () => [], openWindow: async (url) => void opened.push(url) },
    navigator: { setAppBadge: async (count) => void badges.push(count) },
    addEventListener: (type: string, listener: (event: never) => void) => void listeners.set(type, listener),
  };
  showPushes(scope, options);
  const wake = async (type: string, event: object) => {
    const work: Promise<unknown>[] = [];
    listeners.get(type)?.({ ...event, waitUntil: (one: Promise<unknown>) => void work.push(one) } as never);
    return Promise.allSettled(work);
  };
  return {
    ...{ shown, badges, opened },
    push: async (text: string | null) => {
      const results = await wake("push", { data: text === null ? null : { text: () => text } });
      expect(results.map(({ status }) => status)).toEqual(["fulfilled"]);
    },
    click: (data: unknown, action = "") => wake("notificationclick", { action, notification: { data, close: () => {} } }),
  };
}

const PUSH = { id: "1", type: "comment", title: "Hello", message: "World", data: {}, url: "/a", group: null, unread: 3, actions: null };
const text = (more: object = {}) => JSON.stringify({ ...PUSH, ...more });

test.each([[null], [""], ["{"], ["null"], ["[]"], ['"text"'], [text({ id: 7 })], [text({ title: null })], ['{"__proto__":{"id":"1"}}']])(
  "of what is no push of Belfry, such as %j, a plain notification is shown, or none where the host shows others",
  async (data) => {
    const [plain, ignoring] = [worker(), worker({ others: "ignore" })];
    await plain.push(data);
    await ignoring.push(data);
    expect([plain.shown, ignoring.shown]).toEqual([[{ title: "New notification", options: {} }], []]);
  },
);

test("members of another kind are left out, and the rest is shown", async () => {
  const { push, shown, badges } = worker();
  await push(
    text({ actions: [{ label: 7 }, null, { label: "Open" }], unread: -1, locale: {}, priority: "loud", group: 7, url: [], digest: "x" }),
  );
  expect(shown).toMatchObject([{ title: "Hello", options: { tag: "belfry:1", actions: [{ action: "0", title: "Open" }], silent: false } }]);
  expect([badges, "lang" in (shown[0]?.options ?? {})]).toEqual([[], false]);
});

test("a push that comes twice is heard once, and another one of its group again", async () => {
  const { push, shown, badges } = worker();
  for (const id of ["1", "1", "2"]) {
    await push(text({ id, group: "post", priority: "urgent", locale: "de" }));
  }
  await push(text({ id: "3", group: "post", priority: "low", unread: 0 }));
  expect(shown.map(({ options: { renotify, tag } }) => [renotify, tag])).toEqual(
    [false, false, true, false].map((is) => [is, "belfry:post"]),
  );
  expect(shown.map(({ options: { silent, requireInteraction } }) => [silent, requireInteraction])).toEqual([
    ...Array(3).fill([false, true]),
    [true, false],
  ]);
  expect([badges, shown[0]?.options.lang]).toEqual([[3, 3, 3, 0], "de"]);
});

test("a host says what is shown; what it leaves out, or fails at, is as usual", async () => {
  const titled = worker({ show: ({ type, message }) => ({ title: `${type}: ${message}`, options: { data: 7, icon: "/icon.png" } }) });
  await titled.push(text());
  expect(titled.shown).toMatchObject([
    { title: "comment: World", options: { body: "World", icon: "/icon.png", data: { belfry: { id: "1", url: "/a" } } } },
  ]);
  const told: unknown[] = [];
  vi.stubGlobal("reportError", (error: unknown) => void told.push(error));
  const failing = worker({
    show() {
      throw new Error("The host's own.");
    },
  });
  await failing.push(text());
  vi.unstubAllGlobals();
  expect([failing.shown[0]?.title, told]).toEqual(["Hello", [new Error("The host's own.")]]);
  const refused = worker({ show: () => ({ title: "Mine", options: { tag: "refused" } }) });
  await refused.push(text());
  expect(refused.shown).toMatchObject([{ title: "Hello", options: { tag: "belfry:1" } }]);
});

test.each([
  ["/a", "", ["https://app.example/a"]],
  ["https://other.example/b", "", ["https://other.example/b"]],
  [null, "", ["https://app.example"]],
  ["javascript:alert(1)", "", ["https://app.example"]],
  ["data:text/html,x", "", ["https://app.example"]],
  ["/a", "0", ["https://app.example/c"]],
  ["/a", "1", ["https://app.example"]],
  ["/a", "7", ["https://app.example/a"]],
])("a click on %j, or its button %j, opens %j", async (url, action, opened) => {
  const { push, click, shown, opened: found } = worker();
  const actions = [
    { label: "Good", url: "/c" },
    { label: "Bad", url: "blob:https://app.example/x" },
  ];
  await push(text({ url, actions }));
  await click(shown[0]?.options.data, action);
  expect(found).toEqual(opened);
});

test("a click on a notification of the host's own is the host's", async () => {
  const { click, opened } = worker();
  for (const data of [null, undefined, 7, { url: "/a" }, { belfry: { id: 7, url: "/a" } }]) {
    await click(data);
  }
  expect(opened).toEqual([]);
});
