import type { MigrationPlan } from "@belfry/core/storage";
import type { Pool, PoolClient } from "pg";
import { Connection, type Session } from "../database/connection.ts";
import { wrapError } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import { quoteIdentifier } from "../database/table-names.ts";
import { requireReadableValues } from "../database/value-check.ts";
import { MIGRATIONS } from "./index.ts";
import { migrateLater } from "./migrate-later.ts";
import { MIGRATION_TIMEOUT_MS, type MigrationTarget, readPlan, recordMigration, useSchema } from "./migration-state.ts";

/** Where the tables are, and what may be done to them. */
export interface MigrateOptions {
  /** The PostgreSQL schema; it is made if it is not there. @default "public" */
  readonly schema?: string;
  /**
   * Whether to take away what only older versions of this package need. To be allowed once none of them runs any more.
   *
   * @default false
   */
  readonly contract?: boolean;
}

/**
 * Brings Belfry's tables in the database of `pool` up to date, to the end: also what a storage, which migrates by itself
 * when it opens, does once it is open. New tables and columns come in one transaction: after a crash in the middle nothing
 * of them is there. What follows goes in small steps, and goes on where it stopped. Several processes may do so at once.
 *
 * @throws BelfryError `CONFIGURATION` if the database needs a newer Belfry, if a migration it has is not the one this
 *   package contains, or if the pool has `binary: true`; `STORAGE_UNAVAILABLE` or `STORAGE_FAILED` if PostgreSQL does not do it
 *
 * @example
 * ```ts
 * await migrate(new pg.Pool({ connectionString: process.env.DATABASE_URL }));
 * ```
 */
export async function migrate(pool: Pool, { schema = "public", contract = false }: MigrateOptions = {}): Promise<void> {
  const target = { schema, migrations: MIGRATIONS };
  await migrateAtOpen(pool, target);
  await migrateLater(pool, target, { mayContract: contract });
}

/** Runs what has to be there before a storage can be used, and answers what is left to do. */
export async function migrateAtOpen(pool: Pool, target: MigrationTarget): Promise<MigrationPlan> {
  const connection = new Connection(pool, { prepared: false, timeoutMs: MIGRATION_TIMEOUT_MS });
  try {
    await requireReadableValues(connection);
    // Most starts find everything done, and need not wait for the others to learn so.
    const plan = await readPlan(connection, target);
    if (plan.atOpen.length === 0) {
      return plan;
    }
    await connection.transaction((session, client) => apply(session, client, target));
    return await readPlan(connection, target);
  } catch (error) {
    throw wrapError(error);
  }
}

async function apply(session: Session, client: PoolClient, target: MigrationTarget): Promise<void> {
  // One at a time: those who come later find everything done.
  await session.rows(statement("migrate_lock", "SELECT pg_advisory_xact_lock(hashtextextended('belfry_migrations ' || $1, 0))"), [
    target.schema,
  ]);
  const existing = await session.rows(statement("migrate_schema", "SELECT 1 FROM pg_namespace WHERE nspname = $1"), [target.schema]);
  if (existing.length === 0) {
    // Not IF NOT EXISTS: PostgreSQL asks for the right to make schemas even where there is nothing to make.
    await client.query(`CREATE SCHEMA ${quoteIdentifier(target.schema)}`);
  }
  await useSchema(client, target.schema);
  await client.query(
    "CREATE TABLE IF NOT EXISTS belfry_migrations (id integer PRIMARY KEY, checksum text NOT NULL, applied_at timestamp(3) with time zone NOT NULL)",
  );
  await client.query("ALTER TABLE belfry_migrations ADD COLUMN IF NOT EXISTS oldest_compatible integer NOT NULL DEFAULT 0");
  for (const migration of (await readPlan(session, target)).atOpen) {
    await client.query(migration.sql);
    await recordMigration(client, migration);
  }
}
