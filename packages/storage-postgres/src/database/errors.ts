import { BelfryError, type Logger } from "@belfry/core";
import type { Pool } from "pg";

/**
 * SQLSTATEs after which the same call may succeed later: connection lost (08), out of connections, memory or disk (53),
 * deadlock or serialization failure (40), a lock, statement or pause of a transaction that took too long, a server that stops,
 * starts or only reads at the moment, and a failing disk.
 */
const UNAVAILABLE_STATES = /^(08...|53...|40001|40P01|55P03|57014|57P0[1-5]|25006|25P03|58030)$/;

/** Node's error codes for a socket that cannot be opened or was lost. */
const UNAVAILABLE_SOCKET =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|ENOENT)$/;

const NO_PREPARED_STATEMENTS =
  "A connection does not have the prepared statements that it should have: behind a pooler in transaction mode, such as PgBouncer, " +
  "pass preparedStatements: false to postgresStorage.";

/** pg's messages in errors without a code. */
const READ_TIMEOUT = "Query read timeout";
const UNAVAILABLE_MESSAGE = new RegExp(
  `Connection terminated|timeout exceeded when trying to connect|${READ_TIMEOUT}|not queryable|Connection ended`,
);

const NO_LOGIN = "Correct the user and the password of the connection, or let the server accept them in pg_hba.conf.";

/** The remedy for each SQLSTATE that has one likely reason. */
const REMEDIES: Readonly<Record<string, string>> = {
  "28000": NO_LOGIN,
  "28P01": NO_LOGIN,
  "3D000": "Create it, or correct the connection string.",
  "42P01": "Belfry's tables are not in this schema: leave the option migrate on, or call migrate() first.",
  // A statement that is prepared twice, and one that is not prepared.
  "42P05": NO_PREPARED_STATEMENTS,
  "26000": NO_PREPARED_STATEMENTS,
};

/** The SQLSTATE with which a database refuses writes of a tenant that moves: see `moving/freeze.ts`. */
export const MOVING_STATE = "BF001";

const TRANSIENT_CONFLICTS = ["40001", "40P01"];

/**
 * Wraps the driver's error, once: `STORAGE_UNAVAILABLE` for a database that is out of reach, overloaded or locked,
 * `STORAGE_FAILED` for everything else. The driver's error stays as `cause`.
 */
export function wrapError(error: unknown): BelfryError {
  if (error instanceof BelfryError) {
    return error;
  }
  const code = errorCode(error);
  if (code === MOVING_STATE) {
    const message = "The tenant's data is moving to another database. The same call may succeed in some seconds. Nothing was written.";
    return new BelfryError("STORAGE_UNAVAILABLE", message, { cause: error, details: { concerns: "tenant" } });
  }
  const what = `${code || "no code"}: ${errorMessage(error)}`;
  if (isUnavailable(error)) {
    return new BelfryError("STORAGE_UNAVAILABLE", `PostgreSQL is not available (${what}). The same call may succeed later.`, {
      cause: error,
    });
  }
  const remedy = REMEDIES[code];
  const message = `PostgreSQL refused the operation (${what}). Nothing was written.${remedy === undefined ? "" : ` ${remedy}`}`;
  return new BelfryError("STORAGE_FAILED", message, { cause: error });
}

/** Whether two transactions conflicted, so that a repeat is likely to succeed. */
export function isTransientConflict(error: unknown): boolean {
  return TRANSIENT_CONFLICTS.includes(errorCode(error));
}

/** Whether the statement waited for a lock longer than it was allowed to. */
export function isLockTimeout(error: unknown): boolean {
  return errorCode(error) === "55P03";
}

/** Whether the statement took longer than it was allowed to, or was cancelled. */
export function isCancelled(error: unknown): boolean {
  return errorCode(error) === "57014";
}

/** Whether a row has the key of one that is there. */
export function isRepeated(error: unknown): boolean {
  return errorCode(error) === "23505";
}

/** Whether a statement refused to count an item in a group that has no active ones: it divides by their number. */
export function isAsleep(error: unknown): boolean {
  return errorCode(error) === "22012";
}

/** Whether the connection did not answer in time. Then it answers no later statement either. */
export function isReadTimeout(error: unknown): boolean {
  return errorMessage(error) === READ_TIMEOUT;
}

/** Whether a statement was ended, or not answered in time, by what may concern it alone: it took too long, or was in the way of others. */
export function isEndedStatement(error: unknown): boolean {
  return isTransientConflict(error) || errorCode(error) === "57014" || isReadTimeout(error);
}

/** Whether the transaction had failed before, so that PostgreSQL ignores everything up to its end. */
export function isFailedTransaction(error: unknown): boolean {
  return errorCode(error) === "25P02";
}

function isUnavailable(error: unknown): boolean {
  const code = errorCode(error);
  return UNAVAILABLE_STATES.test(code) || UNAVAILABLE_SOCKET.test(code) || (code === "" && UNAVAILABLE_MESSAGE.test(errorMessage(error)));
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const listenedTo = new WeakSet<Pool>();

/**
 * Listens for the errors of a pool, once, for as long as the pool lives: a lost idle connection emits an event that ends
 * the process if nobody listens. The pool replaces the connection by itself.
 */
export function listenForErrors(pool: Pool, logger: Logger | null): void {
  if (!listenedTo.has(pool)) {
    listenedTo.add(pool);
    pool.on("error", ({ message }: Error) => {
      logger?.warn(
        // Not the error itself: the pool hangs the whole connection on it, with the key that cancels its statements.
        { reason: message },
        "PostgreSQL closed an idle connection of the pool that Belfry uses; the pool opens another when it needs one.",
      );
    });
  }
}
