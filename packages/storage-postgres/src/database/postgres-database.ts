import type { DatabaseFacts, Logger, MigrateInput, MigrationState, PartitionInput, StorageDatabase } from "@belfry/core";
import type { Migration } from "@belfry/core/storage";
import type { Pool } from "pg";
import { hasTables, migrateAtOpen, migrateLater, readPlan } from "../migrations/migrate.ts";
import { partition } from "../partitions/partition.ts";
import { QUERY_TIMEOUT_MS } from "../postgres-options.ts";
import { Connection } from "./connection.ts";
import { listenForErrors, wrapError } from "./errors.ts";
import { openPool } from "./open-pool.ts";
import { statement } from "./statement.ts";

/** The parts of a storage that look at its database. */
export interface PostgresDatabaseParts {
  /** A connection string, or a pool of the host. */
  readonly source: string | Pool;
  readonly schema: string;
  readonly migrations: readonly Migration[];
  readonly logger: Logger;
  /** The storage's own pool while it is open; null otherwise. */
  current(): Pool | null;
}

/** Settings that decide what survives a failure, and how many connections there may be. */
const SETTINGS = ["fsync", "full_page_writes", "synchronous_commit", "max_connections", "server_encoding"] as const;

const facts = statement<[version: string, nowMs: number, isInRecovery: boolean, settings: Readonly<Record<string, string>>]>(
  "database_facts",
  `SELECT current_setting('server_version'), (extract(epoch FROM clock_timestamp()) * 1000)::bigint, pg_is_in_recovery(),
    json_build_object(${SETTINGS.map((name) => `'${name}', current_setting('${name}')`).join()})`,
);

/** One to work on, and one beside it. */
const CONNECTIONS = 2;

/** Looks at a PostgreSQL database: over the storage's own pool while it is open, else over one for the call alone. */
export class PostgresDatabase implements StorageDatabase {
  readonly #parts: PostgresDatabaseParts;

  constructor(parts: PostgresDatabaseParts) {
    this.#parts = parts;
  }

  get place(): string {
    const { source } = this.#parts;
    if (typeof source === "string") {
      return placeOf(source);
    }
    const { connectionString, host = "localhost", port = 5432, database = "" } = source.options;
    return connectionString === undefined ? `postgres://${host}:${port}/${database}` : placeOf(connectionString);
  }

  inspect(): Promise<DatabaseFacts> {
    const { schema } = this.#parts;
    return this.#on(async (pool) => {
      const [row] = await connectionOf(pool).rows(facts, []);
      const [version = "", nowMs = 0, isInRecovery = false, settings = {}] = row ?? [];
      const more = { schema, in_recovery: isInRecovery ? "on" : "off" };
      return { product: "PostgreSQL", version, now: new Date(nowMs), settings: { ...settings, ...more } };
    });
  }

  migrations(): Promise<MigrationState> {
    const { schema, migrations } = this.#parts;
    return this.#on(async (pool) => {
      const connection = connectionOf(pool);
      const { state } = await readPlan(connection, { schema, migrations });
      return { ...state, hasTables: await hasTables(connection, schema) };
    });
  }

  async migrate({ cleanup = false }: MigrateInput): Promise<void> {
    const { schema, migrations } = this.#parts;
    const target = { schema, migrations };
    await this.#on(async (pool) => {
      await migrateAtOpen(pool, target);
      await migrateLater(pool, target, { mayCleanUp: cleanup });
    });
  }

  async partition(input: PartitionInput): Promise<void> {
    const { schema } = this.#parts;
    await this.#on((pool) => partition(pool, { ...input, schema }));
  }

  async #on<Result>(work: (pool: Pool) => Promise<Result>): Promise<Result> {
    const { pool, isForThis } = this.#pool();
    listenForErrors(pool, this.#parts.logger);
    try {
      return await work(pool);
    } catch (error) {
      throw wrapError(error);
    } finally {
      if (isForThis) {
        await pool.end();
      }
    }
  }

  /** The pool to work on, and whether it was opened for this. */
  #pool(): { readonly pool: Pool; readonly isForThis: boolean } {
    const { source, current } = this.#parts;
    const lasting = current() ?? source;
    return typeof lasting === "string" ? { pool: openPool(lasting, CONNECTIONS), isForThis: true } : { pool: lasting, isForThis: false };
  }
}

/** A session that leaves nothing prepared: such looks are rare. */
function connectionOf(pool: Pool): Connection {
  return new Connection(pool, { prepared: false, timeoutMs: QUERY_TIMEOUT_MS });
}

/** A connection string without its password, and without parameters, which may contain one. */
function placeOf(connectionString: string): string {
  const url = URL.parse(connectionString);
  if (url === null) {
    // The path of a socket, and whatever else pg may take.
    return "postgres";
  }
  return `${url.protocol}//${url.host}${url.pathname}`;
}
