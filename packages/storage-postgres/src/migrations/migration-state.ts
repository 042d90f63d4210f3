import { createHash } from "node:crypto";
import { checkedText, type Migration, type MigrationPlan, type Numbered, oldestCompatibleOf, planMigrations } from "@belfry/core/storage";
import type { PoolClient } from "pg";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import { quoteIdentifier } from "../database/table-names.ts";

/** What is to be brought into a database. */
export interface MigrationTarget {
  readonly schema: string;
  readonly migrations: readonly Migration[];
}

/** Longer than any migration takes, waiting for the others that start at the same time included. */
export const MIGRATION_TIMEOUT_MS = 600_000;

/** The migrations name no schema, so that their checksums are the same in every one. Until the transaction's end. */
export async function useSchema(client: PoolClient, schema: string): Promise<void> {
  await client.query(`SET LOCAL search_path = ${quoteIdentifier(schema)}`);
}

/** Notes that the database has a migration; again is allowed. */
export async function recordMigration(client: PoolClient, migration: Numbered): Promise<void> {
  await client.query(
    "INSERT INTO belfry_migrations (id, checksum, applied_at, oldest_compatible) VALUES ($1, $2, now(), $3) ON CONFLICT DO NOTHING",
    [migration.id, checksumOf(migration), oldestCompatibleOf(migration)],
  );
}

/** What the database does not have yet, after a check of what it has. */
export async function readPlan(session: Session, { schema, migrations }: MigrationTarget): Promise<MigrationPlan> {
  const subject = { database: `schema "${schema}"`, packageName: "@belfry/storage-postgres", checksumOf };
  const table = `${quoteIdentifier(schema)}.belfry_migrations`;
  const [[isThere] = [false]] = await session.rows(statement<[boolean]>("migrate_table", "SELECT to_regclass($1) IS NOT NULL"), [table]);
  const applied = isThere ? await session.rows(appliedStatement(table), []) : [];
  return planMigrations(
    migrations,
    applied.map(([id, checksum, oldestCompatible]) => ({ id, checksum, oldestCompatible })),
    subject,
  );
}

/** Reads the column by name out of the whole row: the first versions of the table do not have it. */
function appliedStatement(table: string) {
  return statement<[id: number, checksum: string, oldestCompatible: number]>(
    "migrate_applied",
    `SELECT id, checksum, coalesce((to_json(m) ->> 'oldest_compatible')::int, 0) FROM ${table} m`,
  );
}

/** SHA-256 of a migration's SQL, in hexadecimal. */
function checksumOf(migration: Migration): string {
  return createHash("sha256").update(checkedText(migration)).digest("hex");
}
