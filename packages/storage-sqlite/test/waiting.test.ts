import { NotificationService } from "@belfry/core";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { type SqliteStorageOptions, sqliteStorage } from "../src/index.ts";
import { entry, temporaryPath, useCleanup } from "./setup.ts";

const ann = { tenant: "acme", userId: "ann" };

describe("a database that somebody else holds", () => {
  const cleanup = useCleanup();

  async function byPath(options: SqliteStorageOptions = {}) {
    const path = temporaryPath(cleanup);
    const storage = sqliteStorage(path, options);
    await storage.open();
    const host = new Database(path);
    cleanup(async () => {
      await storage.close();
      host.close();
    });
    return { storage, host };
  }

  async function shared(options: SqliteStorageOptions = {}) {
    const host = new Database(temporaryPath(cleanup));
    const storage = sqliteStorage(host, options);
    await storage.open();
    host.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY)");
    cleanup(() => host.close());
    return { storage, host };
  }

  test("a write waits for another connection's transaction while the event loop goes on", async () => {
    const { storage, host } = await byPath();
    host.exec("BEGIN IMMEDIATE");
    const created = storage.inbox.createMany([entry("ann")]);
    let turns = 0;
    while (turns < 20) {
      await new Promise((resolve) => setImmediate(resolve));
      turns += 1;
    }
    expect(await storage.inbox.counts(ann)).toMatchObject({ total: 0 });
    host.exec("COMMIT");
    expect(await created).toMatchObject([[{ userId: "ann", seq: 1 }]]);
  });

  test("reads do not wait for a writer", async () => {
    const { storage, host } = await byPath({ busyTimeoutMs: 0 });
    await storage.inbox.createMany([entry("ann")]);
    host.exec("BEGIN IMMEDIATE");
    expect(await storage.inbox.list(ann, { status: "all", limit: 5 })).toMatchObject({ matching: 1 });
    host.exec("ROLLBACK");
  });

  test("a write that waited too long fails with the driver's error as cause, and nothing is written", async () => {
    const { storage, host } = await byPath({ busyTimeoutMs: 20 });
    host.exec("BEGIN IMMEDIATE");
    const failed = storage.inbox.createMany([entry("ann")]);
    await expect(failed).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE", retryable: true, cause: { code: "SQLITE_BUSY" } });
    host.exec("COMMIT");
    expect(await storage.inbox.counts(ann)).toMatchObject({ total: 0 });
    expect(await storage.inbox.createMany([entry("ann")])).toMatchObject([[{ seq: 1 }]]);
  });

  test("operations on a shared connection wait for the host's transaction and do not join it", async () => {
    const { storage, host } = await shared();
    host.exec("BEGIN; INSERT INTO orders VALUES (1)");
    const created = storage.inbox.createMany([entry("ann")]);
    const counts = storage.inbox.counts(ann);
    await new Promise((resolve) => setImmediate(resolve));
    expect(host.inTransaction).toBe(true);
    host.exec("ROLLBACK");
    expect(await created).toMatchObject([[{ userId: "ann", seq: 1 }]]);
    await counts;
    expect(await storage.inbox.counts(ann)).toMatchObject({ total: 1 });
    expect(host.prepare("SELECT id FROM orders").all()).toEqual([]);
  });

  test("called from inside a synchronous transaction of the host, they run after it", async () => {
    const { storage, host } = await shared();
    let created: unknown;
    const transaction = host.transaction(() => {
      created = storage.inbox.createMany([entry("ann")]);
      throw new Error("The host changed its mind.");
    });
    expect(transaction).toThrow("changed its mind");
    expect(await created).toMatchObject([[{ seq: 1 }]]);
    expect(await storage.inbox.counts(ann)).toMatchObject({ total: 1 });
  });

  test("creates that come one after another, which are written at once, join no transaction of the host either", async () => {
    const { storage, host } = await shared();
    const service = new NotificationService({ storage, delivery: { worker: false } });
    cleanup(() => service.stop());
    const create = (message: string) => service.create({ to: "ann", message });
    for (let count = 0; count < 40; count += 1) {
      await create(`Order ${count}`);
      if (count % 3 === 0) {
        host.exec("BEGIN; INSERT INTO orders VALUES (1)");
        const created = create(`Beside ${count}`);
        await Promise.resolve();
        await Promise.resolve();
        expect(host.inTransaction).toBe(true);
        host.exec("ROLLBACK");
        await created;
      }
    }
    expect(host.prepare("SELECT count(*) FROM belfry_inbox_items").pluck().get()).toBe(54);
    expect(host.prepare("SELECT total FROM belfry_inbox_counters").pluck().get()).toBe(54);
    expect(host.prepare("SELECT id FROM orders").all()).toEqual([]);
  });

  test("a transaction of the host that stays open makes them fail with an explanation", async () => {
    const { storage, host } = await shared({ busyTimeoutMs: 20 });
    host.exec("BEGIN");
    await expect(storage.inbox.counts(ann)).rejects.toMatchObject({
      code: "STORAGE_UNAVAILABLE",
      message: expect.stringMatching(/transaction of the host open for 20 ms.*path/),
    });
    host.exec("COMMIT");
    expect(await storage.inbox.counts(ann)).toMatchObject({ total: 0 });
  });

  test("a host that iterates over rows on a shared connection is waited for", async () => {
    const { storage, host } = await shared();
    host.exec("INSERT INTO orders VALUES (1), (2)");
    const rows = host.prepare("SELECT id FROM orders").iterate();
    rows.next();
    const created = storage.inbox.createMany([entry("ann")]);
    await new Promise((resolve) => setImmediate(resolve));
    rows.return?.();
    expect(await created).toMatchObject([[{ seq: 1 }]]);
  });

  test("a database without WAL, whose reader holds up a commit, is waited for", async () => {
    const { storage, host } = await shared();
    host.pragma("busy_timeout = 0");
    const reader = new Database(host.name);
    cleanup(() => reader.close());
    const rows = reader.prepare("SELECT * FROM belfry_migrations").iterate();
    rows.next();
    const created = storage.inbox.createMany([entry("ann")]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(host.inTransaction).toBe(false);
    rows.return?.();
    expect(await created).toMatchObject([[{ seq: 1 }]]);
  });

  test("a full disk is reported as such, and nothing is written", async () => {
    const { storage, host } = await shared();
    host.pragma(`max_page_count = ${Number(host.pragma("page_count", { simple: true }))}`);
    const large = entry("ann", { message: "m".repeat(100_000) });
    await expect(async () => storage.inbox.createMany([entry("bob"), large])).rejects.toMatchObject({
      code: "STORAGE_UNAVAILABLE",
      cause: { code: "SQLITE_FULL" },
    });
    host.pragma("max_page_count = 100000");
    expect(await storage.inbox.counts({ ...ann, userId: "bob" })).toMatchObject({ total: 0 });
    expect(await storage.inbox.createMany([large])).toMatchObject([[{ seq: 1 }]]);
  });
});
