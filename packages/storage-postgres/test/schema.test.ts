import { generateDrizzleJson, generateMigration } from "drizzle-kit/api";
import { describe, expect, test } from "vitest";
import { migrate } from "../src/index.ts";
import { tablesIn } from "../src/schema.ts";
import { openPool, rowsOf, useCleanup, useDatabase } from "./setup.ts";

/** drizzle-kit makes these, as it knows no triggers; the migrations make triggers in their place, which cost a create nothing. */
const BY_TRIGGER = [
  "belfry_inbox_items_notification_pk_fkey",
  "belfry_delivery_attempts_delivery_pk_fkey",
  "belfry_trackings_notification_pk_fkey",
  "belfry_deliveries_notification_pk_fkey",
  "belfry_sends_notification_pk_fkey",
  "belfry_processing_records_notification_pk_fkey",
];

/** Describes the tables of a schema: columns, constraints and indexes. It leaves out names that the database chose. */
async function describeTables(pool: ReturnType<typeof openPool>, name: string): Promise<unknown> {
  const columns = await rowsOf(
    pool,
    `SELECT table_name, column_name, data_type, collation_name, datetime_precision, is_nullable, column_default, is_identity, identity_generation
    FROM information_schema.columns WHERE table_schema = $1 ORDER BY table_name, column_name`,
    [name],
  );
  const definitions = await rowsOf<{ definition: string }>(
    pool,
    `SELECT replace(pg_get_indexdef(i.indexrelid), $1 || '.', '') AS definition FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND NOT i.indisprimary ORDER BY 1`,
    [name],
  );
  const constraints = await rowsOf(
    pool,
    `SELECT c.relname, o.contype, replace(pg_get_constraintdef(o.oid), $1 || '.', '') AS definition FROM pg_constraint o
    JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND o.contype IN ('p', 'f') AND o.conname <> ALL ($2) ORDER BY 1, 2, 3`,
    [name, BY_TRIGGER],
  );
  return { columns, definitions, constraints };
}

describe("schema", () => {
  const cleanup = useCleanup();
  const database = useDatabase();

  test("the migrations make the tables that the drizzle schema declares", async () => {
    const pool = openPool(database.url);
    cleanup(() => pool.end());
    await migrate(pool, { schema: "migrated" });
    const declared = tablesIn("declared");
    await pool.query("CREATE SCHEMA declared");
    for (const statement of await generateMigration(generateDrizzleJson({}), generateDrizzleJson(declared))) {
      await pool.query(statement);
    }
    expect(await describeTables(pool, "migrated")).toEqual(await describeTables(pool, "declared"));
    const [count] = await rowsOf<{ count: string }>(pool, "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'migrated'");
    expect(Number(count?.count)).toBe(Object.keys(declared).length);
  });

  test("every column of a notification that an inbox shows changes the content token, but for those of a delete", async () => {
    const pool = openPool(database.url);
    cleanup(() => pool.end());
    await migrate(pool, { schema: "tokens" });
    const named = await rowsOf<{ name: string }>(
      pool,
      `SELECT event_object_column AS name FROM information_schema.triggered_update_columns
      WHERE trigger_schema = 'tokens' AND trigger_name = 'belfry_content_changed'`,
    );
    const columns = await rowsOf<{ name: string }>(
      pool,
      "SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'tokens' AND table_name = 'belfry_notifications'",
    );
    const shown = columns.filter(({ name }) => !["pk", "expired_at", "tenant", "expires_at"].includes(name));
    expect(named.map(({ name }) => name).sort()).toEqual(shown.map(({ name }) => name).sort());
  });
});
