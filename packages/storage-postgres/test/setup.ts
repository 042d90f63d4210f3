import { type Notification, systemClock, uuidV7 } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import { type FreshDatabase, freshDatabase } from "@belfry/postgres-launcher";
import pg from "pg";
import { afterAll, afterEach, beforeAll } from "vitest";

const ids = uuidV7(systemClock);

/** A notification that was not written yet. */
export function entry(to: string | readonly string[], fields: Partial<Notification> = {}): NewNotification {
  const notification: Notification = {
    id: ids.next(),
    tenant: "acme",
    kind: "message",
    type: "note",
    title: "A title",
    message: "A message",
    data: {},
    source: null,
    actor: null,
    url: null,
    actions: null,
    priority: "high",
    rendered: null,
    category: null,
    group: null,
    replaceKey: null,
    createdAt: new Date(),
    expiresAt: null,
    ...fields,
  };
  return { notification, recipients: typeof to === "string" ? [to] : to };
}

type Cleanup = () => unknown;

/** Runs what a test hands in after that test, the last first. */
export function useCleanup(): (cleanup: Cleanup) => void {
  const cleanups: Cleanup[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) {
      await cleanup();
    }
  });
  return (cleanup) => void cleanups.push(cleanup);
}

/** A database of the test file's own. */
export function useDatabase(): { readonly url: string } {
  let database: FreshDatabase | null = null;
  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database?.drop());
  return {
    get url() {
      if (database === null) {
        throw new Error("The database is there only while the tests of the file run.");
      }
      return database.url;
    },
  };
}

/** A pool that outlives lost connections. */
export function openPool(url: string, max = 10): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max });
  pool.on("error", () => {});
  return pool;
}

/**
 * Fills tables with very many rows, in one transaction. References between them are not checked, which takes half of the
 * time: the rows fit together. (Only a superuser can leave the checks out.)
 */
export async function fillTables(pool: pg.Pool, fill: (client: pg.PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await client.query(
      "SELECT set_config('session_replication_role', 'replica', true) FROM pg_roles WHERE rolname = current_user AND rolsuper",
    );
    await fill(client);
    await client.query("COMMIT");
  } finally {
    client.release();
  }
}

/** Rows of a query that only the test makes. */
export async function rowsOf<Row>(pool: pg.Pool, text: string, values: readonly unknown[] = []): Promise<Row[]> {
  return (await pool.query(text, [...values])).rows as Row[];
}

/** The statements that a pool is asked from now on. */
export function listenTo(pool: pg.Pool): readonly string[] {
  const texts: string[] = [];
  const query = pool.query.bind(pool) as (config: unknown) => unknown;
  pool.query = ((config: { readonly text: string }) => {
    texts.push(config.text);
    return query(config);
  }) as pg.Pool["query"];
  return texts;
}

/** A logger that says nothing. */
export const silent = { debug() {}, info() {}, warn() {}, error() {} };
