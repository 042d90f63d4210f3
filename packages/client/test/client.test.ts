import { sqliteStorage } from "@belfry/storage-sqlite";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { type ClientOptions, createClient, type InboxClient } from "../src/index.ts";
import { type Host, startHost } from "./host.ts";

let host: Host;
const clients: InboxClient[] = [];

beforeAll(async () => {
  host = await startHost({ options: () => ({ storage: sqliteStorage(":memory:") }) });
});

afterEach(() => {
  for (const client of clients.splice(0)) {
    client.stop();
  }
});

afterAll(() => host.stop());

function clientOf(user: string, options: Partial<ClientOptions> = {}): InboxClient {
  const client = createClient({ url: host.url, getToken: () => user, tabs: "each", ...options });
  clients.push(client);
  return client;
}

async function create(user: string, titles: readonly string[], more: object = {}): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const title of titles) {
    ids.push((await host.service.create({ to: user, type: "note", title, ...more })).notification.id);
  }
  return ids;
}

const titles = (view: { getSnapshot(): { readonly items: readonly { readonly title: string }[] } }) =>
  view.getSnapshot().items.map(({ title }) => title);

/** Starts a client with a view that is loaded, and connected. */
async function live(client: InboxClient, ...args: Parameters<InboxClient["view"]>) {
  const view = client.view(...args);
  view.subscribe(() => undefined);
  client.start();
  await vi.waitFor(() => expect([view.getSnapshot().status, client.getSnapshot().connection]).toEqual(["ready", "open"]));
  return view;
}

describe.each(["ws", "sse"] as const)("over %s", (transport) => {
  test("items and counts follow the inbox without asking again", async () => {
    const user = `${transport}-follow`;
    const [a = ""] = await create(user, ["a", "b"]);
    const client = clientOf(user, { transports: [transport] });
    const received: string[] = [];
    client.on("received", ({ title }) => received.push(title));
    const view = await live(client);
    const asked = host.requests.length;
    await create(user, ["c"]);
    await host.service.inbox(user).markRead(a);
    await vi.waitFor(() => expect(client.getSnapshot().counts).toEqual({ total: 3, unread: 2, unseen: 2 }));
    expect(titles(view)).toEqual(["c", "b", "a"]);
    expect(received).toEqual(["c"]);
    await host.service.inbox(user).archive(a);
    await vi.waitFor(() => expect(titles(view)).toEqual(["c", "b"]));
    expect(host.requests.slice(asked)).toEqual([]);
  });

  test("a dropped connection comes back at its position", async () => {
    const user = `${transport}-drop`;
    await create(user, ["a"]);
    const client = clientOf(user, { transports: [transport] });
    const recovered: boolean[] = [];
    client.on("recovered", ({ complete }) => recovered.push(complete));
    const view = await live(client);
    host.drop();
    await create(user, ["b"]);
    await vi.waitFor(() => expect([titles(view), recovered]).toEqual([["b", "a"], [true]]));
  });
});

test("a server that is away for a moment is followed by the same transport afterwards", async () => {
  let isAway = false;
  const refused: string[] = [];
  const client = clientOf("away", {
    fetch(url, init) {
      if (!isAway) {
        return fetch(url, init);
      }
      refused.push(new URL(String(url)).pathname);
      isAway = refused.length < 3;
      return Promise.reject(new TypeError("There is no network."));
    },
  });
  await live(client);
  isAway = true;
  host.drop();
  await vi.waitFor(() => expect([refused.length, client.getSnapshot().connection]).toEqual([3, "open"]));
  expect(refused.filter((path) => !path.endsWith("/inbox/ticket"))).toEqual([]);
  expect(host.connections()).toBe(1);
});

test("a client with WebSockets alone says that the server opens none, and one with more goes on without a word", async () => {
  const withoutSockets: typeof fetch = async (url, init) =>
    new URL(String(url)).pathname.endsWith("/inbox/ticket") ? Response.json({ ticket: null }) : fetch(url, init);
  const alone = clientOf("no-sockets", { transports: ["ws"], fetch: withoutSockets });
  alone.start();
  await vi.waitFor(() => expect(alone.getSnapshot()).toMatchObject({ connection: "offline", error: { code: "NO_SOCKETS" } }));
  const client = clientOf("no-sockets", { fetch: withoutSockets });
  const errors: unknown[] = [];
  client.subscribe(() => errors.push(client.getSnapshot().error));
  await live(client);
  expect(new Set(errors)).toEqual(new Set([null]));
});

test("what a gap did to items that were not loaded is counted", async () => {
  const [oldest = ""] = await create("gap", ["1", "2", "3"]);
  let reconnect: Promise<unknown> | null = null;
  const client = clientOf("gap", {
    transports: ["sse"],
    pageSize: 1,
    async fetch(input, init) {
      const url = new URL(String(input));
      if (reconnect !== null && url.pathname.endsWith("/stream")) {
        await reconnect;
        url.searchParams.set("since", "another:1:1");
      }
      return fetch(url, init);
    },
  });
  const view = await live(client, { read: false });
  await vi.waitFor(() => expect(view.getSnapshot().counts).toEqual({ total: 3, unread: 3, unseen: 3, more: false }));
  const read = Promise.withResolvers<void>();
  reconnect = read.promise;
  host.drop();
  await host.service.inbox("gap").markRead(oldest);
  read.resolve();
  await vi.waitFor(() => expect(view.getSnapshot().counts).toMatchObject({ unread: 2 }));
});

test("a list that knows of a change before it is told leaves no view miscounted", async () => {
  const [oldest = ""] = await create("ahead", ["1", "2", "3"]);
  let told: Promise<unknown> = Promise.resolve();
  const late = new TransformStream<Uint8Array, Uint8Array>({
    async transform(part, controller) {
      await told;
      controller.enqueue(part);
    },
  });
  const client = clientOf("ahead", {
    transports: ["sse"],
    pageSize: 1,
    async fetch(url, init) {
      const response = await fetch(url, init);
      return String(url).includes("/stream") ? new Response(response.body?.pipeThrough(late), response) : response;
    },
  });
  const unread = await live(client, { read: false });
  await vi.waitFor(() => expect(unread.getSnapshot().counts).toMatchObject({ unread: 3 }));
  const listed = Promise.withResolvers<void>();
  told = listed.promise;
  await host.service.inbox("ahead").markRead(oldest);
  const read = client.view({ read: true });
  read.subscribe(() => undefined);
  await vi.waitFor(() => expect(titles(read)).toEqual(["1"]));
  listed.resolve();
  await vi.waitFor(() => expect(unread.getSnapshot().counts).toMatchObject({ unread: 2 }));
});

test("counts of a moment between two changes of an item that are told later leave no view miscounted", async () => {
  const [, , newest = ""] = await create("between", ["1", "2", "3"]);
  let reconnect: Promise<unknown> = Promise.resolve();
  const client = clientOf("between", {
    transports: ["sse"],
    pageSize: 1,
    async fetch(url, init) {
      await (String(url).includes("/stream") ? reconnect : undefined);
      return fetch(url, init);
    },
  });
  const unread = await live(client, { read: false });
  await vi.waitFor(() => expect(unread.getSnapshot().counts).toMatchObject({ unread: 3 }));
  const counted = Promise.withResolvers<void>();
  reconnect = counted.promise;
  host.drop();
  await host.service.inbox("between").markRead(newest);
  // A list that is ahead of what was told has the client count.
  client.view({ types: ["talk"] }).subscribe(() => undefined);
  await vi.waitFor(() => expect(unread.getSnapshot().counts).toMatchObject({ unread: 2 }));
  await host.service.inbox("between").markUnread(newest);
  counted.resolve();
  await vi.waitFor(() => expect([client.getSnapshot().counts, unread.getSnapshot().counts]).toMatchObject([{ unread: 3 }, { unread: 3 }]));
});

test("a list and counts that the server did not give are asked for again", async () => {
  await create("uncounted", ["1", "2", "3"]);
  // The waits, which are random, are as short as they can be.
  const random = vi.spyOn(Math, "random").mockReturnValue(0);
  onTestFinished(() => random.mockRestore());
  let faults = 6;
  const client = clientOf("uncounted", {
    transports: ["sse"],
    pageSize: 1,
    async fetch(url, init) {
      const { pathname, search } = new URL(String(url));
      const isAsked = pathname.endsWith("/inbox") || (pathname.endsWith("/counts") && search.includes("filters"));
      return isAsked && faults-- > 0 ? new Response(null, { status: 503 }) : fetch(url, init);
    },
  });
  const view = client.view({ read: false });
  view.subscribe(() => undefined);
  client.start();
  await vi.waitFor(() => expect(view.getSnapshot().counts).toEqual({ total: 3, unread: 3, unseen: 3, more: false }), 60_000);
  expect(faults).toBeLessThan(0);
});

test("a change shows at once, and stays when the server has made it", async () => {
  const [a = "", b = ""] = await create("at-once", ["a", "b"]);
  const client = clientOf("at-once", { transports: ["sse"] });
  const view = await live(client);
  const unread = await live(client, { read: false });
  const read = client.markRead(a);
  expect([titles(unread), client.getSnapshot().counts, client.getSnapshot().pending]).toEqual([
    ["b"],
    { total: 2, unread: 1, unseen: 1 },
    1,
  ]);
  const archived = client.archive(b);
  expect([titles(view), titles(unread), client.getSnapshot().counts]).toEqual([["a"], [], { total: 1, unread: 0, unseen: 0 }]);
  expect([await read, await archived]).toEqual([
    { ok: true, value: 1 },
    { ok: true, value: 1 },
  ]);
  expect([titles(view), titles(unread), client.getSnapshot()]).toMatchObject([
    ["a"],
    [],
    { counts: { total: 1, unread: 0, unseen: 0 }, pending: 0 },
  ]);
});

test("a refused change takes back its own effect alone, and says why", async () => {
  const [a = "", b = ""] = await create("refused", ["a", "b"]);
  const client = clientOf("refused", { transports: ["sse"] });
  const failures: string[] = [];
  client.on("failed", ({ change, error }) => failures.push(`${change.change} ${error.code}`));
  const view = await live(client);
  const snoozed = client.snooze(a, new Date(Date.now() - 60_000));
  const read = client.markRead(b);
  expect(titles(view)).toEqual(["b"]);
  expect(await snoozed).toMatchObject({ ok: false, error: { code: "VALIDATION_ERROR", status: 422 } });
  expect(await read).toMatchObject({ ok: true });
  expect(titles(view)).toEqual(["b", "a"]);
  expect(client.getSnapshot().counts).toEqual({ total: 2, unread: 1, unseen: 1 });
  expect(failures).toEqual(["snoozed VALIDATION_ERROR"]);
});

test("a view loads older items page by page, and keeps its place while new ones come", async () => {
  await create("pages", ["1", "2", "3", "4", "5"]);
  const client = clientOf("pages", { transports: ["sse"], pageSize: 2 });
  const view = await live(client);
  expect([titles(view), view.getSnapshot().hasMore]).toEqual([["5", "4"], true]);
  await create("pages", ["6"]);
  await vi.waitFor(() => expect(titles(view)).toEqual(["6", "5", "4"]));
  await view.fetchMore();
  expect([titles(view), view.getSnapshot().hasMore]).toEqual([["6", "5", "4", "3", "2"], true]);
  await view.fetchMore();
  expect([titles(view).length, view.getSnapshot().hasMore]).toEqual([6, false]);
});

test("a token that is not valid any more is asked for once, and the request goes on", async () => {
  await create("renewed", ["a"]);
  const tokens = ["old", "renewed", "none"];
  const client = clientOf("", { transports: ["sse"], getToken: async () => tokens.shift() ?? "" });
  const view = await live(client);
  expect([titles(view), tokens]).toEqual([["a"], ["none"]]);
});
