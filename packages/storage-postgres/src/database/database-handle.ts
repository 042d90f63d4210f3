import type { EventEmitter } from "node:events";
import type { Client, Pool, PoolClient } from "pg";

/** A drizzle database over node-postgres, as far as Belfry needs it. */
export interface DrizzlePostgresDatabase {
  readonly $client: Pool;
}

/** The handle that drizzle's `db.transaction((tx) => …)` over node-postgres gives, as far as Belfry needs it. */
export interface DrizzlePostgresTransaction {
  execute(query: string): PromiseLike<unknown>;
  rollback(): never;
}

/**
 * What `createWithin` takes: a pg client with a transaction open on it, or the handle of a drizzle transaction over
 * node-postgres.
 */
export type PostgresTransaction = Client | PoolClient | DrizzlePostgresTransaction;

/** A client of pg's JavaScript driver, whose protocol messages can be watched. */
export type WatchableClient = Client & { readonly connection: EventEmitter };

/** Finds the pg pool in what the host passed: itself, or the one behind a drizzle database. */
export function poolOf(source: unknown): Pool | null {
  if (isPool(source)) {
    return source;
  }
  return isObject(source) && isPool(source.$client) ? source.$client : null;
}

/** Finds the pg client in what the host passed as its transaction: itself, or the one behind a drizzle transaction. */
export function clientOf(handle: unknown): WatchableClient | null {
  if (isClient(handle)) {
    return handle;
  }
  if (!isObject(handle)) {
    return null;
  }
  // drizzle has the driver's client in the session of a transaction, and a pool in that of a database.
  const session = handle.session;
  return isObject(session) && isClient(session.client) ? session.client : null;
}

/** Told by shape: the host may have loaded a pg of its own. */
function isPool(value: unknown): value is Pool {
  return (
    isObject(value) &&
    typeof value.query === "function" &&
    typeof value.connect === "function" &&
    typeof value.on === "function" &&
    typeof value.totalCount === "number" &&
    isObject(value.options)
  );
}

function isClient(value: unknown): value is WatchableClient {
  return (
    isObject(value) &&
    typeof value.query === "function" &&
    typeof value.escapeIdentifier === "function" &&
    isObject(value.connectionParameters) &&
    isObject(value.connection) &&
    typeof value.connection.on === "function" &&
    typeof value.connection.off === "function"
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
