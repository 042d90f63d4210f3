import { createHash } from "node:crypto";
import { BelfryError } from "@belfry/core";
import type { Database } from "better-sqlite3";
import { Connection } from "../database/connection.ts";
import { DEFAULT_BUSY_TIMEOUT_MS } from "../sqlite-options.ts";
import { MIGRATIONS } from "./index.ts";

interface AppliedMigration {
  readonly id: number;
  readonly checksum: string;
}

/**
 * Brings Belfry's tables in `database` up to date, in one transaction: after a crash in the middle nothing of it is
 * there. Several processes may do so at once. A storage does it by itself when it opens, unless it was told not to.
 *
 * @throws BelfryError `CONFIGURATION` if the database was migrated by a newer Belfry, or if a migration it has is not
 *   the one this package contains
 *
 * @example
 * ```ts
 * const database = new Database("app.db");
 * await migrate(database);
 * ```
 */
export function migrate(database: Database): Promise<void> {
  return migrateConnection(new Connection(database, DEFAULT_BUSY_TIMEOUT_MS), MIGRATIONS);
}

/** Like {@link migrate}, over a given list of migrations. */
export async function migrateConnection(connection: Connection, migrations: readonly string[]): Promise<void> {
  const { database } = connection;
  // Most starts find everything done, and need not wait for a writer to learn so.
  if ((await connection.read(() => missing(database, migrations))).length === 0) {
    return;
  }
  await connection.write(() => {
    database.exec(
      "CREATE TABLE IF NOT EXISTS belfry_migrations (id INTEGER PRIMARY KEY NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL)",
    );
    const record = database.prepare("INSERT INTO belfry_migrations (id, checksum, applied_at) VALUES (?, ?, ?)");
    // Another process may have been faster between the look above and our turn to write.
    for (const { id, sql } of missing(database, migrations)) {
      database.exec(sql);
      record.run(id, checksum(sql), Date.now());
    }
  });
}

/** The migrations that the database does not have yet, after a check of those that it has. */
function missing(database: Database, migrations: readonly string[]): { readonly id: number; readonly sql: string }[] {
  const applied = new Map(appliedMigrations(database).map((row) => [row.id, row.checksum]));
  const newest = Math.max(0, ...applied.keys());
  if (newest > migrations.length) {
    throw new BelfryError(
      "CONFIGURATION",
      `The database ${database.name} has migration ${newest}, but this @belfry/storage-sqlite knows ${migrations.length}: ` +
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
        `Migration ${id} of the database ${database.name} has checksum ${found}, but this @belfry/storage-sqlite has ${checksum(sql)}: ` +
          "it was migrated with other SQL. Use the package version that made it, or restore belfry_migrations.",
      );
    }
    return [];
  });
}

function appliedMigrations(database: Database): AppliedMigration[] {
  const table = database.prepare("SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'belfry_migrations'");
  if (table.get() === undefined) {
    return [];
  }
  // A host may have switched its connection to BigInt.
  return database.prepare<[], AppliedMigration>("SELECT id, checksum FROM belfry_migrations ORDER BY id").safeIntegers(false).all();
}

function checksum(sql: string): string {
  return createHash("sha256").update(sql).digest("hex");
}
