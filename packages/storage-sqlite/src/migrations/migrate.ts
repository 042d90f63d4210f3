import type { Migration, MigrationPlan } from "@belfry/core/storage";
import type { Database } from "better-sqlite3";
import { Connection } from "../database/connection.ts";
import { DEFAULT_BUSY_TIMEOUT_MS } from "../sqlite-options.ts";
import { MIGRATIONS } from "./index.ts";
import { migrateLater } from "./migrate-later.ts";
import { makeMigrationsTable, readPlan, recordMigration } from "./migration-state.ts";

/** What may be done to the tables. */
export interface MigrateOptions {
  /**
   * Whether to take away what only older versions of this package need. To be allowed once none of them runs any more.
   *
   * @default false
   */
  readonly contract?: boolean;
}

/**
 * Brings Belfry's tables in `database` up to date, to the end: also what a storage, which migrates by itself when it
 * opens, does once it is open. New tables and columns come in one transaction: after a crash in the middle nothing of
 * them is there. What follows goes in small steps, and goes on where it stopped. Several processes may do so at once.
 *
 * @throws BelfryError `CONFIGURATION` if the database needs a newer Belfry, or if a migration it has is not the one this
 *   package contains
 *
 * @example
 * ```ts
 * const database = new Database("app.db");
 * await migrate(database);
 * ```
 */
export async function migrate(database: Database, { contract = false }: MigrateOptions = {}): Promise<void> {
  const connection = new Connection(database, DEFAULT_BUSY_TIMEOUT_MS);
  await migrateAtOpen(connection, MIGRATIONS);
  await migrateLater(connection, MIGRATIONS, contract);
}

/** Runs what has to be there before a storage can be used, and answers what is left to do. */
export async function migrateAtOpen(connection: Connection, migrations: readonly Migration[]): Promise<MigrationPlan> {
  const { database } = connection;
  // Most starts find everything done, and need not wait for a writer to learn so.
  const plan = await connection.read(() => readPlan(database, migrations));
  if (plan.atOpen.length === 0) {
    return plan;
  }
  return connection.write(() => {
    makeMigrationsTable(database);
    // Another process may have been faster between the look above and our turn to write.
    for (const migration of readPlan(database, migrations).atOpen) {
      database.exec(migration.sql);
      recordMigration(database, migration);
    }
    return readPlan(database, migrations);
  });
}
