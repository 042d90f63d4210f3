import type { ActivityItems } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { contentOf, type ItemRow, isActive, isRead, itemColumns, readTime, toItem } from "../inbox/item-row.ts";

/** Reads the first items of a notification, by user, and counts all of them. */
export function prepareItemsOf(tables: TableNames) {
  const { notifications, inboxItems, inboxCounters } = tables;
  const time = readTime(tables, { tenant: "$1", userId: "i.user_id", state: "i" });
  const counters = `(SELECT read_up_to_seq, read_rev, seen_up_to_seq, seen_rev, removed_up_to_seq FROM ${inboxCounters}
        WHERE tenant = $1 AND user_id = i.user_id OFFSET 0) c`;
  const notification = `(SELECT pk, ${contentOf()} FROM ${notifications} WHERE tenant = $1 AND id = $2 OFFSET 0) n`;
  const list = statement<readonly [userId: string, ...ItemRow]>(
    "activity_items",
    `SELECT i.user_id, ${itemColumns(time, "i")} FROM ${notification}
    CROSS JOIN LATERAL (
      SELECT i.*, c.* FROM ${inboxItems} i CROSS JOIN LATERAL ${counters}
      WHERE i.notification_pk = n.pk AND ${isActive("c")} ORDER BY i.user_id LIMIT $3
    ) i
    ORDER BY i.user_id`,
  );
  const count = statement<readonly [total: number, read: number]>(
    "count_activity_items",
    `SELECT count(*), count(*) FILTER (WHERE ${isRead("c")})
    FROM ${notification} CROSS JOIN LATERAL (
      SELECT user_id, seq, read_at, unread_rev, deleted_at FROM ${inboxItems} WHERE notification_pk = n.pk OFFSET 0
    ) i CROSS JOIN LATERAL ${counters}
    WHERE ${isActive("c")}`,
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
