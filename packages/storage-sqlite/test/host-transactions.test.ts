import { linkSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CreatedItem, NotificationService } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { describe, expect, expectTypeOf, test, vi } from "vitest";
import { migrate, type SqliteTransaction, sqliteStorage } from "../src/index.ts";
import { entry, temporaryPath, useCleanup } from "./setup.ts";

const ann = { tenant: "acme", userId: "ann" };

describe("transactions of the host", () => {
  const cleanup = useCleanup();

  async function opened() {
    const path = temporaryPath(cleanup);
    const storage = sqliteStorage(path);
    await storage.open();
    const host = connect(path);
    cleanup(() => storage.close());
    host.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY)");
    return { path, storage, host };
  }

  function connect(path: string): Database.Database {
    const database = new Database(path);
    cleanup(() => database.close());
    return database;
  }

  function listener() {
    return vi.fn<(items: readonly CreatedItem[]) => void>();
  }

  test("a notification is written with the host's row, or not at all", async () => {
    const { storage, host } = await opened();
    const order = (id: number, fails: boolean) =>
      host.transaction(() => {
        host.prepare("INSERT INTO orders VALUES (?)").run(id);
        storage.inbox.createWithin(host, entry("ann"), () => undefined);
        if (fails) {
          throw new Error("out of stock");
        }
      });
    order(1, false)();
    expect(order(2, true)).toThrow("out of stock");
    expect(host.prepare("SELECT id FROM orders").pluck().all()).toEqual([1]);
    expect(await storage.inbox.counts(ann)).toMatchObject({ total: 1, lastSeq: 1 });
  });

  test("of drizzle, on a connection of its own", async () => {
    const { storage, host } = await opened();
    const told = listener();
    drizzle(host).transaction((tx) => storage.inbox.createWithin(tx, entry("ann"), told));
    await vi.waitFor(() => expect(told).toHaveBeenCalledOnce());
    expect(await storage.inbox.counts(ann)).toMatchObject({ total: 1 });
  });

  test("a transaction begun by hand is reported once it commits, however long that takes", async () => {
    const { storage, host } = await opened();
    const told = listener();
    host.exec("BEGIN IMMEDIATE");
    storage.inbox.createWithin(host, entry(["ann", "bob"]), told);
    for (let turn = 0; turn < 20; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(told).not.toHaveBeenCalled();
    host.exec("COMMIT");
    await vi.waitFor(() => expect(told).toHaveBeenCalledOnce());
    expect(told.mock.calls[0]?.[0]).toMatchObject([
      { userId: "ann", seq: 1 },
      { userId: "bob", seq: 1 },
    ]);
  });

  test("on a shared connection, a commit is reported even if another transaction follows at once", async () => {
    const host = connect(temporaryPath(cleanup));
    const storage = sqliteStorage(host);
    await storage.open();
    const [first, second] = [listener(), listener()];
    host.transaction(() => storage.inbox.createWithin(host, entry("ann"), first))();
    host.exec("BEGIN");
    storage.inbox.createWithin(host, entry("bob"), second);
    await new Promise((resolve) => setImmediate(resolve));
    expect(second).not.toHaveBeenCalled();
    host.exec("ROLLBACK");
    await vi.waitFor(() => expect(first).toHaveBeenCalledOnce());
    await storage.close();
    expect(second).not.toHaveBeenCalled();
  });

  test("a notification rolled back and written again in the same turn is announced once", async () => {
    const { storage, host } = await opened();
    const [first, second] = [listener(), listener()];
    const again = entry("ann");
    const rolledBack = host.transaction(() => {
      storage.inbox.createWithin(host, again, first);
      throw new Error("not yet");
    });
    expect(rolledBack).toThrow("not yet");
    host.transaction(() => storage.inbox.createWithin(host, again, second))();
    await vi.waitFor(() => expect(second).toHaveBeenCalledOnce());
    expect(first).not.toHaveBeenCalled();
  });

  test("a listener that throws does not keep the next from hearing", async () => {
    const { storage, host } = await opened();
    const told = listener();
    const thrown = vi.fn();
    process.once("uncaughtException", thrown);
    const listeners = process.listeners("uncaughtException").filter((other) => other !== thrown);
    for (const other of listeners) {
      process.off("uncaughtException", other);
    }
    cleanup(() => {
      for (const other of listeners) {
        process.on("uncaughtException", other);
      }
    });
    host.transaction(() => {
      storage.inbox.createWithin(host, entry("ann"), () => {
        throw new Error("a bug of the listener");
      });
      storage.inbox.createWithin(host, entry("ann"), told);
    })();
    await vi.waitFor(() => expect(told).toHaveBeenCalledOnce());
    expect(thrown).toHaveBeenCalledOnce();
  });

  test("closing reports committed transactions, and stops watching the others", async () => {
    const { storage, host } = await opened();
    const [committed, open] = [listener(), listener()];
    const other = connect(host.name);
    host.transaction(() => storage.inbox.createWithin(host, entry("ann"), committed))();
    other.exec("BEGIN IMMEDIATE");
    storage.inbox.createWithin(other, entry("ann"), open);
    await storage.close();
    other.exec("COMMIT");
    expect(committed).toHaveBeenCalledOnce();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(open).not.toHaveBeenCalled();
  });

  test("an entry that fails leaves nothing of itself, and the rest of the transaction commits", async () => {
    const { storage, host } = await opened();
    const broken = entry(["ann", "ann"]);
    host.transaction(() => {
      host.prepare("INSERT INTO orders VALUES (1)").run();
      storage.inbox.createWithin(host, entry("bob"), () => undefined);
      expect(() => storage.inbox.createWithin(host, broken, () => undefined)).toThrow(expect.objectContaining({ code: "STORAGE_FAILED" }));
      host.prepare("INSERT INTO orders VALUES (2)").run();
    })();
    expect(host.prepare("SELECT id FROM orders").pluck().all()).toEqual([1, 2]);
    expect(await storage.inbox.counts(ann)).toMatchObject({ total: 0, lastSeq: 0 });
    expect(await storage.inbox.counts({ ...ann, userId: "bob" })).toMatchObject({ total: 1 });
    expect(await storage.inbox.absence(ann, broken.notification.id)).toBe("unknown");
  });

  test("an async callback, which escapes its transaction, writes nothing", async () => {
    const { storage, host } = await opened();
    let escaped: unknown;
    const transaction = host.transaction(async () => {
      storage.inbox.createWithin(host, entry("ann"), () => undefined);
      await new Promise((resolve) => setImmediate(resolve));
      try {
        storage.inbox.createWithin(host, entry("ann"), () => undefined);
      } catch (error) {
        escaped = error;
      }
    });
    expect(transaction).toThrow(/promise/);
    await vi.waitFor(() => expect(escaped).toMatchObject({ code: "WRONG_TRANSACTION" }));
    expect(await storage.inbox.counts(ann)).toMatchObject({ total: 0 });
  });

  test("create takes no transaction, even where the type of the storage is not known, and says what to call", async () => {
    const { storage, host } = await opened();
    const unknown: Storage = storage;
    const notifications = new NotificationService({ storage: unknown });
    const calls: Promise<unknown>[] = [];
    host.transaction(() => {
      calls.push(notifications.create({ to: "ann" }, { tx: host }).catch((error: unknown) => error));
    })();
    expect(await Promise.all(calls)).toMatchObject([{ code: "WRONG_TRANSACTION", message: expect.stringContaining("Await prepare()") }]);
    expect(await notifications.inbox("ann").counts()).toMatchObject({ total: 0 });
  });

  test("the handle of a drizzle transaction that is over is refused while the next one is open", async () => {
    const { storage, host } = await opened();
    const database = drizzle(host);
    let kept: SqliteTransaction | undefined;
    database.transaction((tx) => {
      kept = tx;
      storage.inbox.createWithin(tx, entry("ann"), () => undefined);
    });
    await new Promise((resolve) => setImmediate(resolve));
    database.transaction(() => {
      expect(() => storage.inbox.createWithin(kept as SqliteTransaction, entry("ann"), () => undefined)).toThrow(
        expect.objectContaining({ code: "WRONG_TRANSACTION" }),
      );
    });
    expect(await storage.inbox.counts(ann)).toMatchObject({ total: 1 });
  });

  test.each([
    ["a symbolic link", symlinkSync],
    ["a hard link", linkSync],
  ])("a connection through %s to the storage's file is accepted", async (name, link) => {
    const { path, storage, host } = await opened();
    host.close();
    await storage.close();
    const other = join(dirname(path), `${name}.db`);
    link(path, other);
    await storage.open();
    const linked = connect(name === "a hard link" ? path : other);
    linked.transaction(() => storage.inbox.createWithin(linked, entry("ann"), () => undefined))();
    expect(await storage.inbox.counts(ann)).toMatchObject({ total: 1 });
  });

  test("another database is refused by name, in memory and in a file, before anything is written", async () => {
    const { storage } = await opened();
    for (const path of [":memory:", temporaryPath(cleanup)]) {
      const other = connect(path);
      await migrate(other);
      other.exec("BEGIN");
      const write = () => storage.inbox.createWithin(other, entry("ann"), () => undefined);
      expect(write).toThrow(expect.objectContaining({ code: "WRONG_TRANSACTION", message: expect.stringContaining(path) }));
      expect(other.prepare("SELECT count(*) FROM belfry_notifications").pluck().get()).toBe(0);
    }
  });

  test("of two databases in memory only the storage's own is accepted", async () => {
    const [own, other] = [connect(":memory:"), connect(":memory:")];
    const storage = sqliteStorage(own);
    await storage.open();
    await migrate(other);
    for (const database of [own, other]) {
      database.exec("BEGIN");
    }
    const write = (database: Database.Database) => storage.inbox.createWithin(database, entry("ann"), () => undefined);
    expect(() => write(other)).toThrow(expect.objectContaining({ code: "WRONG_TRANSACTION" }));
    expect(() => write(own)).not.toThrow();
  });

  test("a connection that was closed is refused", async () => {
    const { storage, path } = await opened();
    const closed = new Database(path);
    closed.close();
    const write = () => storage.inbox.createWithin(closed, entry("ann"), () => undefined);
    expect(write).toThrow(expect.objectContaining({ code: "WRONG_TRANSACTION" }));
  });

  test("a storage that is not open says so", () => {
    const storage = sqliteStorage(temporaryPath(cleanup));
    const host = connect(":memory:");
    host.exec("BEGIN");
    const write = () => storage.inbox.createWithin(host, entry("ann"), () => undefined);
    expect(write).toThrow(expect.objectContaining({ code: "STORAGE_UNAVAILABLE" }));
  });

  test("the type of the handle is a better-sqlite3 database or a drizzle transaction over one", () => {
    type DrizzleTx = Parameters<Parameters<ReturnType<typeof drizzle>["transaction"]>[0]>[0];
    expectTypeOf<Database.Database>().toExtend<SqliteTransaction>();
    expectTypeOf<DrizzleTx>().toExtend<SqliteTransaction>();
    expectTypeOf<{ query(text: string): Promise<unknown> }>().not.toExtend<SqliteTransaction>();
    expectTypeOf<ReturnType<ReturnType<typeof sqliteStorage>["inbox"]["createWithin"]>>().toEqualTypeOf<void>();
  });
});
