import type { FreshDatabase } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import pg from "pg";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { migratedPostgres } from "../../../test/migrated-postgres.ts";
import type { ServiceDatabase } from "./service-database.ts";
import { silent } from "./silent.ts";

/** A database with Belfry's tables, and connections to it. */
interface Place {
  readonly database: FreshDatabase;
  readonly pool: pg.Pool;
  /** Deletes all rows. Faster by far than TRUNCATE, for the few rows of a test. */
  readonly emptyTables: string;
}

/**
 * The places of this process that no block of tests uses. Blocks have them one after another, those of other files too: making a
 * database, and planning every statement on new connections, takes longer than most tests.
 */
const free: Place[] = [];

async function newPlace(): Promise<Place> {
  const database = await migratedPostgres();
  const pool = new pg.Pool({ connectionString: database.url, allowExitOnIdle: true });
  // Nobody waits for an idle connection that is lost.
  pool.on("error", () => {});
  const emptyTables = (await tablesOf(pool)).map((name) => `DELETE FROM ${name};`).join("");
  return { database, pool, emptyTables };
}

/** Keeps a place for the next block; a server that outlives the run keeps no database of it. */
async function leave(place: Place): Promise<void> {
  if (process.env.TEST_DATABASE_URL === undefined) {
    free.push(place);
    return;
  }
  await place.pool.end();
  await place.database.drop();
}

/** A database for the tests of a block, which is emptied before each of them. Its time is the service's, so that tests can move it. */
export function usePostgresDatabase(): ServiceDatabase {
  let place: Place | undefined;
  const current = (): Place => {
    if (place === undefined) {
      throw new Error("The database is there only while the tests of the block run.");
    }
    return place;
  };
  const connections = (): pg.Pool => current().pool;
  beforeAll(async () => {
    place = free.pop() ?? (await newPlace());
  });
  beforeEach(() => connections().query(current().emptyTables));
  afterAll(async () => {
    await (place && leave(place));
    place = undefined;
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
