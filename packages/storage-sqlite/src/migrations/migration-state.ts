import { createHash } from "node:crypto";
import {
  type AppliedMigration,
  checkedText,
  type Migration,
  type MigrationPlan,
  type Numbered,
  oldestCompatibleOf,
  planMigrations,
} from "@belfry/core/storage";
import type { Database } from "better-sqlite3";

/** What the database does not have yet, after a check of what it has. */
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

/** Notes that the database has a migration; again is allowed. */
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
