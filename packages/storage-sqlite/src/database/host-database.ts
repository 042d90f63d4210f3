import type { Database, RunResult } from "better-sqlite3";

/** A drizzle database over better-sqlite3, as far as Belfry needs it. */
export interface DrizzleSqliteDatabase {
  readonly $client: Database;
}

/** The handle that drizzle's synchronous `db.transaction((tx) => …)` over better-sqlite3 gives, as far as Belfry needs it. */
export interface DrizzleSqliteTransaction {
  run(query: string): RunResult;
  rollback(): never;
}

/**
 * The transactions that `createWithin` accepts: a better-sqlite3 database with a transaction open on it, or the handle
 * of a drizzle transaction over one.
 */
export type SqliteTransaction = Database | DrizzleSqliteTransaction;

/** Finds the better-sqlite3 database in what the host passed: itself, a drizzle database or a drizzle transaction. */
export function databaseOf(handle: unknown): Database | null {
  if (isDatabase(handle)) {
    return handle;
  }
  if (!isObject(handle)) {
    return null;
  }
  if (isDatabase(handle.$client)) {
    return handle.$client;
  }
  // A drizzle transaction has no $client; its session has the driver's connection.
  const session = handle.session;
  return isObject(session) && isDatabase(session.client) ? session.client : null;
}

/** Checks the shape: the host may have loaded its own better-sqlite3. */
function isDatabase(value: unknown): value is Database {
  return (
    isObject(value) &&
    typeof value.inTransaction === "boolean" &&
    typeof value.name === "string" &&
    typeof value.prepare === "function" &&
    typeof value.pragma === "function"
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
