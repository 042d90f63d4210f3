import { createHash } from "node:crypto";
import { BelfryError } from "@belfry/core";
import type { Pool, PoolClient } from "pg";
import { Connection, type Session } from "../database/connection.ts";
import { wrapError } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import { quoteIdentifier } from "../database/table-names.ts";
import { MIGRATIONS } from "./index.ts";

/** Where the tables are. */
export interface MigrateOptions {
  /** The PostgreSQL schema; it is made if it is not there. @default "public" */
  readonly schema?: string;
}

/** What is to be brought into a database. */
export interface MigrationPlan {
  readonly schema: string;
  readonly migrations: readonly string[];
}

/** Longer than any migration takes, waiting for the others that start at the same time included. */
const MIGRATION_TIMEOUT_MS = 600_000;

/**
 * Brings Belfry's tables in the database of `pool` up to date, in one transaction: after a crash in the middle nothing
 * of it is there. Several processes may do so at once. A storage does it by itself when it opens, unless it was told
 * not to.
 *
 * @throws BelfryError `CONFIGURATION` if the database was migrated by a newer Belfry, or if a migration it has is not
 *   the one this package contains; `STORAGE_UNAVAILABLE` or `STORAGE_FAILED` if PostgreSQL does not do it
 *
 * @example
 * ```ts
 * await migrate(new pg.Pool({ connectionString: process.env.DATABASE_URL }));
 * ```
 */
export async function migrate(pool: Pool, { schema = "public" }: MigrateOptions = {}): Promise<void> {
  await migratePool(pool, { schema, migrations: MIGRATIONS });
}

/** Like {@link migrate}, over a given list of migrations. */
export async function migratePool(pool: Pool, plan: MigrationPlan): Promise<void> {
  const connection = new Connection(pool, { prepared: false, timeoutMs: MIGRATION_TIMEOUT_MS });
  try {
    // Most starts find everything done, and need not wait for the others to learn so.
    if ((await missing(connection, plan)).length > 0) {
      await connection.transaction((session, client) => apply(session, client, plan));
    }
  } catch (error) {
    throw wrapError(error);
  }
}

async function apply(session: Session, client: PoolClient, plan: MigrationPlan): Promise<void> {
  const schema = quoteIdentifier(plan.schema);
  // One at a time: those who come later find everything done.
  await session.rows(statement("migrate_lock", "SELECT pg_advisory_xact_lock(hashtextextended('belfry_migrations ' || $1, 0))"), [
    plan.schema,
  ]);
  const existing = await session.rows(statement("migrate_schema", "SELECT 1 FROM pg_namespace WHERE nspname = $1"), [plan.schema]);
  if (existing.length === 0) {
    // Not IF NOT EXISTS: PostgreSQL asks for the right to make schemas even where there is nothing to make.
    await client.query(`CREATE SCHEMA ${schema}`);
  }
  // The migrations name no schema, so that their checksums are the same in every one.
  await client.query(`SET LOCAL search_path = ${schema}`);
  await client.query(
    "CREATE TABLE IF NOT EXISTS belfry_migrations (id integer PRIMARY KEY, checksum text NOT NULL, applied_at timestamp(3) with time zone NOT NULL)",
  );
  for (const { id, sql } of await missing(session, plan)) {
    await client.query(sql);
    await client.query("INSERT INTO belfry_migrations (id, checksum, applied_at) VALUES ($1, $2, now())", [id, checksum(sql)]);
  }
}

/** The migrations that the database does not have yet, after a check of those that it has. */
async function missing(session: Session, { schema, migrations }: MigrationPlan): Promise<{ readonly id: number; readonly sql: string }[]> {
  const applied = await appliedMigrations(session, schema);
  const newest = Math.max(0, ...applied.keys());
  if (newest > migrations.length) {
    throw new BelfryError(
      "CONFIGURATION",
      `The schema "${schema}" has migration ${newest}, but this @belfry/storage-postgres knows ${migrations.length}: ` +
        "it was migrated by a newer version. Upgrade the package.",
    );
  }
  return migrations.flatMap((sql, index) => {
    const id = index + 1;
    const found = applied.get(id);
    if (found === undefined) {
      return [{ id, sql }];
    }
    if (found !== checksum(sql)) {
      throw new BelfryError(
        "CONFIGURATION",
        `Migration ${id} of the schema "${schema}" has checksum ${found}, but this @belfry/storage-postgres has ${checksum(sql)}: ` +
          "it was migrated with other SQL. Use the package version that made it, or restore belfry_migrations.",
      );
    }
    return [];
  });
}

async function appliedMigrations(session: Session, schema: string): Promise<Map<number, string>> {
  const table = `${quoteIdentifier(schema)}.belfry_migrations`;
  const [[isThere] = [false]] = await session.rows(statement<[boolean]>("migrate_table", "SELECT to_regclass($1) IS NOT NULL"), [table]);
  if (!isThere) {
    return new Map();
  }
  return new Map(await session.rows(statement<[number, string]>("migrate_applied", `SELECT id, checksum FROM ${table}`), []));
}

function checksum(sql: string): string {
  return createHash("sha256").update(sql).digest("hex");
}
