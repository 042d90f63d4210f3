import type { Logger } from "@belfry/core";
import type { Pool } from "pg";

const listenedTo = new WeakSet<Pool>();

/**
 * Listens for the errors of a pool, once, for as long as the pool lives: an idle connection that is lost says so by an
 * event that ends the process if nobody listens. The pool replaces the connection by itself.
 */
export function listenForErrors(pool: Pool, logger: Logger): void {
  if (!listenedTo.has(pool)) {
    listenedTo.add(pool);
    pool.on("error", ({ message }: Error) => {
      logger.warn(
        // Not the error itself: the pool hangs the whole connection on it, with the key that cancels its statements.
        { reason: message },
        "PostgreSQL closed an idle connection of the pool that Belfry uses; the pool opens another when it needs one.",
      );
    });
  }
}
