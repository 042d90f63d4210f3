import type { Pool, PoolClient } from "pg";
import { isTransientConflict } from "./errors.ts";
import { queryConfig, type RunOptions, type Statement } from "./statement.ts";

/** Something that runs statements: a pool, each on any of its connections, or one connection inside a transaction. */
export interface Session {
  /** Runs a statement and returns its rows. Rejects with the driver's own error. */
  rows<Row extends readonly unknown[]>(run: Statement<Row>, values: readonly unknown[]): Promise<readonly Row[]>;
}

/** What a {@link Session} needs of a pg pool or client. */
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

/** The pool that a storage works on. */
export class Connection implements Session {
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

  /** Runs `work` in one transaction at the isolation level READ COMMITTED; rolls back and rejects if it rejects. */
  async transaction<Result>(work: (session: Session, client: PoolClient) => Promise<Result>): Promise<Result> {
    const client = await this.#connect();
    let isBroken = false;
    try {
      await client.query("BEGIN ISOLATION LEVEL READ COMMITTED");
      const result = await work(session(client, this.#options), client);
      await client.query("COMMIT");
      return result;
    } catch (error) {
      // A connection that cannot even roll back is not given to anybody else.
      await client.query("ROLLBACK").catch(() => {
        isBroken = true;
      });
      throw error;
    } finally {
      client.off("error", ignore);
      client.release(isBroken);
    }
  }

  /**
   * Runs `work`, outside of a transaction, on a connection that is closed afterwards, with whatever was set or locked on
   * it. `signal` cancels the statement that runs at that moment.
   */
  async alone<Result>(signal: AbortSignal | undefined, work: (session: Session, client: PoolClient) => Promise<Result>): Promise<Result> {
    const client = await this.#connect();
    const cancel = () => {
      // The process id of the connection, which pg's types leave out.
      const { processID } = client as PoolClient & { readonly processID?: number };
      // If it cannot be cancelled, it is waited for.
      this.#pool.query("SELECT pg_cancel_backend($1)", [processID]).catch(ignore);
    };
    signal?.addEventListener("abort", cancel);
    try {
      return await work(session(client, this.#options), client);
    } finally {
      signal?.removeEventListener("abort", cancel);
      client.off("error", ignore);
      client.release(true);
    }
  }

  /**
   * Takes a connection. One that is lost between two statements says so by an event, which ends the process if nobody
   * listens; the next statement fails and tells the caller. By callback, because a promise is too late: the message that
   * makes a new connection ready may come in one packet with the one that ends it.
   */
  #connect(): Promise<PoolClient> {
    return new Promise((resolve, reject) => {
      this.#pool.connect((error, client) => {
        if (client === undefined) {
          reject(error);
        } else {
          client.on("error", ignore);
          resolve(client);
        }
      });
    });
  }

  /** Does `work` again, a few times, when PostgreSQL ended it because two transactions were in each other's way. */
  async retryingConflicts<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (attempt === CONFLICT_ATTEMPTS || !isTransientConflict(error)) {
          throw error;
        }
        // Of different length, so that the two do not meet again.
        await new Promise((resolve) => setTimeout(resolve, Math.random() * CONFLICT_DELAY_MS * attempt));
      }
    }
  }
}

function ignore(): void {}
