import type { FreshDatabase } from "@belfry/postgres-launcher";
import type { StorageSubject } from "@belfry/testkit";
import { drizzle } from "drizzle-orm/node-postgres";
import { DatabaseError, escapeIdentifier, type Pool, type PoolClient } from "pg";
import { afterAll, beforeAll } from "vitest";
import { migratedPostgres } from "../../../test/migrated-postgres.ts";
import { migrate, type PostgresStorage, type PostgresTransaction, partition, postgresStorage } from "../src/index.ts";
import { openPool } from "./setup.ts";

type Run = (work: (tx: PostgresTransaction) => Promise<void>) => Promise<void>;

/** Runs `work` in a transaction of the driver, as a host that uses pg does. */
export function driverTransaction(pool: Pool): Run {
  return async (work) => {
    const client = await pool.connect();
    try {
      await client.query("BEGIN");
      await work(client);
      await client.query("COMMIT");
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    } finally {
      client.release();
    }
  };
}

/** Runs `work` in a transaction of drizzle, as a host that uses drizzle does. */
export function drizzleTransaction(pool: Pool): Run {
  return (work) => drizzle(pool).transaction(async (tx) => work(tx));
}

/** Another database that has Belfry's tables too. No test changes it, so there is one for all. */
let elsewhere: Pool;
let other: FreshDatabase;

beforeAll(async () => {
  other = await migratedPostgres();
  elsewhere = openPool(other.url);
});

afterAll(async () => {
  await elsewhere.end();
  await other.drop();
});

/** Runs a transaction's text. Returns false, without a trace of it, if it and others of the services that run beside waited for each other. */
async function isDone(client: PoolClient, text: string): Promise<boolean> {
  try {
    await client.query(text);
    return true;
  } catch (error) {
    await client.query("ROLLBACK");
    if (error instanceof DatabaseError && error.code === "40P01") {
      return false;
    }
    throw error;
  }
}

/** Copies the tables of a schema into another, in the place of an earlier copy, and returns what puts the copied rows in the place of all that are there then. */
async function backUp(pool: Pool, schema: string): Promise<() => Promise<void>> {
  const copy = escapeIdentifier(`backup_of_${schema}`);
  const { rows } = await pool.query<{ name: string }>(
    // A table with partitions has the rows of all of them.
    "SELECT relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition",
    [escapeIdentifier(schema)],
  );
  const own = (name: string) => `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;
  const copied = (name: string) => `${copy}.${escapeIdentifier(name)}`;
  const together = async (statements: readonly string[]) => {
    const client = await pool.connect();
    try {
      while (!(await isDone(client, ["BEGIN", ...statements, "COMMIT"].join(";")))) {}
    } finally {
      client.release();
    }
  };
  await together([
    `DROP SCHEMA IF EXISTS ${copy} CASCADE`,
    `CREATE SCHEMA ${copy}`,
    ...rows.map(({ name }) => `CREATE TABLE ${copied(name)} AS TABLE ${own(name)}`),
  ]);
  return async () => {
    await together([
      // Without triggers and foreign keys.
      "SET LOCAL session_replication_role = replica",
      `TRUNCATE ${rows.map(({ name }) => own(name)).join()}`,
      ...rows.map(({ name }) => `INSERT INTO ${own(name)} OVERRIDING SYSTEM VALUE SELECT * FROM ${copied(name)}`),
    ]);
  };
}

interface Place {
  readonly url: string;
  /** The host's connections to the database under test. */
  readonly host: Pool;
}

/** A way to open the storage, and how its host does transactions. */
export interface Kind {
  source(place: Place): Parameters<typeof postgresStorage>[0];
  readonly transaction: (pool: Pool) => Run;
  readonly schema?: string;
  /** How many deliveries' attempts a partition has. @default attempts are in one table */
  readonly partitioned?: number;
  /** How many connections the host has at the most. */
  readonly connections?: number;
  /** Has each connection plan a statement once, whatever the values: most of the time goes into plans otherwise. */
  readonly plansOnce?: boolean;
}

/** Opens a storage of a kind over a database of its own. */
export async function openSubject({
  source,
  transaction,
  schema = "public",
  connections,
  plansOnce = false,
  partitioned,
}: Kind): Promise<StorageSubject<PostgresTransaction, Promise<void>>> {
  const database = await migratedPostgres();
  const settings = plansOnce ? `?options=${encodeURIComponent("-c plan_cache_mode=force_generic_plan")}` : "";
  const here = { url: database.url, host: openPool(`${database.url}${settings}`, connections) };
  if (schema !== "public") {
    await migrate(elsewhere, { schema });
  }
  const opened: PostgresStorage[] = [];
  const open = async (from: Parameters<typeof postgresStorage>[0]) => {
    const storage = postgresStorage(from, { schema, time: "service" });
    await storage.open();
    opened.push(storage);
    return storage;
  };
  const storage = await open(source(here));
  if (partitioned !== undefined) {
    await partition(here.host, { schema, deliveries: partitioned });
  }
  const client = await here.host.connect();
  return {
    storage,
    transaction: transaction(here.host),
    foreignTransaction: transaction(elsewhere),
    wrongHandles: {
      "the storage": storage,
      "a pool": here.host,
      "a drizzle database": drizzle(here.host),
      "a client without a transaction": client,
      "a drizzle database over a client without a transaction": drizzle(client),
    },
    async reopen() {
      await storage.close();
      return open(source(here));
    },
    another: () => open(here.url),
    backUp: () => backUp(here.host, schema),
    async dispose() {
      client.release();
      await Promise.all(opened.map((one) => one.close()));
      await here.host.end();
      await database.drop();
    },
  };
}
