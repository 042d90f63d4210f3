import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotificationService } from "@belfry/core";
import { freshDatabase } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { afterEach, expect, test, vi } from "vitest";
import { BreakableChannel } from "./breakable-channel.ts";
import { type EventReader, readEvents } from "./event-source.ts";
import { type RunningHost, startHost } from "./host.ts";

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) {
    await end();
  }
});

async function serve(service: NotificationService, port?: number): Promise<RunningHost> {
  const host = await startHost(service, { framework: "hono", prefix: "", ...(port === undefined ? {} : { port }) });
  ends.push(() => host.close());
  return host;
}

function serviceInMemory(): NotificationService {
  const service = new NotificationService({ storage: sqliteStorage(":memory:"), channels: [new BreakableChannel()] });
  ends.push(() => service.stop());
  return service;
}

async function follow(host: RunningHost, lastId?: string): Promise<EventReader> {
  const reader = await readEvents(`${host.url}/api/live`, lastId);
  ends.push(() => reader.close());
  await vi.waitFor(() => expect(names(reader)).toContain("hello"), { timeout: 50_000 });
  return reader;
}

const names = (reader: EventReader) => reader.events.map(({ name }) => name);

/** The ids of the created notifications in a reader's stream. */
function created(reader: EventReader): string[] {
  return reader.events
    .map(({ name, data }) => ({ name, ...(data as { change?: string; notification?: { id: string } }) }))
    .filter(({ name, change }) => name === "notification" && change === "created")
    .map(({ notification }) => notification?.id ?? "");
}

test("every reader gets created, read and delivered notifications", async () => {
  const service = serviceInMemory();
  const host = await serve(service);
  const readers = [await follow(host), await follow(host)];
  const { notification } = await service.create({ to: "bob", message: "Hello" });
  const { notification: send } = await service.create({ channels: ["sms"], to: "+4911", message: "1234" });
  await service.runDue();
  await service.inbox("bob").markRead(notification.id);
  for (const reader of readers) {
    await vi.waitFor(() => expect(created(reader)).toEqual([notification.id, send.id]), { timeout: 50_000 });
    await vi.waitFor(() => expect(reader.events).toContainEqual(expect.objectContaining({ name: "inbox", data: { userIds: ["bob"] } })), {
      timeout: 50_000,
    });
    await vi.waitFor(
      () =>
        expect(reader.events).toContainEqual(
          expect.objectContaining({
            data: expect.objectContaining({ notification: expect.objectContaining({ id: send.id, status: "failed" }) }),
          }),
        ),
      { timeout: 50_000 },
    );
  }
});

test("readers also get notifications that another process writes and reads", async () => {
  const database = await freshDatabase();
  ends.push(() => database.drop());
  const [here, elsewhere] = [0, 1].map(() => new NotificationService({ storage: postgresStorage(database.url) })) as [
    NotificationService,
    NotificationService,
  ];
  ends.push(
    () => here.stop(),
    () => elsewhere.stop(),
  );
  const reader = await follow(await serve(here));
  const { notification } = await elsewhere.create({ to: "bob", message: "from elsewhere" });
  await vi.waitFor(() => expect(created(reader)).toEqual([notification.id]), { timeout: 50_000 });
  const told = () => reader.events.filter(({ name }) => name === "inbox").length;
  const before = told();
  await elsewhere.inbox("bob").markAllRead();
  await vi.waitFor(() => expect(told()).toBeGreaterThan(before), { timeout: 50_000 });
});

test("a reader that comes back gets what it missed, even from a restarted server", async () => {
  const directory = await mkdtemp(join(tmpdir(), "belfry-dashboard-"));
  ends.push(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "app.db");
  const before = new NotificationService({ storage: sqliteStorage(file) });
  const first = await serve(before);
  const reader = await follow(first);
  const seen = await before.create({ to: "bob", message: "seen" });
  await vi.waitFor(() => expect(created(reader)).toEqual([seen.notification.id]), { timeout: 50_000 });
  const lastId = reader.events.at(-1)?.id;
  await first.close();
  await vi.waitFor(() => expect(reader.isEnded()).toBe(true), { timeout: 50_000 });
  const missed = [await before.create({ to: "bob", message: "missed" }), await before.create({ to: "eve", message: "missed too" })];
  await before.stop();

  const after = new NotificationService({ storage: sqliteStorage(file) });
  ends.push(() => after.stop());
  const again = await follow(await serve(after, first.port), lastId);
  expect(created(again)).toEqual([seen, ...missed].map(({ notification }) => notification.id));
  expect(names(again).at(-1)).toBe("hello");
});

function createMany(service: NotificationService, count: number): Promise<unknown> {
  return Promise.all(Array.from({ length: count }, (_, index) => service.create({ to: "bob", message: `number ${index}` })));
}

test("a reader that missed too much gets a reset", async () => {
  const service = serviceInMemory();
  const host = await serve(service);
  await createMany(service, 1_100);
  const reader = await follow(host, "0");
  expect(reader.events[0]).toMatchObject({ name: "reset", data: { reason: "too_much" } });
});

test("readers get each notification of a burst once", async () => {
  const service = serviceInMemory();
  const reader = await follow(await serve(service));
  await createMany(service, 600);
  await vi.waitFor(() => expect(created(reader)).toHaveLength(600), { timeout: 50_000 });
  expect(new Set(created(reader)).size).toBe(600);
  expect(names(reader)).not.toContain("reset");
});

test("readers get a reset for a burst that is too large", async () => {
  const service = serviceInMemory();
  const reader = await follow(await serve(service));
  await createMany(service, 1_500);
  await vi.waitFor(() => expect(names(reader)).toContain("reset"), { timeout: 50_000 });
});

/** The users named in a reader's stream. */
function toldUsers(reader: EventReader): ReadonlySet<string> {
  return new Set(
    reader.events.flatMap(({ name, data }) => (name === "inbox" ? (data as { readonly userIds: readonly string[] }).userIds : [])),
  );
}

test("a notification to more users than a look compares names every user", async () => {
  const service = serviceInMemory();
  const reader = await follow(await serve(service));
  const users = Array.from({ length: 150 }, (_, index) => `user ${index}`);
  await service.create({ to: users, message: "to all" });
  await vi.waitFor(() => expect(toldUsers(reader)).toEqual(new Set(users)), { timeout: 50_000 });
  expect(names(reader)).not.toContain("reset");
});

test("a notification to more users than a look names sends a reset", async () => {
  const service = serviceInMemory();
  const reader = await follow(await serve(service));
  await service.create({ to: Array.from({ length: 1_000 }, (_, index) => `user ${index}`), message: "to all" });
  await service.create({ to: Array.from({ length: 500 }, (_, index) => `other ${index}`), message: "to others" });
  await vi.waitFor(() => expect(reader.events).toContainEqual(expect.objectContaining({ name: "reset", data: { reason: "too_much" } })), {
    timeout: 50_000,
  });
});

test("more changes to old notifications than a look reads send a reset", async () => {
  const service = serviceInMemory();
  const sends = await Promise.all(
    Array.from({ length: 90 }, (_, index) => service.create({ channels: ["sms"], to: `+${index}`, message: "x" })),
  );
  await service.runDue();
  await createMany(service, 110);
  const reader = await follow(await serve(service));
  await Promise.all(sends.map(({ notification }) => service.retry(notification.id)));
  await vi.waitFor(() => expect(reader.events).toContainEqual(expect.objectContaining({ name: "reset", data: { reason: "too_much" } })), {
    timeout: 50_000,
  });
});

test.each(["ffffffff-ffff-7fff-bfff-ffffffffffff", "00000000-0000-0000-0000-000000000000", "x".repeat(5_000)])(
  "a reader that comes back with the impossible id %j gets everything",
  async (lastId) => {
    const lines: string[] = [];
    const log = (_: object, message: string) => void lines.push(message);
    const service = serviceInMemory();
    const { notification } = await service.create({ to: "bob", message: "before" });
    const host = await startHost(service, { framework: "hono", prefix: "", logger: { debug: log, info: log, warn: () => {}, error: log } });
    ends.push(() => host.close());
    const reader = await follow(host, lastId);
    expect(created(reader)).toEqual([notification.id]);
    expect(lines).toEqual([]);
  },
);

test("a stream sends a ping that scripts see, before they take it for dead", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  ends.push(() => vi.useRealTimers());
  const host = await serve(serviceInMemory());
  const reader = await readEvents(`${host.url}/api/live`);
  ends.push(() => reader.close());
  await vi.waitFor(() => expect(names(reader)).toContain("hello"));
  await vi.advanceTimersByTimeAsync(30_000);
  await vi.waitFor(() => expect(names(reader).filter((name) => name === "ping")).toHaveLength(2));
  expect(reader.events.find(({ name }) => name === "ping")?.id).toBe("");
});

test("a deletion sends a reset, and does not repeat the other notifications", async () => {
  const service = serviceInMemory();
  await createMany(service, 150);
  const { notification: send } = await service.create({ channels: ["sms"], to: "+4911", message: "1234" });
  await service.runDue();
  const reader = await follow(await serve(service));
  await service.delete(send.id);
  await vi.waitFor(() => expect(reader.events).toContainEqual(expect.objectContaining({ name: "reset", data: { reason: "removed" } })), {
    timeout: 50_000,
  });
  expect(created(reader)).toEqual([]);
});

test("closing the dashboard ends its streams and its background work", async () => {
  const service = serviceInMemory();
  const host = await startHost(service, { framework: "express", prefix: "/admin" });
  const reader = await follow(host);
  await host.close();
  await vi.waitFor(() => expect(reader.isEnded()).toBe(true), { timeout: 50_000 });
});

test("a stream goes on once a database that was out of reach is back", async () => {
  const storage = sqliteStorage(":memory:");
  const service = new NotificationService({ storage });
  ends.push(() => service.stop());
  const warnings: string[] = [];
  const ignore = () => {};
  const logger = { debug: ignore, info: ignore, error: ignore, warn: (_: object, message: string) => void warnings.push(message) };
  const host = await startHost(service, { framework: "express", prefix: "", logger });
  ends.push(() => host.close());
  const reader = await follow(host);
  const search = vi.spyOn(storage.activity, "search").mockRejectedValue(new Error("connection lost"));
  const { notification } = await service.create({ to: "bob", message: "meanwhile" });
  await vi.waitFor(() => expect(warnings).toHaveLength(1), { timeout: 50_000 });
  search.mockRestore();
  await vi.waitFor(() => expect(created(reader)).toEqual([notification.id]), { timeout: 50_000 });
  expect(warnings).toHaveLength(1);
});

test("a stream ends once its reader may no longer read", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  ends.push(() => vi.useRealTimers());
  const service = serviceInMemory();
  let isAllowed = true;
  const host = await startHost(service, {
    framework: "express",
    prefix: "",
    authorize: () => (isAllowed ? { read: true, act: false } : null),
  });
  ends.push(() => host.close());
  const reader = await readEvents(`${host.url}/api/live`);
  await vi.waitFor(() => expect(names(reader)).toContain("hello"));
  await vi.advanceTimersByTimeAsync(25_000);
  expect(reader.isEnded()).toBe(false);
  isAllowed = false;
  await vi.advanceTimersByTimeAsync(25_000);
  await vi.waitFor(() => expect(reader.isEnded()).toBe(true));
});
