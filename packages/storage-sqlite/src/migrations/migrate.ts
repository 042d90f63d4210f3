import { createHash } from "node:crypto";
import { BelfryError, requireOptions } from "@belfry/core";
import {
  type AppliedMigration,
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
import type { Database } from "better-sqlite3";
import { Connection } from "../database/connection.ts";
import { databaseOf } from "../database/host-database.ts";
import { DEFAULT_BUSY_TIMEOUT_MS } from "../sqlite-options.ts";
import { MIGRATIONS } from "./index.ts";

/** Checks the migrations that the database has, and returns those it lacks. */
export function readPlan(database: Database, migrations: readonly Migration[]): MigrationPlan {
  const subject = { database: `database ${database.name}`, packageName: "@belfry/storage-sqlite", checksumOf };
  return planMigrations(migrations, appliedMigrations(database), subject);
}

/** Makes the table that {@link recordMigration} writes to, or brings it up to date. */
export function makeMigrationsTable(database: Database): void {
  database.exec(
    "CREATE TABLE IF NOT EXISTS belfry_migrations (id INTEGER PRIMARY KEY NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL)",
  );
  if (!hasOldestCompatible(database)) {
    database.exec("ALTER TABLE belfry_migrations ADD COLUMN oldest_compatible INTEGER NOT NULL DEFAULT 0");
  }
}

/** Records that the database has a migration; may be repeated. */
export function recordMigration(database: Database, migration: Numbered): void {
  database
    .prepare("INSERT OR IGNORE INTO belfry_migrations (id, checksum, applied_at, oldest_compatible) VALUES (?, ?, ?, ?)")
    .run(migration.id, checksumOf(migration), Date.now(), oldestCompatibleOf(migration));
}

function appliedMigrations(database: Database): readonly AppliedMigration[] {
  const table = database.prepare("SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'belfry_migrations'");
  if (table.get() === undefined) {
    return [];
  }
  const oldestCompatible = hasOldestCompatible(database) ? "oldest_compatible" : "0";
  return (
    database
      .prepare<[], AppliedMigration>(`SELECT id, checksum, ${oldestCompatible} AS "oldestCompatible" FROM belfry_migrations ORDER BY id`)
      // A host may have switched its connection to BigInt.
      .safeIntegers(false)
      .all()
  );
}

function hasOldestCompatible(database: Database): boolean {
  const column = database.prepare("SELECT 1 FROM pragma_table_info('belfry_migrations', 'main') WHERE name = 'oldest_compatible'");
  return column.get() !== undefined;
}

/** SHA-256 of a migration's SQL, in hexadecimal. */
function checksumOf(migration: Migration): string {
  return createHash("sha256").update(checkedText(migration)).digest("hex");
}

/**
 * Makes sure that the tables can be used, and migrates them if it may. Answers whether background migrations remain.
 */
export async function openTables(connection: Connection, migrations: readonly Migration[], mayMigrate: boolean): Promise<boolean> {
  if (mayMigrate) {
    const { later, cleanup } = await migrateAtOpen(connection, migrations);
    return later.length + cleanup.length > 0;
  }
  await connection.read(() => requireTables(connection.database, migrations));
  return false;
}

/** Whether the database has Belfry's tables, whoever made them. */
export function hasTables(database: Database): boolean {
  const table = database.prepare("SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'belfry_processing_records'");
  return table.get() !== undefined;
}

function requireTables(database: Database, migrations: readonly Migration[]): void {
  if (!hasTables(database)) {
    throw new BelfryError(
      "CONFIGURATION",
      `The database ${database.name} has no Belfry tables. Leave the option migrate on, or call migrate(database) first.`,
    );
  }
  const [missing] = readPlan(database, migrations).atOpen;
  // If the host's own drizzle-kit makes the tables, no migration of ours is recorded.
  if (missing !== undefined && missing.id > 1) {
    throw new BelfryError(
      "CONFIGURATION",
      `The database ${database.name} lacks migration ${missing.id} of this @belfry/storage-sqlite. ` +
        "Leave the option migrate on, or call migrate(database) first.",
    );
  }
}

/** Options of a migration. */
export interface MigrateOptions {
  /**
   * Whether to remove what only older versions of this package need. Allow it once none of them runs any more.
   *
   * @default false
   */
  readonly cleanup?: boolean;
}

/**
 * Brings Belfry's tables in `database` up to date, with the steps that a storage takes in the background after it opens.
 * New tables and columns come in one transaction, so that a crash in the middle leaves none of them. The rest runs in
 * small steps and continues where it stopped. Several processes may do so at once.
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
export async function migrate(database: Database, options: MigrateOptions = {}): Promise<void> {
  if (database === null || databaseOf(database) !== database) {
    throw new BelfryError("CONFIGURATION", "migrate got no database. Pass an open better-sqlite3 database.");
  }
  requireOptions("migrate", options, { cleanup: true } satisfies Record<keyof MigrateOptions, true>);
  const { cleanup = false } = options;
  const connection = new Connection(database, DEFAULT_BUSY_TIMEOUT_MS);
  await migrateAtOpen(connection, MIGRATIONS);
  await migrateLater(connection, MIGRATIONS, cleanup);
}

/** Runs the migrations that a storage needs before use, and answers what is left to do. */
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

/** Runs everything that {@link migrationStep} has to do, to the end. */
export async function migrateLater(connection: Connection, migrations: readonly Migration[], mayCleanUp: boolean): Promise<void> {
  for (;;) {
    if ((await migrationStep(connection, migrations, mayCleanUp)) === "done") {
      return;
    }
    // The event loop is free between two steps.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Does the next small piece of the migrations that run once a storage is open. Two processes take turns. */
export async function migrationStep(connection: Connection, migrations: readonly Migration[], mayCleanUp: boolean): Promise<MigrationStep> {
  const { database } = connection;
  const look = () => {
    const plan = readPlan(database, migrations);
    return { next: plan.later[0], cleanup: nextCleanup(plan, mayCleanUp) };
  };
  const { next, cleanup } = await connection.read(look);
  if (next === undefined && cleanup === undefined) {
    return "done";
  }
  return connection.write((): MigrationStep => {
    makeMigrationsTable(database);
    const now = look();
    if (now.next !== undefined) {
      moveRows(database, now.next);
    } else if (now.cleanup !== undefined) {
      takeAway(database, migrations, now.cleanup);
    }
    return "more";
  });
}

/** Moves some rows, or records the migration as done if there are none; answers whether it moved any. */
function moveRows(database: Database, migration: Numbered<"background" | "outside">): boolean {
  if (migration.phase === "outside") {
    throw new BelfryError("CONFIGURATION", `Migration ${migration.id} cannot run: SQLite does everything inside a transaction.`);
  }
  const isMoved = database.prepare(migration.sql).run().changes > 0;
  if (!isMoved) {
    recordMigration(database, migration);
  }
  return isMoved;
}

/** Moves rows that older instances wrote since the move, then removes what only those instances needed. */
function takeAway(database: Database, migrations: readonly Migration[], cleanup: Numbered<"cleanup">): void {
  const hasMoved = backgroundBefore(migrations, cleanup.id).some((migration) => moveRows(database, migration));
  if (!hasMoved) {
    database.exec(cleanup.sql);
    recordMigration(database, cleanup);
  }
}
