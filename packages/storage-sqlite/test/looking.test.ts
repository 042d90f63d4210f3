import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { sqliteStorage } from "../src/index.ts";
import { temporaryPath, useCleanup } from "./setup.ts";

describe("looking at a database from outside", () => {
  const cleanup = useCleanup();

  test("a database that is not there lacks all migrations, and is not made by looking", async () => {
    const path = temporaryPath(cleanup);
    const { database } = sqliteStorage(path);
    const { known, newest, hasTables, pending } = await database.migrations();
    expect([newest, hasTables, pending.length]).toEqual([0, false, known]);
    await expect(database.inspect()).rejects.toMatchObject({
      code: "STORAGE_UNAVAILABLE",
      message: expect.stringContaining("no such file"),
    });
    expect(existsSync(path)).toBe(false);
  });

  test("migrate makes it, and a storage that migrates nothing opens it then", async () => {
    const path = temporaryPath(cleanup);
    const storage = sqliteStorage(path, { migrate: false });
    await storage.database.migrate({});
    const state = await storage.database.migrations();
    expect(state).toEqual({ known: state.known, newest: state.known, hasTables: true, pending: [] });
    await storage.open();
    cleanup(() => storage.close());
    // Over the storage's own connection, whose settings show, too.
    expect(await storage.database.inspect()).toMatchObject({ product: "SQLite", settings: { journal_mode: "wal", synchronous: "2" } });
  });

  test("a look changes nothing of a database without tables, and leaves it to be migrated", async () => {
    const path = temporaryPath(cleanup);
    const host = new Database(path);
    host.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY)");
    host.close();
    const { database } = sqliteStorage(path);
    expect(await database.inspect()).toMatchObject({ settings: { journal_mode: "delete" } });
    expect(await database.migrations()).toMatchObject({ newest: 0, hasTables: false });
    expect(readdirSync(dirname(path))).toEqual(["belfry.db"]);
  });

  test("tables that migrations of a host made are there, though none of ours is recorded", async () => {
    const path = temporaryPath(cleanup);
    const { database } = sqliteStorage(path);
    await database.migrate({});
    const host = new Database(path);
    host.exec("DROP TABLE belfry_migrations");
    host.close();
    expect(await database.migrations()).toMatchObject({ newest: 0, hasTables: true });
  });

  test("a database in memory, or of a host, is looked at where it is", async () => {
    const inMemory = sqliteStorage(":memory:");
    expect(await inMemory.database.migrations()).toMatchObject({ newest: 0, hasTables: false });
    await expect(inMemory.database.inspect()).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    await expect(inMemory.database.migrate({})).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    await inMemory.open();
    cleanup(() => inMemory.close());
    expect(await inMemory.database.migrations()).toMatchObject({ hasTables: true, pending: [] });

    const host = new Database(":memory:");
    cleanup(() => host.close());
    const storage = sqliteStorage(host);
    expect(await storage.database.migrations()).toMatchObject({ hasTables: false });
    await storage.database.migrate({});
    expect(await storage.database.migrations()).toMatchObject({ hasTables: true, pending: [] });
    expect(storage.database.place).toBe("sqlite::memory:");
  });

  test("a file that is no database is named, with what is wrong", async () => {
    const path = temporaryPath(cleanup);
    writeFileSync(path, "this is no database, whatever its name says, and it is long enough to look like one".repeat(20));
    await expect(sqliteStorage(path).database.migrations()).rejects.toMatchObject({ code: expect.stringMatching(/^STORAGE_/) });
  });
});
