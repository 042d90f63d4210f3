import type { Migration } from "@belfry/core/storage";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { Connection } from "../src/database/connection.ts";
import { MIGRATIONS } from "../src/migrations/index.ts";
import { migrateAtOpen, migrateLater, migrationStep } from "../src/migrations/migrate.ts";
import { SqliteStorage } from "../src/sqlite-storage.ts";
import { ended, entry, linesOf, startProcess, temporaryPath, useCleanup } from "./setup.ts";

const BASE = MIGRATIONS.length;
const owner = { tenant: "acme", userId: "ann" };

/** A column that is filled for rows that have none, and one that goes away in the end. */
const EXPAND: Migration = {
  phase: "expand",
  sql: "ALTER TABLE belfry_notifications ADD COLUMN weight INTEGER; ALTER TABLE belfry_notifications ADD COLUMN old INTEGER",
};
const MOVE: Migration = {
  phase: "background",
  sql: "UPDATE belfry_notifications SET weight = length(title) WHERE pk IN (SELECT pk FROM belfry_notifications WHERE weight IS NULL LIMIT 10)",
};
const CLEANUP: Migration = {
  phase: "cleanup",
  sql: "ALTER TABLE belfry_notifications DROP COLUMN old",
  oldestCompatible: BASE + 1,
};
const PLANTED = [...MIGRATIONS, EXPAND, MOVE, CLEANUP];

describe("phases of migrations", () => {
  const cleanup = useCleanup();

  /** A database of the base version with so many notifications, and a second connection to look at it. */
  async function filled(count: number) {
    const path = temporaryPath(cleanup);
    const database = new Database(path);
    cleanup(() => database.close());
    const connection = new Connection(database, 5_000);
    await migrateAtOpen(connection, MIGRATIONS);
    if (count > 0) {
      await (await opened(path, MIGRATIONS)).inbox.createMany(Array.from({ length: count }, () => entry("ann")));
    }
    return { path, database, connection };
  }

  async function opened(path: string, migrations: readonly Migration[]): Promise<SqliteStorage> {
    const storage = new SqliteStorage(path, { durability: "normal" }, migrations);
    cleanup(() => storage.close());
    await storage.open();
    return storage;
  }

  function applied(database: Database.Database): unknown[] {
    return database.prepare("SELECT id - ? FROM belfry_migrations WHERE id > ? ORDER BY id").pluck().all(BASE, BASE);
  }

  function count(database: Database.Database, where: string): unknown {
    return database.prepare(`SELECT count(*) FROM belfry_notifications WHERE ${where}`).pluck().get();
  }

  function columns(database: Database.Database): unknown[] {
    return database.prepare("SELECT name FROM pragma_table_info('belfry_notifications')").pluck().all();
  }

  test("an empty database gets every phase at once", async () => {
    const database = new Database(":memory:");
    await migrateAtOpen(new Connection(database, 1_000), PLANTED);
    expect(applied(database)).toEqual([1, 2, 3]);
    expect(columns(database)).not.toContain("old");
  });

  test("a storage can be used at once; rows move in small steps behind it, and nothing is removed unasked", async () => {
    const { path, database, connection } = await filled(35);
    const storage = await opened(path, PLANTED);
    expect((await storage.inbox.counts(owner)).total).toBe(35);
    await expect.poll(() => applied(database), { timeout: 20_000 }).toEqual([1, 2]);
    expect(count(database, "weight = length(title)")).toBe(35);
    expect(columns(database)).toContain("old");

    await migrateLater(connection, PLANTED, true);
    expect(applied(database)).toEqual([1, 2, 3]);
    expect(columns(database)).not.toContain("old");
  });

  test("a storage that is closed meanwhile stops moving, and the next one goes on", async () => {
    const { path, database } = await filled(35);
    const storage = new SqliteStorage(path, {}, PLANTED);
    await storage.open();
    await storage.close();
    await opened(path, PLANTED);
    await expect.poll(() => applied(database), { timeout: 20_000 }).toEqual([1, 2]);
    expect(count(database, "weight = length(title)")).toBe(35);
  });

  test("steps are small, and go on where a killed process stopped", async () => {
    const { path, database, connection } = await filled(500);
    await migrateAtOpen(connection, PLANTED);
    expect(await migrationStep(connection, PLANTED, false)).toBe("more");
    expect(count(database, "weight IS NOT NULL")).toBe(10);

    const child = startProcess("move-rows", [path, JSON.stringify(PLANTED)]);
    const exit = ended(child);
    let lines = 0;
    for await (const _ of linesOf(child)) {
      lines += 1;
      if (lines === 3) {
        child.kill("SIGKILL");
      }
    }
    await exit;
    expect(count(database, "weight IS NOT NULL")).toSatisfy((moved: number) => moved >= 40 && moved % 10 === 0);

    await migrateLater(connection, PLANTED, false);
    expect(count(database, "weight = length(title)")).toBe(500);
    expect(applied(database)).toEqual([1, 2]);
  });

  test("six instances at once run every phase once, and all of them work meanwhile", async () => {
    const { path, database, connection } = await filled(120);
    const storages = await Promise.all(Array.from({ length: 6 }, () => opened(path, PLANTED)));
    await Promise.all(storages.map((storage) => storage.inbox.createMany([entry("ann")])));
    await Promise.all(Array.from({ length: 6 }, () => migrateLater(connection, PLANTED, true)));
    expect(applied(database)).toEqual([1, 2, 3]);
    expect(count(database, "weight = length(title)")).toBe(126);
    for (const storage of storages) {
      expect((await storage.inbox.counts(owner)).total).toBe(126);
    }
  });

  test("an older instance works beside a newer one until what it needs is removed", async () => {
    const { path, database, connection } = await filled(3);
    const newer = await opened(path, PLANTED);
    await expect.poll(() => applied(database), { timeout: 20_000 }).toEqual([1, 2]);
    const older = await opened(path, MIGRATIONS);
    await older.inbox.createMany([entry("ann")]);
    expect((await newer.inbox.counts(owner)).total).toBe(4);
    // The older instance knows nothing of the new column.
    expect(count(database, "weight IS NULL")).toBe(1);

    await migrateLater(connection, PLANTED, true);
    expect(applied(database)).toEqual([1, 2, 3]);
    expect(count(database, "weight = length(title)")).toBe(4);
    await expect(opened(path, MIGRATIONS)).rejects.toMatchObject({
      code: "CONFIGURATION",
      message: expect.stringMatching(new RegExp(`needs a package that knows migration ${BASE + 1}, but .* knows ${BASE}: .*Update`)),
    });
    await opened(path, PLANTED.slice(0, BASE + 1));
  });

  test("the cleanup runs without asking if the database refuses older packages anyway", async () => {
    const { path, database } = await filled(12);
    const floor: Migration = { phase: "expand", sql: "SELECT 1", oldestCompatible: BASE + 1 };
    await opened(path, [...PLANTED, floor]);
    await expect.poll(() => applied(database), { timeout: 20_000 }).toEqual([1, 2, 3, 4]);
    expect(columns(database)).not.toContain("old");
    await expect(opened(path, MIGRATIONS)).rejects.toMatchObject({ code: "CONFIGURATION" });
  });

  test("a step that fails is reported, and tried again", async () => {
    const { path, database } = await filled(1);
    const warnings: string[] = [];
    const logger = { debug() {}, info() {}, warn: (_: object, message: string) => warnings.push(message), error() {} };
    const broken: Migration = { phase: "background", sql: "UPDATE belfry_nowhere SET id = 1" };
    const storage = new SqliteStorage(path, { logger }, [...MIGRATIONS, broken]);
    await storage.open();
    await expect.poll(() => warnings).toEqual(["Belfry could not migrate in the background; it tries again in 5000 ms."]);
    await storage.close();
    expect(applied(database)).toEqual([]);
  });

  test("a storage told not to migrate refuses tables that are too old, and leaves the rest to others", async () => {
    const { path, database, connection } = await filled(12);
    const storage = new SqliteStorage(path, { migrate: false }, PLANTED);
    await expect(storage.open()).rejects.toMatchObject({ code: "CONFIGURATION", message: expect.stringMatching(/lacks migration/) });
    await migrateAtOpen(connection, PLANTED);
    await storage.open();
    await storage.close();
    expect(applied(database)).toEqual([1]);
  });
});
