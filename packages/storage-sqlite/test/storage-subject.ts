import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StorageSubject } from "@belfry/testkit";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { type SqliteTransaction, sqliteStorage } from "../src/index.ts";
import { migratedImage, migratedSqlite } from "./migrated-sqlite.ts";

type Run = (work: (tx: SqliteTransaction) => void) => Promise<void>;

/** Runs `work` in a transaction of the driver, as a host that uses better-sqlite3 does. */
function driverTransaction(database: Database.Database): Run {
  return async (work) => database.transaction(() => work(database)).immediate();
}

/** Runs `work` in a transaction of drizzle, as a host that uses drizzle does. */
function drizzleTransaction(database: Database.Database): Run {
  return async (work) => drizzle(database).transaction((tx) => work(tx), { behavior: "immediate" });
}

interface Places {
  readonly path: string;
  readonly elsewhere: Database.Database;
  dispose(): void;
}

/** A directory with the database under test, and another database; both have Belfry's tables already. */
async function places(): Promise<Places> {
  const directory = mkdtempSync(join(tmpdir(), "belfry-sqlite-"));
  const path = join(directory, "belfry.db");
  writeFileSync(path, await migratedImage());
  const elsewhere = await migratedSqlite();
  return {
    path,
    elsewhere,
    dispose() {
      elsewhere.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Copies a database into a file beside it, in the place of an earlier copy, and returns what puts the rows of the copy in the place of all that are there then. */
async function backUp(path: string): Promise<() => Promise<void>> {
  const copy = `${path}-backup`;
  rmSync(copy, { force: true });
  const database = new Database(path);
  database.prepare("VACUUM INTO ?").run(copy);
  database.close();
  return async () => {
    const restored = new Database(path);
    restored.pragma("foreign_keys = OFF");
    restored.prepare("ATTACH ? AS copy").run(copy);
    const tables = restored
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .pluck()
      .all();
    restored
      .transaction(() => {
        for (const table of [...tables, "sqlite_sequence"]) {
          restored.exec(`DELETE FROM main.${table}; INSERT INTO main.${table} SELECT * FROM copy.${table}`);
        }
      })
      .immediate();
    restored.close();
  };
}

/** The storage opens the path; the host, which uses better-sqlite3, writes through a connection of its own. */
export async function byPath(): Promise<StorageSubject<SqliteTransaction, void>> {
  const { path, elsewhere, dispose } = await places();
  const storage = sqliteStorage(path);
  await storage.open();
  let reopened: typeof storage | undefined;
  const open = async () => {
    const another = sqliteStorage(path);
    await another.open();
    return another;
  };
  const host = new Database(path);
  return {
    storage,
    transaction: driverTransaction(host),
    foreignTransaction: driverTransaction(elsewhere),
    wrongHandles: { "the storage": storage, "a database without a transaction": host, "a drizzle database without one": drizzle(host) },
    async reopen() {
      await storage.close();
      reopened = await open();
      return reopened;
    },
    another: open,
    backUp: () => backUp(path),
    async dispose() {
      await storage.close();
      await reopened?.close();
      host.close();
      dispose();
    },
  };
}

/** The storage works on the connection of the host, which uses drizzle and has its transactions on it too. */
export async function shared(): Promise<StorageSubject<SqliteTransaction, void>> {
  const { path, elsewhere, dispose } = await places();
  const host = new Database(path);
  host.pragma("journal_mode = WAL");
  const storage = sqliteStorage(drizzle(host));
  await storage.open();
  let reopened: typeof storage | undefined;
  return {
    storage,
    transaction: drizzleTransaction(host),
    foreignTransaction: drizzleTransaction(elsewhere),
    wrongHandles: { "the storage": storage, "the database without a transaction": host, "the drizzle database without one": drizzle(host) },
    async reopen() {
      await storage.close();
      reopened = sqliteStorage(drizzle(host));
      await reopened.open();
      return reopened;
    },
    async another() {
      const another = sqliteStorage(path);
      await another.open();
      return another;
    },
    backUp: () => backUp(path),
    async dispose() {
      await storage.close();
      await reopened?.close();
      host.close();
      dispose();
    },
  };
}
