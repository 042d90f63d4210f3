import { freshDatabase } from "@belfry/postgres-launcher";
import pg from "pg";

/** A database of a test's own, and connections to it that the test works with. */
export interface TestDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
}

/** Makes an empty database, which is dropped when the test is over. */
export async function testDatabase(cleanup: (task: () => unknown) => void): Promise<TestDatabase> {
  const { url, drop } = await freshDatabase();
  cleanup(drop);
  const pool = openPool(url);
  cleanup(() => pool.end());
  return { url, pool };
}

/** A pool that outlives lost connections. */
export function openPool(url: string, options: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, ...options });
  pool.on("error", () => {});
  return pool;
}
