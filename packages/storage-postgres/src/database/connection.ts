import type { EventEmitter } from "node:events";
import { inspect } from "node:util";
import { BelfryError } from "@belfry/core";
import type { Client, Pool, PoolClient, QueryConfig } from "pg";
import { isReadTimeout, isTransientConflict } from "./errors.ts";
import { queryConfig, type RunOptions, type Statement, statement } from "./statement.ts";
import { giveBack, takeClient } from "./take-client.ts";

const mayAskServer = statement<[boolean]>("may_ask_server", "SELECT has_function_privilege('pg_catalog.pg_control_system()', 'execute')");

/** Identifies the database alone, if the server does not identify itself. */
const ofDatabase = statement<[string]>(
  "database_identity",
  "SELECT concat_ws(' ', oid::text, datname) FROM pg_database WHERE datname = current_database()",
);

const ofServerToo = statement<[string]>(
  "server_identity",
  `SELECT concat_ws(' ', (SELECT system_identifier FROM pg_control_system())::text, oid::text, datname)
  FROM pg_database WHERE datname = current_database()`,
);

/** Tells the databases behind connections apart, even those with the same name on different servers. */
export interface IdentityCheck {
  /** The storage's own database. */
  readonly own: string;
  /** The database behind `session`. */
  of(session: Session): Promise<string>;
}

/** Identifies the storage's database, and how to identify others. */
export async function identityCheck(own: Session): Promise<IdentityCheck> {
  const [[mayAsk] = [false]] = await own.rows(mayAskServer, []);
  const ask = mayAsk ? ofServerToo : ofDatabase;
  const of = async (session: Session) => {
    const [[identity] = [""]] = await session.rows(ask, []);
    return identity;
  };
  return { own: await of(own), of };
}

/** One value of each kind that Belfry's statements answer with, and its expected form on arrival. */
const KINDS: readonly (readonly [sql: string, expected: unknown])[] = [
  ["true", true],
  ["9007199254740991::bigint", 9007199254740991],
  ["2147483647::int", 2147483647],
  [`'{"a":["é"]}'::json`, { a: ["é"] }],
  [`'{"a": 1}'::jsonb`, '{"a": 1}'],
  // A parameter, because pg asks for the text format where it prepares nothing and sends no values.
  ["$1::text", "é"],
  ["ARRAY['a','b']", "{a,b}"],
  ["'01890000-0000-7000-8000-000000000000'::uuid", "01890000-0000-7000-8000-000000000000"],
  ["NULL::text", null],
];

const readKinds = statement("value_check", `SELECT ${KINDS.map(([sql]) => sql).join(", ")}`);

/**
 * Makes sure that values arrive as Belfry's statements expect them. Parsers that the host set do no harm, because each
 * statement brings its own; the binary format does harm, as does a driver or wrapper that ignores a query's options.
 *
 * @throws BelfryError `CONFIGURATION` that names the first value that arrived wrong
 */
export async function requireReadableValues(session: Session): Promise<void> {
  const [row] = await session.rows(readKinds, ["é"]);
  KINDS.forEach(([sql, expected], index) => {
    const value: unknown = Array.isArray(row) ? row[index] : undefined;
    if (inspect(value) !== inspect(expected)) {
      throw new BelfryError(
        "CONFIGURATION",
        `Belfry cannot read the values of this PostgreSQL connection: ${sql} arrived as ${inspect(value)}, not as ${inspect(expected)}. ` +
          "Leave `binary: true` out of the options of the pool or client (and out of pg.defaults): pg has no parser for most values " +
          "in the binary format. Without it, pass a Pool of pg's JavaScript driver that nothing wraps.",
      );
    }
  });
}

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
 * The transactions that `createWithin` accepts: a pg client with a transaction open on it, or the handle of a drizzle
 * transaction over node-postgres.
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

function isPool(value: unknown): value is Pool {
  return hasFunctions(value, "query", "connect", "on") && typeof value.totalCount === "number" && isObject(value.options);
}

function isClient(value: unknown): value is WatchableClient {
  return (
    hasFunctions(value, "query", "escapeIdentifier") && isObject(value.connectionParameters) && hasFunctions(value.connection, "on", "off")
  );
}

/** Checks the shape: the host may have loaded its own pg. */
function hasFunctions(value: unknown, ...names: readonly string[]): value is Readonly<Record<string, unknown>> {
  return isObject(value) && names.every((name) => typeof value[name] === "function");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** Something that runs statements: a pool, each on any of its connections, or one connection inside a transaction. */
export interface Session {
  /** Runs a statement and returns its rows. Rejects with the driver's own error. */
  rows<Row extends readonly unknown[]>(run: Statement<Row>, values: readonly unknown[]): Promise<readonly Row[]>;
}

/** A session that can also run several statements on one state of the database. */
export interface Snapshots extends Session {
  /** Runs `work`, which only reads, in a transaction that sees the database as it was at its first statement. */
  snapshot<Result>(work: (session: Session) => Promise<Result>): Promise<Result>;
}

/** What can run statements in a transaction of its own, or within the one that is open. */
export interface Transactional extends Session {
  transaction<Result>(work: (session: Session) => Promise<Result>): Promise<Result>;
}

/** A session with a transaction open: what needs one joins it. */
export function joining(session: Session): Transactional {
  return { rows: (run, values) => session.rows(run, values), transaction: (work) => work(session) };
}

/** The part of a pg pool or client that a {@link Session} uses. */
interface Queryable {
  query(config: ReturnType<typeof queryConfig>): Promise<{ readonly rows: readonly unknown[] }>;
}

const CONFLICT_ATTEMPTS = 5;
const CONFLICT_DELAY_MS = 10;

/** A session on `queryable`. */
export function session(queryable: Queryable, options: RunOptions): Session {
  return {
    async rows<Row extends readonly unknown[]>(run: Statement<Row>, values: readonly unknown[]) {
      const { rows } = await queryable.query(queryConfig(run, values, options));
      return rows as readonly Row[];
    },
  };
}

/** A session on a connection that nobody else uses. If a snapshot fails, the connection must be closed: its transaction may be open. */
export function snapshots(client: PoolClient, options: RunOptions): Snapshots {
  const on = session(client, options);
  const answer = (text: string) => client.query({ text, query_timeout: options.timeoutMs } as QueryConfig);
  return {
    rows: (run, values) => on.rows(run, values),
    async snapshot(work) {
      await answer(beginText(SNAPSHOT, options));
      const result = await work(on);
      await answer("COMMIT");
      return result;
    },
  };
}

const SNAPSHOT = "REPEATABLE READ, READ ONLY";

/** Begins a transaction that the server ends when this process falls silent in it. */
function beginText(isolation: string, { timeoutMs }: RunOptions): string {
  return `BEGIN ISOLATION LEVEL ${isolation}; SET LOCAL idle_in_transaction_session_timeout = ${timeoutMs}`;
}

/** The pool that a storage works on. */
export class Connection implements Snapshots {
  readonly #pool: Pool;
  readonly #options: RunOptions;
  readonly #session: Session;

  constructor(pool: Pool, options: RunOptions) {
    this.#pool = pool;
    this.#options = options;
    this.#session = session(pool, options);
  }

  rows<Row extends readonly unknown[]>(run: Statement<Row>, values: readonly unknown[]): Promise<readonly Row[]> {
    return this.#session.rows(run, values);
  }

  /**
   * Runs `work` in one transaction at the isolation level READ COMMITTED; rolls back and rejects if it rejects. PostgreSQL ends
   * a transaction whose process falls silent: it may not learn for hours that the process is gone, and its locks block others.
   */
  transaction<Result>(work: (session: Session, client: PoolClient) => Promise<Result>): Promise<Result> {
    return this.#transaction("", work);
  }

  /**
   * Like {@link transaction}, for a step of long work that can be repeated: it releases its locks without waiting for the
   * disk. A crash of the server may take the step back, unless a later transaction has waited for the disk.
   */
  step<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    return this.#transaction("; SET LOCAL synchronous_commit = off", work);
  }

  snapshot<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    return this.#transaction("", work, SNAPSHOT);
  }

  async #transaction<Result>(
    settings: string,
    work: (session: Session, client: PoolClient) => Promise<Result>,
    isolation = "READ COMMITTED",
  ): Promise<Result> {
    const client = await takeClient(this.#pool);
    const { timeoutMs } = this.#options;
    const answer = (text: string) => client.query({ text, query_timeout: timeoutMs } as QueryConfig);
    let isBroken = false;
    try {
      await answer(`${beginText(isolation, this.#options)}${settings}`);
      const result = await work(session(client, this.#options), client);
      await answer("COMMIT");
      return result;
    } catch (error) {
      // A connection that does not answer, or cannot even roll back, is not given to anybody else.
      isBroken = isReadTimeout(error) || !(await answer("ROLLBACK").catch(() => null));
      throw error;
    } finally {
      giveBack(client, isBroken);
    }
  }

  /**
   * Runs `work`, outside of a transaction, on a connection that is closed afterwards, with whatever was set or locked on
   * it. `signal` cancels the statement that runs at that moment.
   */
  async alone<Result>(signal: AbortSignal | undefined, work: (session: Session, client: PoolClient) => Promise<Result>): Promise<Result> {
    const client = await takeClient(this.#pool);
    const cancel = () => {
      // The process id of the connection, which pg's types leave out.
      const { processID } = client as PoolClient & { readonly processID?: number };
      // If this fails, `work` runs to its end.
      this.#pool.query("SELECT pg_cancel_backend($1)", [processID]).catch(ignore);
    };
    signal?.addEventListener("abort", cancel);
    try {
      return await work(session(client, this.#options), client);
    } finally {
      signal?.removeEventListener("abort", cancel);
      giveBack(client, true);
    }
  }

  /** Repeats `work` a few times if PostgreSQL ended it because two transactions conflicted. */
  async retryingConflicts<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (attempt === CONFLICT_ATTEMPTS || !isTransientConflict(error)) {
          throw error;
        }
        // A random delay, so that the two do not meet again.
        await new Promise((resolve) => setTimeout(resolve, Math.random() * CONFLICT_DELAY_MS * attempt));
      }
    }
  }
}

function ignore(): void {}
