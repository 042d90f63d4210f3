import type { FreshDatabase } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import pg from "pg";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { migratedPostgres } from "../../../test/migrated-postgres.ts";
import type { ServiceDatabase } from "./service-database.ts";
import { silent } from "./silent.ts";

/** A database for the tests of a block, which is emptied before each of them. Its time is the service's, so that tests can move it. */
export function usePostgresDatabase(): ServiceDatabase {
  let database: FreshDatabase | undefined;
  let pool: pg.Pool | undefined;
  let emptyTables = "";
  const connections = (): pg.Pool => {
    if (pool === undefined) {
      throw new Error("The database is there only while the tests of the block run.");
    }
    return pool;
  };
  beforeAll(async () => {
    database = await migratedPostgres();
    pool = new pg.Pool({ connectionString: database.url });
    // Faster by far than TRUNCATE, for the few rows of a test.
    emptyTables = (await tablesOf(pool)).map((name) => `DELETE FROM ${name};`).join("");
  });
  beforeEach(() => connections().query(emptyTables));
  afterAll(async () => {
    await pool?.end();
    await database?.drop();
  });
  return {
    storage: () => postgresStorage(connections(), { time: "service", logger: silent }),
    transaction: (work) => inTransaction(connections(), work, "COMMIT"),
    rolledBack: (work) => inTransaction(connections(), work, "ROLLBACK"),
    async content() {
      const rows = (await tablesOf(connections())).map((name) =>
        connections().query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`),
      );
      return (await Promise.all(rows)).flatMap((result) => result.rows.map(({ row }) => row)).join("\n");
    },
  };
}

/** Belfry's tables but for the list of its migrations. */
async function tablesOf(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE tablename LIKE 'belfry\\_%' AND tablename <> 'belfry_migrations'",
  );
  return rows.map(({ name }) => name);
}

/** Runs `work` in a transaction that ends as `end` says, or rolls back when `work` rejects. */
async function inTransaction(pool: pg.Pool, work: (tx: unknown) => void | Promise<void>, end: "COMMIT" | "ROLLBACK"): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await work(client);
    await client.query(end);
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}
