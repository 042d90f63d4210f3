import pg from "pg";
import { migratedPostgres } from "../../../test/migrated-postgres.ts";

/** A database for one test, and the test's connections to it. */
export interface TestDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
}

/** Makes a database that has Belfry's tables, and nothing in them; it is dropped after the test. */
export async function testDatabase(cleanup: (task: () => unknown) => void): Promise<TestDatabase> {
  const { url, drop } = await migratedPostgres();
  cleanup(drop);
  const pool = openPool(url);
  cleanup(() => pool.end());
  return { url, pool };
}

/** Opens a pool that outlives lost connections. */
export function openPool(url: string, options: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, ...options });
  pool.on("error", () => {});
  return pool;
}
