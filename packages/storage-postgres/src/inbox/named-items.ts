import type { TableNames } from "../database/table-names.ts";
import { isUnread } from "./item-row.ts";

/**
 * A common table expression called `found`: the items of the held and current `inbox` with numbers in $3 or notification
 * ids in $4 that are not deleted.
 */
export function namedItems({ inboxItems, notifications }: TableNames): string {
  return `found AS MATERIALIZED (
    SELECT i.*, ${isUnread("inbox")} AS is_unread
    FROM inbox
    CROSS JOIN LATERAL (
      SELECT seq FROM unnest($3::bigint[]) AS named(seq)
      UNION
      SELECT item.seq FROM unnest($4::uuid[]) AS named(id)
      CROSS JOIN LATERAL (SELECT pk FROM ${notifications} WHERE tenant = $1 AND id = named.id OFFSET 0) n
      CROSS JOIN LATERAL (SELECT seq FROM ${inboxItems} WHERE notification_pk = n.pk AND user_id = $2 OFFSET 0) item
    ) ref
    CROSS JOIN LATERAL (
      SELECT seq, type, created_at, read_at, unread_rev, notification_pk FROM ${inboxItems}
      WHERE tenant = $1 AND user_id = $2 AND seq = ref.seq AND deleted_at IS NULL OFFSET 0
    ) i
    WHERE inbox.is_current
  )`;
}
