import { BelfryError } from "@belfry/core";
import type { Migration } from "@belfry/core/storage";
import type { Database } from "better-sqlite3";
import type { Connection } from "../database/connection.ts";
import { migrateAtOpen } from "./migrate.ts";
import { readPlan } from "./migration-state.ts";

/**
 * Makes sure that the tables can be used, by migrating them if it may. Answers whether migrations are to follow in the
 * background.
 */
export async function openTables(connection: Connection, migrations: readonly Migration[], mayMigrate: boolean): Promise<boolean> {
  if (mayMigrate) {
    const { later, contract } = await migrateAtOpen(connection, migrations);
    return later.length + contract.length > 0;
  }
  await connection.read(() => requireTables(connection.database, migrations));
  return false;
}

function requireTables(database: Database, migrations: readonly Migration[]): void {
  const table = database.prepare("SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'belfry_processing_records'");
  if (table.get() === undefined) {
    throw new BelfryError(
      "CONFIGURATION",
      `The database ${database.name} has no Belfry tables. Leave the option migrate on, or call migrate(database) first.`,
    );
  }
  const [missing] = readPlan(database, migrations).atOpen;
  // A host whose own drizzle-kit keeps the tables has no migration of ours noted, the first included.
  if (missing !== undefined && missing.id > 1) {
    throw new BelfryError(
      "CONFIGURATION",
      `The database ${database.name} lacks migration ${missing.id} of this @belfry/storage-sqlite. ` +
        "Leave the option migrate on, or call migrate(database) first.",
    );
  }
}
