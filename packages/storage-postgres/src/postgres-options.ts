import type { Logger } from "@belfry/core";
import { type OptionChecks, SWITCH } from "@belfry/storage-sql";
import type { DatabaseSource } from "./database/source.ts";

/** How a PostgreSQL storage works. */
export interface PostgresStorageOptions {
  /** The PostgreSQL schema of Belfry's tables; it is made if it is not there. @default "public" */
  readonly schema?: string;
  /** Whether opening brings the tables up to date. @default true */
  readonly migrate?: boolean;
  /** How many connections Belfry opens at the most when it was given a connection string. @default 10 */
  readonly poolSize?: number;
  /**
   * Whether connections keep hot statements prepared. Switch it off behind a pooler that gives each transaction another
   * connection and does not know prepared statements (PgBouncer before 1.21). @default true
   */
  readonly preparedStatements?: boolean;
  /**
   * Whose clock decides which deliveries are due and which leases have run out: the database's, which all instances
   * share, or each service's own, for tests that move it by hand. @default "database"
   */
  readonly time?: "database" | "service";
  /** Where lost connections, and migrations that fail in the background, are reported. @default warnings and errors on the console */
  readonly logger?: Logger;
  /**
   * A replica that answers reads that may be behind: those of `inbox.mayLag()`. Everything else stays on the database itself, and so do
   * these while the replica cannot answer. @default the database itself answers them
   */
  readonly replica?: ReplicaOptions;
}

/** A physical replica of the database (streaming replication, hot standby). */
export interface ReplicaOptions {
  /**
   * A connection string, for which Belfry opens `poolSize` connections at the most, or a pg pool of yours, or a drizzle database over
   * one. Nothing is connected before the first read that may be behind.
   */
  readonly database: DatabaseSource;
  /** How far the replica may be behind to answer, in milliseconds, at least 100. @default 10,000 */
  readonly maxLagMs?: number;
}

/** How long a connection may leave a statement unanswered before it is given up. PostgreSQL's own limits are shorter. */
export const QUERY_TIMEOUT_MS = 30_000;

/** How long a new connection may take. */
export const CONNECTION_TIMEOUT_MS = 10_000;

export const DEFAULT_POOL_SIZE = 10;
export const DEFAULT_SCHEMA = "public";
export const DEFAULT_MAX_LAG_MS = 10_000;
const LEAST_MAX_LAG_MS = 100;

/** The check of each option. */
export const POSTGRES_OPTIONS: OptionChecks<PostgresStorageOptions> = {
  schema: ["the name of one", (value) => typeof value === "string" && value !== ""],
  migrate: SWITCH,
  poolSize: ["a whole number above 0", (value) => Number.isSafeInteger(value) && Number(value) > 0],
  preparedStatements: SWITCH,
  time: ['"database" or "service"', (value) => value === "database" || value === "service"],
  logger: null,
  replica: ["an object with the replica's database", (value) => typeof value === "object" && value !== null && "database" in value],
};

/** The check of each option of a replica. */
export const REPLICA_OPTIONS: OptionChecks<ReplicaOptions> = {
  database: null,
  maxLagMs: [
    `a whole number of milliseconds, at least ${LEAST_MAX_LAG_MS}`,
    (value) => Number.isSafeInteger(value) && Number(value) >= LEAST_MAX_LAG_MS,
  ],
};
