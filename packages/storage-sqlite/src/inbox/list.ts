import type { InboxCounts, InboxItem, InboxPosition, InboxStatus, ItemRef, Owner } from "@belfry/core";
import type { GetOptions, InboxPage, InboxQuery, InboxTail, ItemPlace, PageBounds } from "@belfry/core/storage";
import { type QueryContext, type Statement, takeBytes } from "../database/statement.ts";
import { IS_READ, IS_UNREAD, JOIN_COUNTERS, OWN_ITEMS } from "./conditions.ts";
import { prepareInboxState, type ReadState } from "./inbox-state.ts";
import {
  ACTIONS,
  ITEM_COLUMNS,
  ITEMS,
  type ItemRow,
  type ItemStates,
  MARKS_COLUMNS,
  type MarksRow,
  prepareFindItem,
  prepareReadTimes,
  STORED_COLUMNS,
  selectOwnItems,
  toItem,
  toStoredItem,
} from "./item-row.ts";

/** The values of a list's statements, each of which takes the ones that its text names. */
interface ListValues extends Owner, Pick<ReadState, "readUpToSeq" | "readRev"> {
  readonly unreadAfterSeq: number;
  readonly type: string | undefined;
  readonly roomId: string | undefined;
  readonly before: number;
  readonly limit: number;
  /** How many matching items come before the last one that an offset skips. */
  readonly skipped: number;
}

/** The statements of one combination of filters. */
interface ListStatements<Row> {
  /** How many items match. */
  readonly matching: Statement<ListValues, { readonly matching: number }>;
  /** The number of the last matching item that an offset skips. */
  readonly lastSkipped: Statement<ListValues, { readonly seq: number }>;
  readonly page: Statement<ListValues, Row>;
}

/** The columns that a list reads of each item, and what it makes of them. */
interface Reading<Row extends readonly unknown[], Item> {
  readonly columns: string;
  toItem(row: Row, owner: Owner, states: ItemStates): Item;
}

/** Reads a page of an inbox, newest first. */
export const prepareList = listOf({ columns: ITEM_COLUMNS, toItem });

/** Reads a page of an inbox, newest first, for those who write it out at once. */
export const prepareListStored = listOf({ columns: STORED_COLUMNS, toItem: toStoredItem });

function listOf<Row extends readonly unknown[], Item>(reading: Reading<Row, Item>) {
  return (context: QueryContext) => {
    const inboxState = prepareInboxState(context);
    const readTimes = prepareReadTimes(context);
    const statementsFor = prepareVariants<Row>(context, reading.columns);
    return (owner: Owner, query: InboxQuery): InboxPage<Item> => {
      const state = inboxState(owner);
      const { counts, readUpToSeq, readRev, unreadAfterSeq } = state;
      const { status, type, roomId, place = "active", limit, offset = 0, before = Number.MAX_SAFE_INTEGER } = query;
      const { tenant, userId } = owner;
      const statements = statementsFor(query);
      const values = { tenant, userId, readUpToSeq, readRev, unreadAfterSeq, type, roomId, before, limit, skipped: offset - 1 };
      const ofStatus = countOf(counts, status);
      const isCounted = place === "active" && ((type === undefined && roomId === undefined) || ofStatus === 0);
      const matching = isCounted ? ofStatus : (statements.matching.get(values)?.matching ?? 0);
      // Asks for no more rows than match: a scan that found them all does not read the rest of the inbox.
      values.limit = Math.min(limit, matching - offset);
      const states = readTimes(owner, state);
      return { items: pageRows(statements, values).map((row) => reading.toItem(row, owner, states)), counts, matching };
    };
  };
}

function countOf({ total, unread }: InboxCounts, status: InboxStatus): number {
  return { all: total, unread, read: total - unread }[status];
}

function pageRows<Row>({ lastSkipped, page }: ListStatements<Row>, values: ListValues): readonly Row[] {
  if (values.limit <= 0) {
    return [];
  }
  // Rows that an offset skips are read by key alone, never joined.
  const before = values.skipped < 0 ? values.before : lastSkipped.get(values)?.seq;
  return page.all(before === values.before ? values : { ...values, before: before ?? values.before });
}

const OF_STATUS: Readonly<Record<InboxStatus, string>> = { all: "", unread: `AND ${IS_UNREAD}`, read: `AND ${IS_READ}` };
const IN_PLACE: Readonly<Record<ItemPlace, string>> = {
  active: "i.deleted_at IS NULL",
  archived: "i.archived_at IS NOT NULL",
  snoozed: "i.snoozed_until IS NOT NULL",
};
const OF_TYPE = "AND i.type = +:type";
const OF_ROOM = "AND (SELECT data ->> '$.room_id' FROM belfry_notifications WHERE pk = i.notification_pk) = +:roomId";

/** Prepares the statements of a combination of filters when it is first used. */
function prepareVariants<Row extends readonly unknown[]>(context: QueryContext, columns: string) {
  const prepared = new Map<string, ListStatements<Row>>();
  return ({ status, type, roomId, place = "active" }: Pick<InboxQuery, "status" | "type" | "roomId" | "place">): ListStatements<Row> => {
    const filter = `AND ${IN_PLACE[place]} ${OF_STATUS[status]} ${type === undefined ? "" : OF_TYPE} ${roomId === undefined ? "" : OF_ROOM}`;
    // The planner takes the inbox's own key for as good, but that would read all active items, too.
    const items = place === "active" ? ITEMS : `${ITEMS} INDEXED BY belfry_inbox_items_${place}`;
    const statements = prepared.get(filter) ?? prepareStatements<Row>(context, { columns, items, filter });
    prepared.set(filter, statements);
    return statements;
  };
}

function prepareStatements<Row extends readonly unknown[]>(
  { prepare, prepareRows }: QueryContext,
  { columns, items, filter }: { readonly columns: string; readonly items: string; readonly filter: string },
): ListStatements<Row> {
  const matching = `${items} WHERE ${OWN_ITEMS} ${filter}`;
  return {
    matching: prepare(`SELECT count(*) AS matching FROM ${matching}`),
    lastSkipped: prepare(`SELECT i.seq FROM ${matching} ORDER BY i.seq DESC LIMIT 1 OFFSET :skipped`),
    page: prepareRows(`${selectOwnItems(columns, items)} ${filter} AND i.seq < +:before ORDER BY i.seq DESC LIMIT :limit`),
  };
}

/** Reads the items that came after a number, oldest first. */
export function prepareListAfter(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const readTimes = prepareReadTimes(context);
  const tail = context.prepareRows<Owner & { readonly seq: number; readonly limit: number }, ItemRow>(
    `${selectOwnItems(ITEM_COLUMNS)} AND i.seq > +:seq AND i.deleted_at IS NULL ORDER BY i.seq LIMIT :limit`,
  );
  return (owner: Owner, seq: number, { limit, bytes }: PageBounds): InboxTail => {
    const state = inboxState(owner);
    const isAnyLeft = state.counts.lastSeq > seq && limit > 0;
    const rows = isAnyLeft ? takeBytes(tail.iterate({ ...owner, seq, limit }), { bytes, of: rowBytes }) : [];
    const states = readTimes(owner, state);
    return { items: rows.map((row) => toItem(row, owner, states)), counts: state.counts };
  };
}

function rowBytes(row: ItemRow): number {
  const [, , title, message, data] = row;
  return title.length + message.length + data.length + (row[ACTIONS]?.length ?? 0);
}

type TenantItemRow = readonly [userId: string, ...marks: MarksRow, ...item: ItemRow];

/** Reads the newest items of all of a tenant's inboxes: along the notifications' ids, which sort by time. */
export function prepareListTenant(context: QueryContext) {
  const readTimes = prepareReadTimes(context);
  const newest = context.prepareRows<{ readonly tenant: string; readonly limit: number }, TenantItemRow>(`
    SELECT i.user_id, ${MARKS_COLUMNS}, ${ITEM_COLUMNS}
    FROM belfry_notifications n CROSS JOIN belfry_inbox_items i ON i.notification_pk = n.pk ${JOIN_COUNTERS}
    WHERE n.tenant = +:tenant AND i.deleted_at IS NULL ORDER BY n.id DESC, i.user_id LIMIT :limit`);
  return (tenant: string, limit: number): readonly InboxItem[] =>
    newest.all({ tenant, limit }).map(([userId, readUpToSeq, seenUpToSeq, seenRev, ...row]) => {
      const owner = { tenant, userId };
      return toItem(row, owner, readTimes(owner, { readUpToSeq, seenUpToSeq, seenRev }));
    });
}

/** Reads one item of an inbox. */
export function prepareGet(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const findItem = prepareFindItem(context);
  return (owner: Owner, ref: ItemRef, { places = ["active"], includeDeleted = false }: GetOptions = {}): InboxItem | null => {
    const found = findItem(owner, inboxState(owner), ref);
    return found !== undefined && (includeDeleted || places.some((place) => place === found.place)) ? found.item : null;
  };
}

/** Reads the last number and the epoch of several inboxes, each one row by its key. */
export function preparePositions(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  return (owners: readonly Owner[]): readonly InboxPosition[] =>
    owners.map((owner) => {
      const { lastSeq, epoch } = inboxState(owner).counts;
      return { seq: lastSeq, epoch };
    });
}
