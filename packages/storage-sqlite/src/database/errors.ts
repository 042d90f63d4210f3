import { BelfryError } from "@belfry/core";

/** SQLite's primary result codes after which the same call may succeed later. */
const UNAVAILABLE = /^SQLITE_(BUSY|LOCKED|IOERR|FULL|PROTOCOL)(_|$)/;
/** The codes that say that somebody else holds the database at this moment. */
const BUSY = /^SQLITE_(BUSY|LOCKED|PROTOCOL)(_|$)/;
/** better-sqlite3's message, in a TypeError without a code, while the host iterates over a query's rows. */
const ITERATING = "This database connection is busy executing a query";

/** What makes a database writable that is not. */
const WRITABLE = "Let this process write to the database's file and its directory, and pass no connection that was opened to read.";

/**
 * Wraps the driver's error, once: `STORAGE_UNAVAILABLE` for a database that is locked, full or out of reach,
 * `STORAGE_FAILED` for everything else. The driver's error stays as `cause`.
 */
export function wrapError(error: unknown): BelfryError {
  if (error instanceof BelfryError) {
    return error;
  }
  const code = driverCode(error);
  const message = error instanceof Error ? error.message : String(error);
  if (UNAVAILABLE.test(code) || message === ITERATING) {
    const remedy = "Nothing was written; the same call may succeed later.";
    return new BelfryError("STORAGE_UNAVAILABLE", `SQLite is not available (${code || "busy"}: ${message}). ${remedy}`, { cause: error });
  }
  const remedy = code.startsWith("SQLITE_READONLY") ? ` ${WRITABLE}` : "";
  return new BelfryError(
    "STORAGE_FAILED",
    `SQLite refused the operation (${code || "no code"}: ${message}). Nothing was written.${remedy}`,
    { cause: error },
  );
}

/** Whether somebody else holds the database, so that waiting helps. */
export function isBusy(error: unknown): boolean {
  return BUSY.test(driverCode(error)) || (error instanceof Error && error.message === ITERATING);
}

/** Whether a row was refused because a unique index has its key. Nothing of the statement was written then; its transaction goes on. */
export function isTaken(error: unknown): boolean {
  return driverCode(error) === "SQLITE_CONSTRAINT_UNIQUE";
}

function driverCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
