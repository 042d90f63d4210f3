import type { InboxStatus, Owner } from "@belfry/core";
import type { InboxPage, InboxQuery } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { type ScanLimit, scanLimit } from "../database/page-scan.ts";
import { type Statement, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { COUNTS_COLUMNS, COUNTS_WIDTH, type CountsRow, inboxState, toCounts } from "./inbox-state.ts";
import { isItemRow, isRead, isUnread, itemColumns, joinNotification, type MaybeItemRow, ownReadTime, toItem } from "./item-row.ts";

type PageRow = readonly [...CountsRow, matching: number, ...MaybeItemRow];

const ITEM_START = COUNTS_WIDTH + 1;

/** What of a query decides the text of its statement. */
interface Variant {
  readonly status: InboxStatus;
  readonly hasType: boolean;
  readonly hasOffset: boolean;
  readonly scan: ScanLimit;
}

const OF_STATUS: Readonly<Record<InboxStatus, { readonly filter: string; readonly count: string }>> = {
  all: { filter: "", count: "inbox.total" },
  unread: { filter: `AND ${isUnread("inbox")}`, count: "inbox.unread" },
  read: { filter: `AND ${isRead("inbox")}`, count: "(inbox.total - inbox.unread)" },
};

/** Reads a page of an inbox, newest first. */
export function prepareList(tables: TableNames) {
  const statements = new Map<string, Statement<PageRow>>();
  const prepared = (variant: Variant) => {
    const key = JSON.stringify(variant);
    const page = statements.get(key) ?? pageStatement(tables, variant);
    statements.set(key, page);
    return page;
  };
  return (owner: Owner, query: InboxQuery) =>
    async (session: Session): Promise<InboxPage> => {
      const { status, type, limit, offset = 0, before = Number.MAX_SAFE_INTEGER } = query;
      const page = prepared({ status, hasType: type !== undefined, hasOffset: offset > 0, scan: scanLimit(limit) });
      const more = [...(type === undefined ? [] : [type]), ...(offset > 0 ? [offset] : [])];
      const rows = await session.rows(page, [owner.tenant, owner.userId, before, limit, ...more]);
      const items = rows.map((row) => row.slice(ITEM_START) as MaybeItemRow).filter(isItemRow);
      const [first] = rows;
      return {
        items: items.map((row) => toItem(row, owner)),
        counts: toCounts(first),
        matching: first === undefined ? 0 : (first[COUNTS_WIDTH] as number),
      };
    };
}

/** $1 tenant, $2 user, $3 below which number, $4 how many, then the type and the offset where there are such. */
function pageStatement(tables: TableNames, { status, hasType, hasOffset, scan }: Variant): Statement<PageRow> {
  const { filter, count } = OF_STATUS[status];
  const type = hasType ? "AND i.type = $5" : "";
  const offset = hasOffset ? `$${hasType ? 6 : 5}::bigint` : "0";
  // A scan that cannot find anything is not begun, and one that has found all there is goes no further.
  const matches = `i.tenant = $1 AND i.user_id = $2 AND i.deleted_at IS NULL AND ${count} > 0 ${filter} ${type}`;
  const matching = hasType ? `(SELECT count(*) FROM ${tables.inboxItems} i WHERE ${matches})` : count;
  return statement(
    `list_${status}`,
    `WITH ${inboxState(tables)}
    SELECT ${COUNTS_COLUMNS}, ${matching}, ${itemColumns(ownReadTime(tables))}
    FROM inbox
    LEFT JOIN LATERAL (
      SELECT * FROM (
        SELECT i.seq, i.type, i.created_at, i.read_at, i.unread_rev, i.notification_pk
        FROM ${tables.inboxItems} i
        WHERE ${matches} AND i.seq < $3
        ORDER BY i.seq DESC LIMIT ${scan} OFFSET ${offset}
      ) scan
      LIMIT least($4::bigint, greatest(${count} - ${offset}, 0))
    ) i ON true
    ${joinNotification(tables)}
    ORDER BY i.seq DESC`,
  );
}
