import { type InboxItem, type InboxStatus, type ItemRef, isUuid, type Owner } from "@belfry/core";
import {
  COUNTED_ITEMS,
  EMPTY_COUNTS,
  type GetOptions,
  type InboxPage,
  type InboxQuery,
  type ItemPlace,
  leastLookedAt,
} from "@belfry/core/storage";
import { COUNTED_FROM, type CountedLists, type CountedReason, countedFor, isByBlocks, WALKED_PART } from "@belfry/storage-sql";
import type { Session, Snapshots } from "../database/connection.ts";
import { memoized, type ScanLimit, scanLimit, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { COUNTS_COLUMNS, type CountsRow, inboxState, toCounts } from "./inbox-state.ts";
import { fewOf, filterText, itemsStatement, priorityOf } from "./item-filter.ts";
import {
  contentOf,
  IN_PLACE,
  ITEM_MARKS_OF_I,
  ITEM_WIDTH,
  type ItemRow,
  isActive,
  itemColumns,
  joinNotification,
  ownReadTime,
  placeOf,
  readTime,
  STORED_WIDTH,
  storedColumns,
  toItem,
  toStoredItem,
} from "./item-row.ts";
import { type ListColumns, prepareListByBlocks } from "./list-by-blocks.ts";
import { isOfRoom, OF_STATUS } from "./list-conditions.ts";

/** The columns that a list reads of each item, and what it makes of them. */
interface Reading<Row extends readonly unknown[], Item> {
  readonly columns: (tables: TableNames) => string;
  /** More columns of the item that those are made of. */
  readonly marks: string;
  readonly width: number;
  toItem(row: Row, owner: Owner): Item;
}

/** The parts of a query that decide the text of its statement. */
interface Variant {
  readonly status: InboxStatus;
  readonly place: ItemPlace;
  readonly hasType: boolean;
  readonly hasRoom: boolean;
  /** The other conditions, as SQL to append to these; null for none. */
  readonly conditions: string | null;
  /** The parameter that is the offset; null for none. */
  readonly offset: number | null;
  readonly scan: ScanLimit;
  /** Why it finds nothing in a large inbox, whose list is read by blocks; null if it does. */
  readonly countedFor: CountedReason | null;
}

/** Reads a page of an inbox, newest first. */
export const prepareList = listOf({
  columns: (tables) => itemColumns(ownReadTime(tables)),
  marks: `, ${ITEM_MARKS_OF_I}`,
  width: ITEM_WIDTH,
  toItem,
});

/** Reads a page of an inbox, newest first, for those who write it out at once. */
export const prepareListStored = listOf({
  columns: (tables) => storedColumns(ownReadTime(tables)),
  marks: "",
  width: STORED_WIDTH,
  toItem: toStoredItem,
});

function listOf<Row extends readonly unknown[], Item>({ columns, marks, width, toItem: read }: Reading<Row, Item>) {
  return (lists: CountedLists) => (tables: TableNames) => {
    const of = { columns: columns(tables), marks, width };
    const prepared = memoized((variant: string) => pageStatement(tables, of, JSON.parse(variant) as Variant));
    const byBlocks = prepareListByBlocks(tables, of, lists);
    const listByBlocks = async (session: Snapshots, owner: Owner, query: InboxQuery): Promise<InboxPage<Item>> => {
      const found = await byBlocks(owner, query)(session);
      if (found === null) {
        return await listAll(session, { owner, query, reason: null });
      }
      const { rows, ...page } = found;
      return { items: rows.map((row) => read(row as unknown as Row, owner)), ...page };
    };
    const listAll = async (session: Session, asked: Asked): Promise<InboxPage<Item>> => {
      const { owner, query } = asked;
      const { variant, values } = askedFor(tables, asked);
      const rows = await session.rows(prepared(JSON.stringify(variant)), values);
      const [first] = rows;
      if (first === undefined) {
        return withMore(query, { items: [], counts: EMPTY_COUNTS, matching: 0 }, 0);
      }
      // Behind the columns of the item stand the counts. The first column is null if there is no item.
      const [matching, looked, ...counts] = first.slice(width) as [number, number, ...CountsRow];
      const found = first[0] === null ? [] : rows;
      const items = found.map((row) => read(row as unknown as Row, owner));
      return withMore(query, { items, counts: toCounts(counts), matching }, looked);
    };
    return (owner: Owner, query: InboxQuery) =>
      async (session: Snapshots): Promise<InboxPage<Item>> => {
        if (isByBlocks(query, lists.find(owner, query)?.at.lastSeq ?? 0)) {
          return listByBlocks(session, owner, query);
        }
        const page = await listAll(session, { owner, query, reason: countedFor(query) });
        return isByBlocks(query, page.counts.lastSeq) ? listByBlocks(session, owner, query) : page;
      };
  };
}

function withMore<Item>(query: InboxQuery, page: InboxPage<Item>, looked: number): InboxPage<Item> {
  if (query.filter === undefined) {
    return page;
  }
  const more = looked > COUNTED_ITEMS;
  const least = more && page.items.length < query.limit ? leastLookedAt(query, page.counts) : 0;
  return { ...page, more, ...(least > 1 ? { rest: least } : {}) };
}

/** A list that is walked over. */
interface Asked {
  readonly owner: Owner;
  readonly query: InboxQuery;
  /** As {@link Variant.countedFor}. */
  readonly reason: CountedReason | null;
}

/** The statement of a query, by its variant, and its values. */
function askedFor(tables: TableNames, { owner, query, reason }: Asked): { readonly variant: Variant; readonly values: unknown[] } {
  const { tenant, userId } = owner;
  const { status, type, roomId, place = "active", filter, limit, offset = 0, before = Number.MAX_SAFE_INTEGER } = query;
  const values: unknown[] = [tenant, userId, before, limit, ...[type, roomId].filter((value) => value !== undefined)];
  const conditions = filter === undefined ? null : filterText(tables, filter, values);
  const has = { hasType: type !== undefined, hasRoom: roomId !== undefined, conditions };
  const skipped = offset > 0 ? values.push(offset) : null;
  return { variant: { status, place, ...has, offset: skipped, scan: scanLimit(limit), countedFor: reason }, values };
}

/** $1 tenant, $2 user, $3 the number to stay below, $4 how many, then the type, the room, those of other conditions and the offset if given. */
function pageStatement(
  tables: TableNames,
  { columns, marks }: ListColumns,
  { status, place, hasType, hasRoom, conditions, offset: skipped, scan, countedFor: reason }: Variant,
) {
  const { filter, count } = OF_STATUS[status];
  const type = hasType ? "AND i.type = $5" : "";
  const room = hasRoom ? `AND ${isOfRoom(tables, hasType ? "$6" : "$5")}` : "";
  const offset = skipped === null ? "0" : `$${skipped}::bigint`;
  // Begins no scan that cannot find anything.
  const isThere = place === "active" ? `${IN_PLACE.active} AND ${count} > 0` : IN_PLACE[place];
  const isDeep = reason === "offset" ? `AND inbox.last_seq <= ${offset} * ${WALKED_PART}` : "";
  const isSmall = reason === null ? "" : `AND NOT (inbox.last_seq >= ${COUNTED_FROM} ${isDeep})`;
  const own = `i.tenant = $1 AND i.user_id = $2 AND ${isThere} ${isSmall}`;
  const more = `${filter} ${type} ${room}${conditions ?? ""}`;
  const matches = `${own} ${more}`;
  const isCounted = place !== "active" || hasType || hasRoom;
  const all = isCounted ? `(SELECT count(*) FROM ${tables.inboxItems} i WHERE ${matches})` : count;
  const newest = `SELECT * FROM ${tables.inboxItems} i WHERE ${own}${fewOf(conditions)} ORDER BY i.seq DESC LIMIT ${COUNTED_ITEMS + 1}`;
  const counted =
    conditions === null
      ? `(SELECT ${all} AS matching, 0 AS looked)`
      : `(SELECT count(*) FILTER (WHERE true ${more}) AS matching, count(*) AS looked FROM (${newest}) i)`;
  // Where not all were counted, more of them may be on the page.
  const atMost =
    conditions === null
      ? "inbox.matching"
      : `CASE WHEN inbox.looked > ${COUNTED_ITEMS} THEN $4::bigint + ${offset} ELSE inbox.matching END`;
  // As `leastLookedAt` has it.
  const isLookedAt =
    conditions === null
      ? ""
      : `AND i.seq >= CASE WHEN inbox.looked > ${COUNTED_ITEMS} THEN least($3::bigint, inbox.last_seq + 1) - ${COUNTED_ITEMS + 1} ELSE 0 END`;
  // The fence (OFFSET 0) has the items counted once, not again for each row of the page. The page ends when all are found.
  return itemsStatement<readonly unknown[]>(
    `list_${status}`,
    `WITH ${inboxState(tables)}
    SELECT ${columns}, inbox.matching, inbox.looked, ${COUNTS_COLUMNS}
    FROM (SELECT inbox.*, counted.* FROM inbox CROSS JOIN LATERAL ${counted} counted OFFSET 0) inbox
    LEFT JOIN LATERAL (
      SELECT * FROM (
        SELECT i.seq, i.type, i.created_at, i.read_at, i.unread_rev, i.notification_pk${marks}
        FROM ${tables.inboxItems} i
        WHERE ${matches} AND i.seq < $3 ${isLookedAt}
        ORDER BY i.seq DESC LIMIT ${scan} OFFSET ${offset}
      ) scan
      LIMIT least($4::bigint, greatest(${atMost} - ${offset}, 0))
    ) i ON true
    ${joinNotification(tables)}
    ORDER BY i.seq DESC`,
    hasRoom || conditions?.includes(priorityOf(tables)) === true,
  );
}

type TenantItemRow = readonly [userId: string, ...ItemRow];

/** Reads the newest items of all of a tenant's inboxes: along the notifications' ids, which sort by time. */
export function prepareListTenant(tables: TableNames) {
  const time = readTime(tables, { tenant: "$1", userId: "i.user_id", state: "c" });
  // The scan comes out in order, notification by notification and user by user, so its LIMIT needs no sort of its own:
  // a sort would read all of the tenant's notifications first. The last ORDER BY is over one page.
  const newest = memoized((scan: ScanLimit) =>
    statement<TenantItemRow>(
      "list_tenant",
      `SELECT i.user_id, ${itemColumns(time, "c")}
      FROM (
        SELECT n.pk, ${contentOf("n")},
          i.user_id, i.seq, i.type, i.created_at, i.read_at, i.unread_rev, ${ITEM_MARKS_OF_I}
        FROM (
          SELECT pk, ${contentOf()} FROM ${tables.notifications} WHERE tenant = $1 ORDER BY id DESC
        ) n
        CROSS JOIN LATERAL (
          SELECT i.user_id, i.seq, i.type, i.created_at, i.read_at, i.unread_rev, ${ITEM_MARKS_OF_I}
          FROM ${tables.inboxItems} i CROSS JOIN LATERAL (
            SELECT removed_up_to_seq FROM ${tables.inboxCounters} WHERE tenant = $1 AND user_id = i.user_id OFFSET 0
          ) c
          WHERE i.notification_pk = n.pk AND ${isActive("c")}
          ORDER BY i.user_id LIMIT ${scan}
        ) i
        LIMIT ${scan}
      ) i
      CROSS JOIN LATERAL (SELECT ${contentOf("i")}) n
      CROSS JOIN LATERAL (
        SELECT read_up_to_seq, read_rev, seen_up_to_seq, seen_rev FROM ${tables.inboxCounters} WHERE tenant = $1 AND user_id = i.user_id OFFSET 0
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

type FoundRow = readonly [isInactive: boolean, ...ItemRow];

/** Reads one item of an inbox. */
export function prepareGet(tables: TableNames) {
  const select = `SELECT NOT ${IN_PLACE.active}, ${itemColumns(ownReadTime(tables))} FROM inbox`;
  const bySeq = statement<FoundRow>(
    "get_by_seq",
    `WITH ${inboxState(tables)} ${select}
    CROSS JOIN LATERAL (
      SELECT * FROM ${tables.inboxItems} WHERE tenant = $1 AND user_id = $2 AND seq = $3 OFFSET 0
    ) i ${joinNotification(tables)}`,
  );
  const byId = statement<FoundRow>(
    "get_by_id",
    `WITH ${inboxState(tables)} ${select}
    CROSS JOIN LATERAL (
      SELECT * FROM ${tables.notifications} WHERE tenant = $1 AND id = $3 OFFSET 0
    ) n
    CROSS JOIN LATERAL (
      SELECT * FROM ${tables.inboxItems} WHERE notification_pk = n.pk AND user_id = $2 OFFSET 0
    ) i`,
  );
  const find = async (session: Session, { tenant, userId }: Owner, ref: ItemRef): Promise<FoundRow | undefined> => {
    const isId = typeof ref === "string";
    if (isId ? !isUuid(ref) : !Number.isSafeInteger(ref.seq)) {
      return undefined;
    }
    const [found] = await session.rows(isId ? byId : bySeq, [tenant, userId, isId ? ref : ref.seq]);
    return found;
  };
  return (owner: Owner, ref: ItemRef, { places = ["active"], includeDeleted = false }: GetOptions = {}) =>
    async (session: Session): Promise<InboxItem | null> => {
      const found = await find(session, owner, ref);
      if (found === undefined) {
        return null;
      }
      const [isInactive, ...row] = found;
      const item = toItem(row, owner);
      const place = placeOf(item, isInactive);
      return includeDeleted || places.some((one) => one === place) ? item : null;
    };
}
