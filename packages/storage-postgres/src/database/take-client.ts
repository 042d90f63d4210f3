import type { Pool, PoolClient } from "pg";

/**
 * Takes a connection of a pool. If it is lost between two statements, it emits an event, which ends the process if nobody
 * listens; the next statement fails and tells the caller. Uses a callback, because a promise is too late: one packet
 * may hold both the message that makes a new connection ready and the one that ends it.
 */
export function takeClient(pool: Pool): Promise<PoolClient> {
  return new Promise((resolve, reject) => {
    pool.connect((error, client) => {
      if (client === undefined) {
        reject(error);
      } else {
        client.on("error", ignore);
        resolve(client);
      }
    });
  });
}

/** Takes a connection as {@link takeClient} does, and rejects if there is none within a time. One that comes later goes back. */
export async function takeClientWithin(pool: Pool, timeoutMs: number): Promise<PoolClient> {
  const taken = takeClient(pool);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`There was no connection within ${timeoutMs} ms.`)), timeoutMs);
  });
  try {
    return await Promise.race([taken, late]);
  } catch (error) {
    taken.then((client) => giveBack(client, false), ignore);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Gives a connection back that {@link takeClient} took. @param isBroken whether nobody may get it any more */
export function giveBack(client: PoolClient, isBroken: boolean): void {
  client.off("error", ignore);
  client.release(isBroken);
}

function ignore(): void {}
