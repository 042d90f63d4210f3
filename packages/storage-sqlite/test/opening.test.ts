import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { describe, expect, test } from "vitest";
import { requireNodeApi } from "../src/database/open-database.ts";
import { sqliteStorage } from "../src/index.ts";
import { entry, temporaryPath, useCleanup } from "./setup.ts";

const FULL = 2;
const NORMAL = 1;
const EXTRA = 3;

/** Hands out the connections that a storage opens by itself, to look at their pragmas. */
function pragmaOf(database: Database.Database, name: string): unknown {
  return database.pragma(name, { simple: true });
}

describe("opening by path", () => {
  const cleanup = useCleanup();

  test("nothing is opened before open()", async () => {
    const path = temporaryPath(cleanup);
    const storage = sqliteStorage(path);
    // An operation that answers at once may also throw at once.
    await expect((async () => storage.inbox.counts({ tenant: "acme", userId: "ann" }))()).rejects.toMatchObject({
      code: "STORAGE_UNAVAILABLE",
      message: expect.stringMatching(/not open.*open\(\)/),
    });
    expect(existsSync(path)).toBe(false);
  });

  test("the directory of the path is made", async () => {
    const path = join(dirname(temporaryPath(cleanup)), "some", "where", "belfry.db");
    const storage = sqliteStorage(path);
    cleanup(() => storage.close());
    await storage.open();
    expect(existsSync(path)).toBe(true);
  });

  test("a path that cannot be a database is an error that names the cause, and open() can be repeated", async () => {
    const storage = sqliteStorage(dirname(temporaryPath(cleanup)));
    for (const _ of [1, 2]) {
      await expect(storage.open()).rejects.toMatchObject({ code: "STORAGE_FAILED", cause: { code: "SQLITE_CANTOPEN" } });
    }
    await storage.close();
  });

  test("a file that is no database is an error that says so, and what to do", async () => {
    const path = temporaryPath(cleanup);
    writeFileSync(path, "no database, but a long text that stands where its header would be".repeat(50));
    const storage = sqliteStorage(path);
    await expect(storage.open()).rejects.toMatchObject({
      code: "STORAGE_FAILED",
      message: `Cannot open the database ${JSON.stringify(path)}: file is not a database. Give the path of a SQLite file, or of a new one in a directory that this process can write to.`,
    });
  });

  test("a write over a connection that only reads is an error that says what to do", async () => {
    const path = temporaryPath(cleanup);
    const made = sqliteStorage(path);
    await made.open();
    await made.close();
    const database = new Database(path, { readonly: true });
    cleanup(() => database.close());
    const storage = sqliteStorage(database);
    await storage.open();
    await expect((async () => storage.inbox.createMany([entry("ann")]))()).rejects.toMatchObject({
      code: "STORAGE_FAILED",
      message: expect.stringMatching(/SQLITE_READONLY.*Let this process write to the database's file and its directory/),
    });
    await storage.close();
  });

  test(":memory: keeps everything until it is closed", async () => {
    const storage = sqliteStorage(":memory:");
    await storage.open();
    await storage.inbox.createMany([entry("ann")]);
    expect(await storage.inbox.counts({ tenant: "acme", userId: "ann" })).toMatchObject({ total: 1 });
    await storage.close();
    await storage.open();
    expect(await storage.inbox.counts({ tenant: "acme", userId: "ann" })).toMatchObject({ total: 0 });
    await storage.close();
  });

  test("a Node without Node-API 10 is refused with a remedy", () => {
    expect(() => requireNodeApi("9")).toThrow(/Node-API 10.*has 9.*22\.14/s);
    expect(() => requireNodeApi(undefined)).toThrow(/has none/);
    expect(() => requireNodeApi("10")).not.toThrow();
    expect(() => requireNodeApi(process.versions.napi)).not.toThrow();
  });

  test.each([null, undefined, 7, {}, "".length])("%s is no database", (source) => {
    expect(() => sqliteStorage(source as unknown as string)).toThrow(expect.objectContaining({ code: "CONFIGURATION" }));
  });
});

describe("durability", () => {
  const cleanup = useCleanup();

  /** Opens a storage by path and returns its own connection. */
  async function ownConnection(options: Parameters<typeof sqliteStorage>[1]): Promise<Database.Database> {
    const opened: Database.Database[] = [];
    const path = temporaryPath(cleanup);
    const storage = sqliteStorage(path, options);
    const { prepare } = Database.prototype;
    // The storage hands its connection to nobody, so it is caught where it prepares its first statement.
    Database.prototype.prepare = function (this: Database.Database, sql: string) {
      opened.push(this);
      return prepare.call(this, sql) as Database.Statement;
    } as typeof prepare;
    try {
      await storage.open();
    } finally {
      Database.prototype.prepare = prepare;
    }
    cleanup(() => storage.close());
    const [connection] = opened;
    if (connection === undefined) {
      throw new Error("The storage opened no connection.");
    }
    return connection;
  }

  test("by default every commit is synced", async () => {
    const connection = await ownConnection({});
    expect([pragmaOf(connection, "journal_mode"), pragmaOf(connection, "synchronous")]).toEqual(["wal", FULL]);
  });

  test("the steps of sweeps and erasures, which do not wait for the disk, leave the settings as they were", async () => {
    const database = new Database(temporaryPath(cleanup));
    cleanup(() => database.close());
    const settings = () => ["synchronous", "wal_autocheckpoint"].map((name) => pragmaOf(database, name));
    const storage = sqliteStorage(database);
    await storage.open();
    database.pragma("journal_mode = WAL");
    database.pragma("wal_autocheckpoint = 777");
    await storage.inbox.createMany([entry("ann")]);
    await storage.inbox.erase({ tenant: "acme", userId: "ann" }, 10);
    expect(settings()).toEqual([FULL, 777]);
    database.exec("CREATE TRIGGER failing BEFORE DELETE ON belfry_inbox_items BEGIN SELECT RAISE(ABORT, 'no'); END");
    await storage.inbox.createMany([entry("ann")]);
    await expect(storage.inbox.erase({ tenant: "acme", userId: "ann" }, 10)).rejects.toThrow();
    expect(settings()).toEqual([FULL, 777]);
  });

  test("normal syncs at checkpoints only", async () => {
    const connection = await ownConnection({ durability: "normal" });
    expect([pragmaOf(connection, "journal_mode"), pragmaOf(connection, "synchronous")]).toEqual(["wal", NORMAL]);
  });

  test.each([
    { durability: "full", before: NORMAL, after: FULL },
    { durability: "full", before: EXTRA, after: EXTRA },
    { durability: "normal", before: NORMAL, after: NORMAL },
    { durability: "normal", before: EXTRA, after: EXTRA },
  ] as const)("$durability on a host's connection at $before leaves it at $after", async ({ durability, before, after }) => {
    const database = new Database(temporaryPath(cleanup));
    cleanup(() => database.close());
    database.pragma(`synchronous = ${before}`);
    const storage = sqliteStorage(database, { durability });
    await storage.open();
    expect(pragmaOf(database, "synchronous")).toBe(after);
    expect(pragmaOf(database, "journal_mode")).toBe("delete");
  });

  test("full on a host's connection in WAL mode, where the driver would not sync, syncs", async () => {
    const database = new Database(temporaryPath(cleanup));
    cleanup(() => database.close());
    database.pragma("journal_mode = WAL");
    await sqliteStorage(database).open();
    expect(pragmaOf(database, "synchronous")).toBe(FULL);
  });
});

describe("a database of the host", () => {
  const cleanup = useCleanup();

  test.each(["better-sqlite3", "drizzle"])("passed as a %s database is used and stays open", async (kind) => {
    const database = new Database(":memory:");
    cleanup(() => database.close());
    const storage = sqliteStorage(kind === "drizzle" ? drizzle(database) : database);
    await storage.open();
    await storage.inbox.createMany([entry("ann")]);
    expect(database.prepare("SELECT total FROM belfry_inbox_counters").pluck().all()).toEqual([1]);
    await storage.close();
    expect(database.open).toBe(true);
    await storage.open();
    expect(await storage.inbox.counts({ tenant: "acme", userId: "ann" })).toMatchObject({ total: 1 });
  });

  test("that reads integers as BigInt gives numbers all the same", async () => {
    const database = new Database(":memory:").defaultSafeIntegers(true);
    cleanup(() => database.close());
    const storage = sqliteStorage(database);
    await storage.open();
    const [items] = await storage.inbox.createMany([entry(["ann", "bob"])]);
    expect(items?.map((item) => item.seq)).toEqual([1, 1]);
    await storage.inbox.markAllRead({ tenant: "acme", userId: "ann" }, new Date(5));
    expect((await storage.inbox.list({ tenant: "acme", userId: "ann" }, { status: "read", limit: 1 })).items).toMatchObject([
      { seq: 1, readAt: new Date(5) },
    ]);
  });

  test("that the host closed is an error, not a crash", async () => {
    const database = new Database(":memory:");
    const storage = sqliteStorage(database);
    await storage.open();
    database.close();
    const ann = { tenant: "acme", userId: "ann" };
    const calls = [
      () => storage.inbox.createMany([entry("ann")]),
      () => storage.inbox.counts(ann),
      () => storage.inbox.list(ann, { status: "all", limit: 1 }),
      () => storage.inbox.remove(ann, [{ seq: 1 }], new Date(1)),
    ];
    for (const call of calls) {
      await expect(async () => call()).rejects.toMatchObject({ code: "STORAGE_FAILED" });
    }
    await storage.close();
  });
});
