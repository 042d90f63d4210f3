import type { InboxItem } from "@belfry/core";
import type { Session } from "../database/connection.ts";
import { memoized } from "../database/memoized.ts";
import { type ScanLimit, scanLimit } from "../database/page-scan.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { contentOf, type ItemRow, itemColumns, readTime, toItem } from "./item-row.ts";

type TenantItemRow = readonly [userId: string, ...ItemRow];

/** Reads the newest items of all of a tenant's inboxes: along the notifications' ids, which sort by time. */
export function prepareListTenant(tables: TableNames) {
  const time = readTime(tables, { tenant: "$1", userId: "i.user_id", state: "c" });
  // The scan comes out in order, notification by notification and user by user, so its LIMIT needs no sort of its own:
  // a sort would read all of the tenant's notifications first. The last ORDER BY is over one page.
  const newest = memoized((scan: ScanLimit) =>
    statement<TenantItemRow>(
      "list_tenant",
      `SELECT i.user_id, ${itemColumns(time)}
      FROM (
        SELECT n.pk, ${contentOf("n")},
          i.user_id, i.seq, i.type, i.created_at, i.read_at, i.unread_rev
        FROM (
          SELECT pk, ${contentOf()} FROM ${tables.notifications} WHERE tenant = $1 ORDER BY id DESC
        ) n
        CROSS JOIN LATERAL (
          SELECT user_id, seq, type, created_at, read_at, unread_rev FROM ${tables.inboxItems}
          WHERE notification_pk = n.pk AND deleted_at IS NULL
          ORDER BY user_id LIMIT ${scan}
        ) i
        LIMIT ${scan}
      ) i
      CROSS JOIN LATERAL (SELECT ${contentOf("i")}) n
      CROSS JOIN LATERAL (
        SELECT read_up_to_seq, read_rev FROM ${tables.inboxCounters} WHERE tenant = $1 AND user_id = i.user_id OFFSET 0
      ) c
      ORDER BY i.id DESC, i.user_id
      LIMIT $2`,
    ),
  );
  return (tenant: string, limit: number) =>
    async (session: Session): Promise<readonly InboxItem[]> => {
      const rows = await session.rows(newest(scanLimit(limit)), [tenant, limit]);
      return rows.map(([userId, ...row]) => toItem(row, { tenant, userId }));
    };
}
