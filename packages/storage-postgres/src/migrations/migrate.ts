import { createHash } from "node:crypto";
import { BelfryError, requireOptions } from "@belfry/core";
import {
  backgroundBefore,
  checkedText,
  type Migration,
  type MigrationPlan,
  type MigrationStep,
  type Numbered,
  nextCleanup,
  oldestCompatibleOf,
  planMigrations,
} from "@belfry/core/storage";
import type { Pool, PoolClient } from "pg";
import { Connection, poolOf, requireReadableValues, type Session } from "../database/connection.ts";
import { wrapError } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import { quoteIdentifier, tableNames } from "../database/table-names.ts";
import { MIGRATIONS } from "./index.ts";
import { runOutsideStatement } from "./run-outside.ts";

/** The changes to make in a database. */
export interface MigrationTarget {
  readonly schema: string;
  readonly migrations: readonly Migration[];
}

/** Longer than any migration takes, including the wait for others that start at the same time. */
export const MIGRATION_TIMEOUT_MS = 600_000;

/** Sets the schema for a transaction: migrations name none, so their checksums are the same in every schema. */
export async function useSchema(client: PoolClient, schema: string): Promise<void> {
  await client.query(`SET LOCAL search_path = ${quoteIdentifier(schema)}`);
}

/** Records that the database has a migration; may be repeated. */
export async function recordMigration(client: PoolClient, migration: Numbered): Promise<void> {
  await client.query(
    "INSERT INTO belfry_migrations (id, checksum, applied_at, oldest_compatible) VALUES ($1, $2, now(), $3) ON CONFLICT DO NOTHING",
    [migration.id, checksumOf(migration), oldestCompatibleOf(migration)],
  );
}

/** Checks the migrations that the database has, and returns those it lacks. */
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

/**
 * Makes sure that the tables can be used, and migrates them if it may. Answers whether background migrations remain.
 */
export async function openTables(pool: Pool, target: MigrationTarget, mayMigrate: boolean): Promise<boolean> {
  if (mayMigrate) {
    const { later, cleanup } = await migrateAtOpen(pool, target);
    return later.length + cleanup.length > 0;
  }
  const connection = new Connection(pool, { prepared: false, timeoutMs: MIGRATION_TIMEOUT_MS });
  await requireReadableValues(connection);
  await requireTables(connection, target);
  return false;
}

/** Whether the schema has Belfry's tables, whoever made them. */
export async function hasTables(session: Session, schema: string): Promise<boolean> {
  const found = statement<[boolean]>("require_tables", "SELECT to_regclass($1) IS NOT NULL");
  const [[isThere] = [false]] = await session.rows(found, [tableNames(schema).processingRecords]);
  return isThere;
}

async function requireTables(connection: Connection, target: MigrationTarget): Promise<void> {
  if (!(await hasTables(connection, target.schema))) {
    throw new BelfryError(
      "CONFIGURATION",
      `The database has no table ${tableNames(target.schema).processingRecords}. Leave the option migrate on, or call migrate(pool) first; check the option schema.`,
    );
  }
  const [missing] = (await readPlan(connection, target)).atOpen;
  // If the host's own drizzle-kit makes the tables, no migration of ours is recorded.
  if (missing !== undefined && missing.id > 1) {
    throw new BelfryError(
      "CONFIGURATION",
      `The schema "${target.schema}" lacks migration ${missing.id} of this @belfry/storage-postgres. ` +
        "Leave the option migrate on, or call migrate(pool) first.",
    );
  }
}

/** Where the tables are, and what may be done to them. */
export interface MigrateOptions {
  /** The PostgreSQL schema; it is made if it is not there. @default "public" */
  readonly schema?: string;
  /**
   * Whether to remove what only older versions of this package need. Allow it once none of them runs any more.
   *
   * @default false
   */
  readonly cleanup?: boolean;
}

/**
 * Brings Belfry's tables in the database of `pool` up to date, with the steps that a storage takes in the background after
 * it opens. New tables and columns come in one transaction, so that a crash in the middle leaves none of them. The rest
 * runs in small steps and continues where it stopped. Several processes may do so at once.
 *
 * @throws BelfryError `CONFIGURATION` if the database needs a newer Belfry, if a migration it has is not the one this
 *   package contains, or if the pool has `binary: true`; `STORAGE_UNAVAILABLE` or `STORAGE_FAILED` if PostgreSQL does not do it
 *
 * @example
 * ```ts
 * await migrate(new pg.Pool({ connectionString: process.env.DATABASE_URL }));
 * ```
 */
export async function migrate(pool: Pool, options: MigrateOptions = {}): Promise<void> {
  if (pool === null || poolOf(pool) !== pool) {
    throw new BelfryError("CONFIGURATION", "migrate got no pg Pool. Pass the pool whose database is to be migrated.");
  }
  requireOptions("migrate", options, { schema: true, cleanup: true } satisfies Record<keyof MigrateOptions, true>);
  const { schema = "public", cleanup = false } = options;
  const target = { schema, migrations: MIGRATIONS };
  await migrateAtOpen(pool, target);
  await migrateLater(pool, target, { mayCleanUp: cleanup });
}

/** Runs the migrations that a storage needs before use, and answers what is left to do. */
export async function migrateAtOpen(pool: Pool, target: MigrationTarget): Promise<MigrationPlan> {
  const connection = new Connection(pool, { prepared: false, timeoutMs: MIGRATION_TIMEOUT_MS });
  try {
    await requireReadableValues(connection);
    // Usually everything is done, and this look need not wait for others.
    const plan = await readPlan(connection, target);
    if (plan.atOpen.length === 0) {
      return plan;
    }
    // A new column waits for what instances of an older version do with the table, who may wait for another table of this transaction.
    await connection.retryingConflicts(() => connection.transaction((session, client) => apply(session, client, target)));
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
    // Not IF NOT EXISTS: PostgreSQL requires the right to make schemas even if there is nothing to make.
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

/** How long a caller waits before it looks again whether the instance that migrates has finished. */
const BUSY_DELAY_MS = 100;
/** One instance holds it at a time, and nobody waits for it: CREATE INDEX CONCURRENTLY waits for others, and would wait in a circle. */
const LATER_LOCK = "hashtextextended('belfry_migrations later ' || $1, 0)";

/** How far a step may go. */
export interface StepOptions {
  /** Whether the host says that no older instance is left. @default false */
  readonly mayCleanUp?: boolean;
  /** Ends a statement that takes long. */
  readonly signal?: AbortSignal;
}

/** Runs everything that {@link migrationStep} has to do, to the end. */
export async function migrateLater(pool: Pool, target: MigrationTarget, options: StepOptions = {}): Promise<void> {
  try {
    for (;;) {
      const went = await migrationStep(pool, target, options);
      if (went === "done") {
        return;
      }
      if (went === "busy") {
        await new Promise((resolve) => setTimeout(resolve, BUSY_DELAY_MS));
      }
    }
  } catch (error) {
    throw wrapError(error);
  }
}

/** Does the next small piece of the migrations that run once a storage is open. */
export async function migrationStep(
  pool: Pool,
  target: MigrationTarget,
  { mayCleanUp = false, signal }: StepOptions = {},
): Promise<MigrationStep> {
  const connection = new Connection(pool, { prepared: false, timeoutMs: MIGRATION_TIMEOUT_MS });
  const plan = await readPlan(connection, target);
  const [next] = plan.later;
  if (next?.phase === "outside") {
    return runOutside(connection, { target, migration: next, signal });
  }
  if (next !== undefined) {
    const went = await moveRows(connection, target, next);
    return went === "done" ? "more" : went;
  }
  const cleanup = nextCleanup(plan, mayCleanUp);
  return cleanup === undefined ? "done" : runCleanup(connection, target, cleanup);
}

/** Moves some rows, or records the migration as done if there are none; then answers `done`. */
function moveRows(connection: Connection, { schema }: MigrationTarget, migration: Numbered<"background">): Promise<MigrationStep> {
  return connection.transaction(async (session, client) => {
    if (!(await takeLock(session, { schema, isOfSession: false }))) {
      return "busy";
    }
    await useSchema(client, schema);
    const { rowCount } = await client.query(migration.sql);
    if ((rowCount ?? 0) > 0) {
      return "more";
    }
    await recordMigration(client, migration);
    return "done";
  });
}

interface Outside {
  readonly target: MigrationTarget;
  readonly migration: Numbered<"outside">;
  readonly signal: AbortSignal | undefined;
}

/** Runs statements one by one, each on its own, and records the migration as done after the last. */
function runOutside(connection: Connection, { target, migration, signal }: Outside): Promise<MigrationStep> {
  return connection.alone(signal, async (session, client) => {
    if (!(await takeLock(session, { schema: target.schema, isOfSession: true }))) {
      return "busy";
    }
    await client.query(`SET search_path = ${quoteIdentifier(target.schema)}`);
    for (const sql of migration.statements) {
      await runOutsideStatement(session, client, sql);
    }
    await recordMigration(client, migration);
    return "more";
  });
}

/** Moves rows that older instances wrote since the move, then removes what only those instances needed. */
async function runCleanup(connection: Connection, target: MigrationTarget, migration: Numbered<"cleanup">): Promise<MigrationStep> {
  for (const earlier of backgroundBefore(target.migrations, migration.id)) {
    const went = await moveRows(connection, target, earlier);
    if (went !== "done") {
      return went;
    }
  }
  return connection.transaction(async (session, client) => {
    if (!(await takeLock(session, { schema: target.schema, isOfSession: false }))) {
      return "busy";
    }
    if ((await readPlan(session, target)).cleanup.some(({ id }) => id === migration.id)) {
      await useSchema(client, target.schema);
      await client.query(migration.sql);
      await recordMigration(client, migration);
    }
    return "more";
  });
}

/** Takes the lock if it is free: until the end of the transaction, or of the session. */
export async function takeLock(session: Session, { schema, isOfSession }: { readonly schema: string; readonly isOfSession: boolean }) {
  const lock = isOfSession ? "pg_try_advisory_lock" : "pg_try_advisory_xact_lock";
  const [[isTaken] = [false]] = await session.rows(statement<[boolean]>("later_lock", `SELECT ${lock}(${LATER_LOCK})`), [schema]);
  return isTaken;
}
