import { sqliteStorage } from "@belfry/storage-sqlite";
import type Database from "better-sqlite3";
import { afterAll, beforeEach } from "vitest";
import { migratedSqlite } from "../../../packages/storage-sqlite/test/migrated-sqlite.ts";
import type { ServiceDatabase } from "./service-database.ts";

/** A database in memory for each test of a block. It outlives the services and storages of the test, so they may stop and start. */
export function useSqliteDatabase(): ServiceDatabase {
  const opened: Database.Database[] = [];
  beforeEach(async () => void opened.push(await migratedSqlite()));
  // Services of a test stop after the hooks of the test have run, so nothing is closed between tests.
  afterAll(() => {
    for (const database of opened) {
      database.close();
    }
  });
  const current = (): Database.Database => {
    const database = opened.at(-1);
    if (database === undefined) {
      throw new Error("The database is there only while a test runs.");
    }
    return database;
  };
  return {
    storage: () => sqliteStorage(current()),
    async transaction(work) {
      const database = current();
      database.transaction(() => work(database)).immediate();
    },
    async rolledBack(work) {
      const database = current();
      database.exec("BEGIN IMMEDIATE");
      try {
        work(database);
      } finally {
        database.exec("ROLLBACK");
      }
    },
    content: async () => current().serialize().toString("latin1"),
  };
}
