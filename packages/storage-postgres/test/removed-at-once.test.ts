import type { Pool } from "pg";
import { expect, test, vi } from "vitest";
import { migrate, postgresStorage } from "../src/index.ts";
import { MIGRATIONS } from "../src/migrations/index.ts";
import { migrateAtOpen } from "../src/migrations/migrate.ts";
import { type Plan, readWhole } from "./filled-plans.ts";
import { openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

const cleanup = useCleanup();
const database = useDatabase();
const OWNER = { tenant: "acme", userId: "ann" };
const ITEMS = 1_100;
const AT_ONCE = 1_000;
const SCHEMA = "at_once";
const STEP = { mark: "deleted_read", places: ["active"], filter: { isRead: true }, after: 0, upTo: Number.MAX_SAFE_INTEGER } as const;

/** An inbox that an older version wrote, whose items a mark has read. */
const FILL = `
  INSERT INTO belfry_notifications (tenant, id, kind, type, title, message, data, created_at)
    SELECT 'acme', ('0198c000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, 'message', 'note', 't', 'm', '{}', to_timestamp(i)
    FROM generate_series(1, ${ITEMS}) i ORDER BY i;
  INSERT INTO belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at)
    SELECT 'acme', 'ann', row_number() OVER (ORDER BY pk), pk, 'note', created_at FROM belfry_notifications;
  INSERT INTO belfry_read_marks (tenant, user_id, up_to_seq, read_at, rev) VALUES ('acme', 'ann', ${ITEMS}, to_timestamp(5), 1);
  INSERT INTO belfry_inbox_counters (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch, rev, read_rev)
    VALUES ('acme', 'ann', ${ITEMS}, ${ITEMS}, 0, ${ITEMS}, 'e', 1, 1);`;

test("all that is read is deleted at once only if the database refuses packages that do not know of that", async () => {
  const pool = openPool(database.url);
  cleanup(() => pool.end());
  const run = (sql: string) => pool.query(`BEGIN; SET LOCAL search_path = ${SCHEMA}; ${sql}; COMMIT`);
  const counted = async (where: string) =>
    (await rowsOf<{ count: number }>(pool, `SELECT count(*)::int AS count FROM ${SCHEMA}.belfry_inbox_items WHERE ${where}`))[0]?.count;
  await migrateAtOpen(pool, { schema: SCHEMA, migrations: MIGRATIONS.slice(0, 50) });
  await run(FILL);
  const storage = postgresStorage(pool, { schema: SCHEMA, logger: silent });
  cleanup(() => storage.close());
  await storage.open();
  const first = await storage.inbox.changeMatching(OWNER, { ...STEP, at: new Date(6_000) });
  expect(first).toMatchObject({ changed: AT_ONCE, next: AT_ONCE, counts: { total: ITEMS - AT_ONCE } });
  await run(`UPDATE belfry_inbox_items SET deleted_at = NULL; UPDATE belfry_inbox_counters SET total = ${ITEMS}`);
  await migrate(pool, { schema: SCHEMA, cleanup: true });
  const second = await storage.inbox.changeMatching(OWNER, { ...STEP, at: new Date(7_000) });
  expect(second).toMatchObject({ changed: ITEMS, next: null, counts: { total: 0, unread: 0 } });
  expect(await counted("deleted_at IS NULL")).toBe(ITEMS);
  await storage.inbox.settleRemoved({ after: null, limit: ITEMS });
  expect(await counted("deleted_at = to_timestamp(7)")).toBe(ITEMS);
});

test("a deletion of all that is read looks through nobody else's items", async () => {
  const pool = openPool(database.url, 1);
  cleanup(() => pool.end());
  const storage = postgresStorage(pool, { logger: silent });
  cleanup(() => storage.close());
  await storage.open();
  await pool.query(FILL);
  await pool.query(`
    INSERT INTO belfry_notifications (tenant, id, kind, type, title, message, data, created_at)
      SELECT 'acme', gen_random_uuid(), 'message', 'note', 't', 'm', '{}', now() FROM generate_series(1, 20000);
    INSERT INTO belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at, expires_at)
      SELECT 'acme', 'bob', pk, pk, 'note', now(), now() + random() * interval '99 days' FROM belfry_notifications;
    INSERT INTO belfry_inbox_counters (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch)
      SELECT 'acme', 'user ' || n, ${ITEMS}, ${ITEMS}, 0, 0, 'e' FROM generate_series(1, 2000) n;
    INSERT INTO belfry_inbox_groups (tenant, user_id, group_name, newest_seq, total, unread, read_rev, actors)
      SELECT 'acme', 'user ' || n, 'group', 1, 1, 1, 0, '[]' FROM generate_series(1, 2000) n;
    INSERT INTO belfry_inbox_changes (tenant, user_id, rev, last_seq, kind, at) SELECT 'acme', 'user ' || n, 1, 1, 'read_all', n FROM generate_series(1, 2000) n;
    INSERT INTO belfry_broadcast_numbers SELECT 'tenant ' || n, 1 FROM generate_series(1, 2000) n;
    ANALYZE`);
  const { text, values } = await deletionIn(pool, () => storage.inbox.changeMatching(OWNER, { ...STEP, at: new Date(6_000) }));
  const client = await pool.connect();
  const literals = values.map((value) => (value === null ? "NULL" : client.escapeLiteral(String(value))));
  await client.query("SET plan_cache_mode = force_generic_plan");
  await client.query(`PREPARE deletion AS ${text}`);
  const { rows } = await client.query(`EXPLAIN (FORMAT JSON) EXECUTE deletion(${literals.join(", ")})`);
  client.release();
  expect(readWhole([(rows[0] as { "QUERY PLAN": { Plan: Plan }[] })["QUERY PLAN"][0]?.Plan as Plan])).toEqual([]);
});

/** Runs \`work\`, and answers the statement with which it deleted what is read at once. */
async function deletionIn(
  pool: Pool,
  work: () => Promise<unknown>,
): Promise<{ readonly text: string; readonly values: readonly unknown[] }> {
  const client = await pool.connect();
  const query = vi.spyOn(client, "query");
  client.release();
  await work();
  const asked = query.mock.calls.map(([config]) => config as unknown as { readonly text: string; readonly values: readonly unknown[] });
  const deletion = asked.find(({ text }) => text?.includes("removed_up_to_seq = tally.up_to"));
  query.mockRestore();
  if (deletion === undefined) {
    throw new Error("Nothing was deleted at once.");
  }
  return deletion;
}
