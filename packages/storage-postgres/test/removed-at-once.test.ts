import { expect, test } from "vitest";
import { migrate, postgresStorage } from "../src/index.ts";
import { MIGRATIONS } from "../src/migrations/index.ts";
import { migrateAtOpen } from "../src/migrations/migrate.ts";
import { openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

const cleanup = useCleanup();
const database = useDatabase();
const OWNER = { tenant: "acme", userId: "ann" };
const ITEMS = 1_100;
const AT_ONCE = 1_000;
const SCHEMA = "at_once";

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
  const step = { mark: "deleted_read", places: ["active"], filter: { isRead: true }, after: 0, upTo: Number.MAX_SAFE_INTEGER } as const;
  const first = await storage.inbox.changeMatching(OWNER, { ...step, at: new Date(6_000) });
  expect(first).toMatchObject({ changed: AT_ONCE, next: AT_ONCE, counts: { total: ITEMS - AT_ONCE } });
  await run(`UPDATE belfry_inbox_items SET deleted_at = NULL; UPDATE belfry_inbox_counters SET total = ${ITEMS}`);
  await migrate(pool, { schema: SCHEMA, cleanup: true });
  const second = await storage.inbox.changeMatching(OWNER, { ...step, at: new Date(7_000) });
  expect(second).toMatchObject({ changed: ITEMS, next: null, counts: { total: 0, unread: 0 } });
  expect(await counted("deleted_at IS NULL")).toBe(ITEMS);
  await storage.inbox.settleRemoved({ after: null, limit: ITEMS });
  expect(await counted("deleted_at = to_timestamp(7)")).toBe(ITEMS);
});
