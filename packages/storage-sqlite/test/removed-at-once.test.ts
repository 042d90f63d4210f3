import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { Connection } from "../src/database/connection.ts";
import { migrate, sqliteStorage } from "../src/index.ts";
import { MIGRATIONS } from "../src/migrations/index.ts";
import { migrateAtOpen } from "../src/migrations/migrate.ts";
import { temporaryPath, useCleanup } from "./setup.ts";

const cleanup = useCleanup();
const OWNER = { tenant: "acme", userId: "ann" };
const ITEMS = 1_100;
const AT_ONCE = 1_000;

/** An inbox that an older version wrote, whose items a mark has read. */
const FILL = `
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ITEMS})
  INSERT INTO belfry_notifications (pk, tenant, id, kind, type, title, message, data, created_at)
    SELECT i, 'acme', printf('0198c000-0000-7000-8000-%012d', i), 'message', 'note', 't', 'm', '{}', i FROM n;
  INSERT INTO belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at)
    SELECT 'acme', 'ann', pk, pk, 'note', created_at FROM belfry_notifications;
  INSERT INTO belfry_read_marks (tenant, user_id, up_to_seq, read_at, rev) VALUES ('acme', 'ann', ${ITEMS}, 5000, 1);
  INSERT INTO belfry_inbox_counters (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch, rev, read_rev)
    VALUES ('acme', 'ann', ${ITEMS}, ${ITEMS}, 0, ${ITEMS}, 'e', 1, 1);`;

test("all that is read is deleted at once only if the database refuses packages that do not know of that", async () => {
  const path = temporaryPath(cleanup);
  const database = new Database(path);
  cleanup(() => database.close());
  await migrateAtOpen(new Connection(database, 1_000), MIGRATIONS.slice(0, 50));
  database.exec(FILL);
  const storage = sqliteStorage(path);
  cleanup(() => storage.close());
  await storage.open();
  const step = { mark: "deleted_read", places: ["active"], filter: { isRead: true }, after: 0, upTo: Number.MAX_SAFE_INTEGER } as const;
  const first = await storage.inbox.changeMatching(OWNER, { ...step, at: new Date(6_000) });
  expect(first).toMatchObject({ changed: AT_ONCE, next: AT_ONCE, counts: { total: ITEMS - AT_ONCE } });
  database.exec("UPDATE belfry_inbox_items SET deleted_at = NULL");
  database.exec(`UPDATE belfry_inbox_counters SET total = ${ITEMS}`);
  await migrate(database, { cleanup: true });
  const second = await storage.inbox.changeMatching(OWNER, { ...step, at: new Date(7_000) });
  expect(second).toMatchObject({ changed: ITEMS, next: null, counts: { total: 0, unread: 0 } });
  expect(database.prepare("SELECT count(*) FROM belfry_inbox_items WHERE deleted_at IS NULL").pluck().get()).toBe(ITEMS);
  await storage.inbox.settleRemoved({ after: null, limit: ITEMS });
  expect(database.prepare("SELECT count(*) FROM belfry_inbox_items WHERE deleted_at = 7000").pluck().get()).toBe(ITEMS);
});
