import { defineTypes } from "@belfry/core";
import { native } from "@belfry/core/contracts";
import { createHandler } from "@belfry/core/http";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { type ClientOptions, createClient, type InboxClient } from "../src/index.ts";
import { type Host, startHost } from "./host.ts";

const types = defineTypes({
  note: { label: "Note", channels: ["inbox"] },
  greeting: { title: ({ locale }) => (locale === "de" ? "Hallo" : "Hello"), channels: ["inbox"] },
});

let host: Host;
const clients: InboxClient[] = [];

beforeAll(async () => {
  host = await startHost({
    options: () => ({ storage: sqliteStorage(":memory:"), types }),
  });
});

afterEach(() => {
  for (const client of clients.splice(0)) {
    client.stop();
  }
});

afterAll(() => host.stop());

function clientOf(user: string, options: Partial<ClientOptions> = {}): InboxClient {
  const client = createClient({ url: host.url, getToken: () => user, ...options });
  clients.push(client);
  return client;
}

const create = async (user: string, title: string, more: object = {}) =>
  (await host.service.create({ to: user, type: "note", title, ...more })).notification.id;

test("where neither sockets nor streams work, the client asks from time to time", async () => {
  await create("poll", "a");
  const refused: string[] = [];
  const fetching: typeof fetch = (input, init) => {
    const path = String(input);
    if (/ticket|stream/.test(path)) {
      refused.push(path.replace(/.*inbox/, "").replace(/\?.*/, ""));
      return Promise.resolve(new Response(null, { status: 404 }));
    }
    return fetch(input, init);
  };
  const client = clientOf("poll", { fetch: fetching });
  const view = client.view();
  view.subscribe(() => undefined);
  client.start();
  await vi.waitFor(() => expect([client.getSnapshot().connection, view.getSnapshot().status]).toEqual(["open", "ready"]));
  expect(refused).toEqual(["/ticket", "/stream"]);
  expect(client.getSnapshot()).toMatchObject({ counts: { total: 1, unread: 1 }, error: null });
});

test("a server that opens no sockets says so, and the client follows its stream without trying one", async () => {
  const auth = () => ({ kind: "user", tenant: "default", userId: "streams" }) as const;
  const handler = createHandler(host.service, { contracts: [native()], sockets: false, auth });
  const sockets = vi.spyOn(globalThis, "WebSocket");
  const asked: string[] = [];
  const client = clientOf("streams", {
    fetch(input, init) {
      const request = new Request(input, init);
      asked.push(new URL(request.url).pathname.replace(/.*inbox/, ""));
      return handler.fetch(request);
    },
  });
  const view = client.view();
  view.subscribe(() => undefined);
  client.start();
  await vi.waitFor(() => expect([client.getSnapshot().connection, view.getSnapshot().status]).toEqual(["open", "ready"]));
  await create("streams", "a");
  await vi.waitFor(() => expect(view.getSnapshot().items).toMatchObject([{ title: "a" }]));
  expect([sockets.mock.calls, asked.filter((path) => /ticket|stream/.test(path))]).toEqual([[], ["/ticket", "/stream"]]);
  sockets.mockRestore();
  handler.close();
});

test("a client begins with what another one knew, and follows from there without listing again", async () => {
  const id = await create("rendered", "a");
  const rendering = clientOf("rendered");
  await rendering.view().refresh();
  const initial = JSON.parse(JSON.stringify(rendering.snapshot()));
  await host.service.inbox("rendered").markRead(id);
  await create("rendered", "b");
  const client = clientOf("rendered", { initial, transports: ["sse"] });
  const view = client.view();
  view.subscribe(() => undefined);
  expect(view.getSnapshot()).toMatchObject({ status: "ready", items: [{ title: "a", readAt: null }], hasMore: false });
  const lists = () => host.requests.filter((request) => request.endsWith("/inbox")).length;
  const listed = lists();
  client.start();
  await vi.waitFor(() => expect(view.getSnapshot().items).toMatchObject([{ title: "b" }, { title: "a", readAt: expect.any(String) }]));
  expect([client.getSnapshot().counts, lists()]).toEqual([{ total: 2, unread: 1, unseen: 1 }, listed]);
});

test.each(["ws", "sse"] as const)("over %s, what comes in is in the client's language, without listing again", async (transport) => {
  const user = `language-${transport}`;
  const client = clientOf(user, { transports: [transport], locale: "de" });
  const view = client.view();
  view.subscribe(() => undefined);
  client.start();
  await vi.waitFor(() => expect([view.getSnapshot().status, client.getSnapshot().connection]).toEqual(["ready", "open"]));
  const lists = () => host.requests.filter((request) => request.endsWith("/inbox")).length;
  const listed = lists();
  const { notification } = await host.service.create({ to: user, type: "greeting" });
  await create(user, "As it was given");
  await host.service.inbox(user).markRead(notification.id);
  await vi.waitFor(() =>
    expect(view.getSnapshot().items).toMatchObject([{ title: "As it was given" }, { title: "Hallo", readAt: expect.any(String) }]),
  );
  expect(lists()).toBe(listed);
});

test("with `offline: fail`, a change that does not reach the server fails, and is taken back", async () => {
  const id = await create("fails", "a");
  const client = clientOf("fails", { offline: "fail" });
  await client.view().refresh();
  const lost = clientOf("fails", { offline: "fail", initial: client.snapshot(), fetch: () => Promise.reject(new TypeError("no network")) });
  const result = lost.archive(id);
  expect(lost.getSnapshot()).toMatchObject({ counts: { total: 0 }, pending: 1 });
  expect(await result).toMatchObject({ ok: false, error: { code: "UNREACHABLE", status: 0 } });
  expect(lost.getSnapshot()).toMatchObject({ counts: { total: 1 }, pending: 0 });
});

test("more than 1,000 changes do not wait", async () => {
  const client = clientOf("full", { fetch: () => new Promise(() => undefined) });
  for (let made = 0; made < 1_000; made += 1) {
    void client.markAllSeen();
  }
  expect(await client.markAllSeen()).toMatchObject({ ok: false, error: { code: "QUEUE_FULL" } });
});

test("what the top shows: pinned items, then unread ones that came back", async () => {
  const [a, b] = [await create("top", "a"), await create("top", "b")];
  await create("top", "c");
  const client = clientOf("top", { transports: ["sse"] });
  const view = client.view();
  view.subscribe(() => undefined);
  client.start();
  await vi.waitFor(() => expect([view.getSnapshot().status, client.getSnapshot().connection]).toEqual(["ready", "open"]));
  await client.pin(a);
  await client.snooze(b, new Date(Date.now() + 3_600_000));
  await client.wake(b);
  await vi.waitFor(() => expect(view.getSnapshot().top.map(({ title }) => title)).toEqual(["a", "b"]));
});

test("groups, preferences and topics are what the server has, or its error", async () => {
  await create("asks", "a", { group: "post:7" });
  const client = clientOf("asks");
  expect(await client.groups()).toMatchObject({ ok: true, value: { groups: [{ group: "post:7", total: 1, newest: { title: "a" } }] } });
  expect(await client.preferences.set({ type: "note", channel: "inbox" }, "off")).toMatchObject({
    ok: true,
    value: { choices: [{ name: "note", value: "off" }] },
  });
  expect(await client.preferences.takeBack({ type: "note", channel: "inbox" })).toMatchObject({ ok: true, value: { choices: [] } });
  expect(await client.preferences.setSettings({ timeZone: "Europe/Berlin" })).toMatchObject({
    ok: true,
    value: { settings: { timeZone: "Europe/Berlin" } },
  });
  expect(await client.preferences.explain({ type: "note" })).toMatchObject({ ok: true, value: [{ channel: "inbox" }] });
  expect(await client.topics.subscribe("open:news/today", { deep: true })).toEqual({ ok: true, value: undefined });
  expect(await client.topics.list()).toMatchObject({ ok: true, value: { subscriptions: [{ topic: "open:news/today", deep: true }] } });
  expect(await client.topics.unsubscribe("open:news/today")).toEqual({ ok: true, value: undefined });
  expect(await client.topics.subscribe("secret")).toMatchObject({ ok: false, error: { code: "FORBIDDEN", status: 403 } });
});

test("a view that nobody listened to for a while is right when somebody does again", async () => {
  for (const title of ["a", "b", "c", "d"]) {
    await create("idle", title);
  }
  const client = clientOf("idle", { transports: ["sse"], pageSize: 2 });
  const read = client.view({ read: true });
  const end = read.subscribe(() => undefined);
  client.start();
  await vi.waitFor(() => expect([read.getSnapshot().status, client.getSnapshot().connection]).toEqual(["ready", "open"]));
  end();
  await host.service.inbox("idle").markAllRead();
  await vi.waitFor(() => expect(client.getSnapshot().counts?.unread).toBe(0));
  expect(client.view({ read: true })).toBe(read);
  read.subscribe(() => undefined);
  await vi.waitFor(() =>
    expect(read.getSnapshot()).toMatchObject({
      items: [{ title: "d" }, { title: "c" }, { title: "b" }, { title: "a" }],
      counts: { total: 4 },
      hasMore: false,
    }),
  );
});
