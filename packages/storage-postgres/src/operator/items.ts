import type { ActivityItems } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { plannedAnew } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { contentOf, type ItemRow, isActive, isRead, itemColumns, readTime, toItem } from "../inbox/item-row.ts";

/** How many items one statement counts: a notification may have millions, and none of its statements is to take long. */
const ITEMS_STEP = 5_000;

/**
 * Reads the first items of a notification, by user, and counts all of them, step by step. A change between two steps may be in the answer
 * or not.
 */
export function prepareItemsOf(tables: TableNames) {
  const { notifications, inboxItems, inboxCounters } = tables;
  const time = readTime(tables, { tenant: "$1", userId: "i.user_id", state: "i" });
  // Items that are deleted cost no look at the counters.
  const counters = `(SELECT read_up_to_seq, read_rev, seen_up_to_seq, seen_rev, removed_up_to_seq FROM ${inboxCounters}
        WHERE tenant = $1 AND user_id = i.user_id AND i.deleted_at IS NULL OFFSET 0) c`;
  const notification = `(SELECT pk, ${contentOf()} FROM ${notifications} WHERE tenant = $1 AND id = $2 OFFSET 0) n`;
  const list = plannedAnew<readonly [userId: string, ...ItemRow]>(
    `SELECT i.user_id, ${itemColumns(time, "i")} FROM ${notification}
    CROSS JOIN LATERAL (
      SELECT i.*, c.* FROM ${inboxItems} i CROSS JOIN LATERAL ${counters}
      WHERE i.notification_pk = n.pk AND ${isActive("c")} ORDER BY i.user_id LIMIT $3
    ) i
    ORDER BY i.user_id`,
  );
  // One step, over the users after $3.
  const count = plannedAnew<readonly [looked: number, total: number, read: number, lastUser: string | null]>(
    `SELECT count(*), count(*) FILTER (WHERE c.is_there), count(*) FILTER (WHERE c.is_there AND c.is_read), max(i.user_id)
    FROM (
      SELECT user_id, seq, read_at, unread_rev, deleted_at FROM ${inboxItems}
      WHERE notification_pk = (SELECT pk FROM ${notifications} WHERE tenant = $1 AND id = $2) AND user_id > $3
      ORDER BY user_id LIMIT ${ITEMS_STEP}
    ) i LEFT JOIN LATERAL (
      SELECT ${isActive("c")} AS is_there, ${isRead("c")} AS is_read FROM ${counters}
    ) c ON true`,
  );
  const countAll = async (session: Session, tenant: string, id: string): Promise<Pick<ActivityItems, "total" | "read">> => {
    const sum = { total: 0, read: 0 };
    for (let after: string | null = ""; after !== null; ) {
      const values: readonly string[] = [tenant, id, after];
      const [[looked, total, read, lastUser] = [0, 0, 0, null]] = await session.rows(count, values);
      sum.total += total;
      sum.read += read;
      after = looked < ITEMS_STEP ? null : lastUser;
    }
    return sum;
  };
  return (tenant: string, id: string, limit: number) =>
    async (session: Session): Promise<ActivityItems> => {
      const [rows, counts] = await Promise.all([session.rows(list, [tenant, id, limit]), countAll(session, tenant, id)]);
      return { items: rows.map(([userId, ...row]) => toItem(row, { tenant, userId })), ...counts };
    };
}
