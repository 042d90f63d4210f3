import { expect } from "vitest";
import { openPool } from "../../test/test-database.ts";

const LOCK = 4_711;

/**
 * Plants a trigger into a PostgreSQL database that waits for us inside the transaction that sets it off, before its commit.
 *
 * @param on when it is set off, as SQL between `CREATE TRIGGER name` and `EXECUTE`
 */
export async function waitingTrigger(url: string, on: string) {
  const pool = openPool(url, { max: 2 });
  const holder = await pool.connect();
  await holder.query(`SELECT pg_advisory_lock(${LOCK})`);
  await pool.query(`CREATE OR REPLACE FUNCTION belfry_wait() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock(${LOCK}); RETURN NULL; END'`);
  await pool.query(`CREATE TRIGGER belfry_waits ${on} EXECUTE FUNCTION belfry_wait()`);
  // The server lists the waits of all its databases, where other points are tried at the same time.
  const listWaiting = `SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database
    WHERE d.datname = current_database() AND locktype = 'advisory' AND objid = ${LOCK} AND NOT granted`;
  const waiting = async () => (await pool.query<{ pid: number }>(listWaiting)).rows;
  return {
    /** Resolves once a transaction waits there. */
    async reached(): Promise<void> {
      await expect.poll(waiting, { timeout: 60_000, interval: 20 }).not.toEqual([]);
    },
    /** Ends what waits, as PostgreSQL does when it learns that its client is gone, and takes the trigger away. */
    async end(): Promise<void> {
      for (const { pid } of await waiting()) {
        await pool.query("SELECT pg_terminate_backend($1)", [pid]);
      }
      await expect.poll(waiting, { timeout: 60_000, interval: 20 }).toEqual([]);
      await pool.query("DROP TRIGGER belfry_waits ON belfry_deliveries");
      holder.release(true);
      await pool.end();
    },
  };
}
