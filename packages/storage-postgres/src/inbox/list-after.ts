import type { Owner } from "@belfry/core";
import type { InboxTail, PageBounds } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { memoized, type ScanLimit, scanLimit, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { COUNTS_COLUMNS, COUNTS_WIDTH, type CountsRow, inboxState, toCounts } from "./inbox-state.ts";
import { IN_PLACE, ITEM_MARKS_OF_I, isItemRow, itemColumns, joinNotification, type MaybeItemRow, ownReadTime, toItem } from "./item-row.ts";

type TailRow = readonly [...CountsRow, ...MaybeItemRow];

/** Reads the items of an inbox after a number, oldest first. */
export function prepareListAfter(tables: TableNames) {
  const select = (items: string) => `WITH ${inboxState(tables)}
    SELECT ${COUNTS_COLUMNS}, ${itemColumns(ownReadTime(tables))} FROM inbox LEFT JOIN LATERAL (${items}) i ON true ${joinNotification(tables)}`;
  const items = `SELECT i.seq, i.type, i.created_at, i.read_at, i.unread_rev, i.notification_pk, ${ITEM_MARKS_OF_I} FROM ${tables.inboxItems} i
    WHERE i.tenant = $1 AND i.user_id = $2 AND i.seq > $3 AND ${IN_PLACE.active} AND inbox.last_seq > $3`;
  const tail = memoized((scan: ScanLimit) =>
    statement<TailRow>(
      "list_after",
      `${select(`SELECT * FROM (
        ${items} AND i.seq <= coalesce((${lastOfBytes(tables, scan)}), 9223372036854775807) ORDER BY i.seq LIMIT ${scan}
      ) scan LIMIT $4`)} ORDER BY i.seq`,
    ),
  );
  // Whoever follows an inbox reads each new item so. The first one belongs to the page whatever its size, so nothing is added up.
  const next = statement<TailRow>("list_next", select(`${items} ORDER BY i.seq LIMIT 1`));
  return ({ tenant, userId }: Owner, seq: number, { limit, bytes }: PageBounds) =>
    async (session: Session): Promise<InboxTail> => {
      const after = [tenant, userId, seq];
      const rows = await (limit === 1 ? session.rows(next, after) : session.rows(tail(scanLimit(limit)), [...after, limit, bytes]));
      const found = rows.map((row) => row.slice(COUNTS_WIDTH) as MaybeItemRow).filter(isItemRow);
      return { items: found.map((row) => toItem(row, { tenant, userId })), counts: toCounts(rows[0]) };
    };
}

/**
 * The number of the item that makes the page $5 bytes long; null if all items together are shorter. PostgreSQL adds the sizes
 * up row by row and stops at that item, so long contents behind it are not even unpacked.
 */
function lastOfBytes({ inboxItems, notifications }: TableNames, scan: ScanLimit): string {
  return `SELECT summed.seq FROM (
      SELECT sized.seq, sum(sized.bytes) OVER (ORDER BY sized.seq ROWS UNBOUNDED PRECEDING) AS bytes FROM (
        SELECT i.seq, (SELECT octet_length(title) + octet_length(message) + octet_length(data::text) + coalesce(octet_length(actions::text), 0)
          FROM ${notifications} WHERE pk = i.notification_pk) AS bytes
        FROM ${inboxItems} i WHERE i.tenant = $1 AND i.user_id = $2 AND i.seq > $3 AND ${IN_PLACE.active}
        ORDER BY i.seq LIMIT ${scan}
      ) sized
    ) summed WHERE summed.bytes >= $5::bigint ORDER BY summed.seq LIMIT 1`;
}
