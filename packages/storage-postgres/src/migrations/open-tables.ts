import { BelfryError } from "@belfry/core";
import type { Pool } from "pg";
import { Connection } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import { tableNames } from "../database/table-names.ts";
import { requireReadableValues } from "../database/value-check.ts";
import { migrateAtOpen } from "./migrate.ts";
import { MIGRATION_TIMEOUT_MS, type MigrationTarget, readPlan } from "./migration-state.ts";

/**
 * Makes sure that the tables can be used, by migrating them if it may. Answers whether migrations are to follow in the
 * background.
 */
export async function openTables(pool: Pool, target: MigrationTarget, mayMigrate: boolean): Promise<boolean> {
  if (mayMigrate) {
    const { later, contract } = await migrateAtOpen(pool, target);
    return later.length + contract.length > 0;
  }
  const connection = new Connection(pool, { prepared: false, timeoutMs: MIGRATION_TIMEOUT_MS });
  await requireReadableValues(connection);
  await requireTables(connection, target);
  return false;
}

async function requireTables(connection: Connection, target: MigrationTarget): Promise<void> {
  const table = tableNames(target.schema).processingRecords;
  const found = await connection.rows(statement<[boolean]>("require_tables", "SELECT to_regclass($1) IS NOT NULL"), [table]);
  if (!found[0]?.[0]) {
    throw new BelfryError(
      "CONFIGURATION",
      `The database has no table ${table}. Leave the option migrate on, or call migrate(pool) first; check the option schema.`,
    );
  }
  const [missing] = (await readPlan(connection, target)).atOpen;
  // A host whose own drizzle-kit keeps the tables has no migration of ours noted, the first included.
  if (missing !== undefined && missing.id > 1) {
    throw new BelfryError(
      "CONFIGURATION",
      `The schema "${target.schema}" lacks migration ${missing.id} of this @belfry/storage-postgres. ` +
        "Leave the option migrate on, or call migrate(pool) first.",
    );
  }
}
