import type { ActivityItems } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { contentOf, type ItemRow, isRead, itemColumns, readTime, toItem } from "../inbox/item-row.ts";

/** Reads the first items of a notification, by user, and counts all of them. */
export function prepareItemsOf(tables: TableNames) {
  const { notifications, inboxItems, inboxCounters } = tables;
  const time = readTime(tables, { tenant: "$1", userId: "i.user_id", state: "c" });
  const notification = `(SELECT pk, ${contentOf()} FROM ${notifications} WHERE tenant = $1 AND id = $2 OFFSET 0) n`;
  const list = statement<readonly [userId: string, ...ItemRow]>(
    "activity_items",
    `SELECT i.user_id, ${itemColumns(time, "c")} FROM ${notification}
    CROSS JOIN LATERAL (SELECT * FROM ${inboxItems} WHERE notification_pk = n.pk AND deleted_at IS NULL ORDER BY user_id LIMIT $3) i
    CROSS JOIN LATERAL (SELECT read_up_to_seq, read_rev, seen_up_to_seq, seen_rev FROM ${inboxCounters} WHERE tenant = $1 AND user_id = i.user_id OFFSET 0) c
    ORDER BY i.user_id`,
  );
  const count = statement<readonly [total: number, read: number]>(
    "count_activity_items",
    `SELECT count(*), count(*) FILTER (WHERE i.read_at IS NOT NULL OR EXISTS (
      SELECT FROM ${inboxCounters} c WHERE c.tenant = $1 AND c.user_id = i.user_id AND ${isRead("c")}))
    FROM ${notification} CROSS JOIN LATERAL (
      SELECT user_id, seq, read_at, unread_rev FROM ${inboxItems} WHERE notification_pk = n.pk AND deleted_at IS NULL OFFSET 0) i`,
  );
  return (tenant: string, id: string, limit: number) =>
    async (session: Session): Promise<ActivityItems> => {
      const [rows, [[total, read] = [0, 0]]] = await Promise.all([
        session.rows(list, [tenant, id, limit]),
        session.rows(count, [tenant, id]),
      ]);
      return { items: rows.map(([userId, ...row]) => toItem(row, { tenant, userId })), total, read };
    };
}
