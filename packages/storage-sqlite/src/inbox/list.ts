import type { InboxCounts, InboxItem, InboxStatus, ItemRef, Owner } from "@belfry/core";
import {
  COUNTED_ITEMS,
  type GetOptions,
  type InboxPage,
  type InboxQuery,
  type InboxTail,
  leastLookedAt,
  type PageBounds,
} from "@belfry/core/storage";
import { CountedList, type CountedLists, isByBlocks } from "@belfry/storage-sql";
import { type Part, Unfinished } from "../database/parts.ts";
import { type QueryContext, type Statement, takeBytes } from "../database/statement.ts";
import {
  type FilterValues,
  filterText,
  filterValues,
  IN_PLACE,
  IN_PLACE_ABOVE_REMOVED,
  IS_ACTIVE_BESIDE_COUNTERS,
  IS_READ,
  IS_UNREAD,
  itemsOf,
  JOIN_COUNTERS,
  newestOf,
  OF_ROOM,
  OF_TYPE,
  OWN_ITEMS,
} from "./conditions.ts";
import { type InboxState, prepareInboxState, type ReadState } from "./inbox-state.ts";
import {
  ACTIONS,
  ACTIVE_COLUMNS,
  type ActiveItemRow,
  COLUMNS_IN_PLACE,
  type ItemStates,
  MARKS_COLUMNS,
  type MarksRow,
  type PlaceColumns,
  prepareFindItem,
  prepareReadTimes,
  STORED_IN_PLACE,
  selectOwnItems,
  toItem,
  toStoredItem,
} from "./item-row.ts";
import { type CountedRows, prepareListByBlocks } from "./list-by-blocks.ts";

/** The values of a list's statements, each of which takes the ones that its text names. */
interface ListValues extends Owner, ReadState, FilterValues {
  readonly unreadAfterSeq: number;
  readonly type: string | undefined;
  readonly roomId: string | undefined;
  readonly before: number;
  /** The least number that is looked at. */
  readonly least: number;
  readonly limit: number;
  /** How many matching items come before the last one that an offset skips. */
  readonly skipped: number;
}

/** The statements of one combination of filters. */
interface ListStatements<Row> {
  /** How many items match, of how many that were looked at. */
  readonly matching: Statement<ListValues, { readonly matching: number; readonly looked: number }>;
  /** The number of the last matching item that an offset skips. */
  readonly lastSkipped: Statement<ListValues, { readonly seq: number }>;
  readonly page: Statement<ListValues, Row>;
}

/** The columns that a list reads of each item, and what it makes of them. */
interface Reading<Row extends readonly unknown[], Item> {
  readonly columns: PlaceColumns;
  toItem(row: Row, owner: Owner, states: ItemStates): Item;
}

/** Reads a page of an inbox, newest first. */
export const prepareList = listOf({ columns: COLUMNS_IN_PLACE, toItem });

/** Reads a page of an inbox, newest first, for those who write it out at once. */
export const prepareListStored = listOf({ columns: STORED_IN_PLACE, toItem: toStoredItem });

function listOf<Row extends readonly unknown[], Item extends Pick<InboxItem, "seq">>(reading: Reading<Row, Item>) {
  return (lists: CountedLists) => (context: QueryContext) => {
    const inboxState = prepareInboxState(context);
    const readTimes = prepareReadTimes(context);
    const listRows = prepareListRows<Row>(context, reading.columns);
    const listByBlocks = prepareListByBlocks<Row>(context, reading.columns, lists);
    return (part: Part<CountedList>, owner: Owner, query: InboxQuery): InboxPage<Item> | Unfinished<CountedList> => {
      const state = inboxState(owner);
      const counted = isByBlocks(query, state.counts.lastSeq) ? listByBlocks({ owner, query }, state, part) : null;
      const found = counted ?? listRows(owner, query, state);
      if (found instanceof CountedList) {
        return new Unfinished(found);
      }
      const { rows, goesOn = false, ...page } = found;
      const states = readTimes(owner, state);
      const items = rows.map((row) => reading.toItem(row, owner, states));
      return { items, counts: state.counts, ...page, ...(goesOn && { rest: items.at(-1)?.seq ?? 0 }) };
    };
  };
}

/** Reads the rows of a page, and counts what matches in the whole inbox. */
function prepareListRows<Row extends readonly unknown[]>(context: QueryContext, columns: PlaceColumns) {
  const statementsFor = prepareVariants<Row>(context, columns);
  return (owner: Owner, query: InboxQuery, state: InboxState): CountedRows<Row> => {
    const { counts } = state;
    const { status, place = "active", limit, offset = 0 } = query;
    const statements = statementsFor(query);
    const values = valuesOf(owner, query, state);
    const ofStatus = countOf(counts, status);
    const isCounted = place === "active" && (isUnfiltered(query) || ofStatus === 0);
    const { matching, looked } = isCounted ? { matching: ofStatus, looked: 0 } : (statements.matching.get(values) ?? NONE);
    const isLarge = looked > COUNTED_ITEMS;
    const least = isLarge ? leastLookedAt(query, counts) : 0;
    values.least = Math.max(values.least, least);
    const shown = isCounted && isToldByCounts(query, matching) ? limit - 1 : limit;
    // Asks for no more rows than match: a scan that found them all does not read the rest of the inbox.
    values.limit = isLarge ? limit : Math.min(shown, matching - offset);
    const rows = pageRows(statements, values);
    return { rows, matching, goesOn: shown < limit && rows.length === shown, ...moreOf(query, rows, { isLarge, least }) };
  };
}

const NONE = { matching: 0, looked: 0 };

/** Whether the number of matches tells that more items follow those of a first page. */
function isToldByCounts({ looksAhead, before, offset = 0, limit }: InboxQuery, matching: number): boolean {
  return looksAhead === true && before === undefined && limit > 1 && matching - offset >= limit;
}

/** The values of a list's statements. They are named one by one: to copy them with their names costs as much as to read some rows. */
function valuesOf(
  { tenant, userId }: Owner,
  query: InboxQuery,
  state: InboxState,
): { -readonly [Name in keyof ListValues]: ListValues[Name] } {
  const { type, roomId, filter, limit, offset = 0, before = Number.MAX_SAFE_INTEGER } = query;
  const { readUpToSeq, readRev, removedUpToSeq, seenUpToSeq, seenRev, unreadAfterSeq } = state;
  const { types, categories, typesOfCategories, priorities, group } = filter === undefined ? NO_FILTER : filterValues(filter);
  return {
    tenant,
    userId,
    readUpToSeq,
    readRev,
    removedUpToSeq,
    seenUpToSeq,
    seenRev,
    unreadAfterSeq,
    type,
    roomId,
    types,
    categories,
    typesOfCategories,
    priorities,
    group,
    before,
    least: removedUpToSeq + 1,
    limit,
    skipped: offset - 1,
  };
}

const NO_FILTER = filterValues();

function isUnfiltered({ type, roomId, filter }: InboxQuery): boolean {
  return type === undefined && roomId === undefined && filter === undefined;
}

/** What a filtered page says of the items that were not counted, and of those that were not looked at. */
function moreOf(
  { filter, limit }: InboxQuery,
  rows: readonly unknown[],
  { isLarge, least }: { readonly isLarge: boolean; readonly least: number },
): Pick<InboxPage, "more" | "rest"> {
  if (filter === undefined) {
    return {};
  }
  return { more: isLarge, ...(least > 1 && rows.length < limit ? { rest: least } : {}) };
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
  return before === undefined ? [] : page.all(before === values.before ? values : { ...values, before });
}

const OF_STATUS: Readonly<Record<InboxStatus, string>> = { all: "", unread: `AND ${IS_UNREAD}`, read: `AND ${IS_READ}` };

/** Prepares the statements of a combination of filters when it is first used. */
function prepareVariants<Row extends readonly unknown[]>(context: QueryContext, columns: PlaceColumns) {
  const prepared = new Map<string, ListStatements<Row>>();
  return ({ status, type, roomId, place = "active", filter }: Omit<InboxQuery, "limit">): ListStatements<Row> => {
    const conditions = `${type === undefined ? "" : OF_TYPE} ${roomId === undefined ? "" : OF_ROOM}${filter === undefined ? "" : filterText(filter)}`;
    const name = `${status} ${place} ${conditions}`;
    const known = prepared.get(name);
    if (known !== undefined) {
      return known;
    }
    // SQLite goes by one bound from below alone, and nothing unread has a number as low as the least one.
    const isLookedAt = status === "unread" && filter === undefined ? "" : "AND i.seq >= +:least";
    const isInPlace = (isLookedAt === "" ? IN_PLACE : IN_PLACE_ABOVE_REMOVED)[place];
    const text = {
      columns: columns[place],
      items: itemsOf(place, filter),
      filter: `AND ${isInPlace} ${OF_STATUS[status]} ${conditions}`,
      isLookedAt,
    };
    const statements = prepareStatements<Row>(context, text, filter === undefined ? undefined : { place, filter });
    prepared.set(name, statements);
    return statements;
  };
}

function prepareStatements<Row extends readonly unknown[]>(
  { prepare, prepareRows }: QueryContext,
  { columns, items, filter, isLookedAt }: Readonly<Record<"columns" | "items" | "filter" | "isLookedAt", string>>,
  bounded: Required<Pick<InboxQuery, "place" | "filter">> | undefined,
): ListStatements<Row> {
  const matching = `${items} WHERE ${OWN_ITEMS} ${filter}`;
  const counted =
    bounded === undefined
      ? `SELECT count(*) AS matching, 0 AS looked FROM ${matching} ${isLookedAt}`
      : `SELECT count(*) FILTER (WHERE true ${filter}) AS matching, count(*) AS looked FROM (${newestOf(bounded)} LIMIT ${COUNTED_ITEMS + 1}) i`;
  return {
    matching: prepare(counted),
    lastSkipped: prepare(`SELECT i.seq FROM ${matching} ${isLookedAt} ORDER BY i.seq DESC LIMIT 1 OFFSET :skipped`),
    page: prepareRows(`${selectOwnItems(columns, items)} ${filter} ${isLookedAt} AND i.seq < +:before ORDER BY i.seq DESC LIMIT :limit`),
  };
}

/** Reads the items that came after a number, oldest first. */
export function prepareListAfter(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const readTimes = prepareReadTimes(context);
  const tail = context.prepareRows<Owner & { readonly seq: number; readonly limit: number }, ActiveItemRow>(
    `${selectOwnItems(ACTIVE_COLUMNS)} AND i.seq > +:seq AND ${IN_PLACE_ABOVE_REMOVED.active} ORDER BY i.seq LIMIT :limit`,
  );
  return (owner: Owner, seq: number, { limit, bytes }: PageBounds): InboxTail => {
    const state = inboxState(owner);
    const isAnyLeft = state.counts.lastSeq > seq && limit > 0;
    const values = { ...owner, seq: Math.max(seq, state.removedUpToSeq), limit };
    const rows = isAnyLeft ? takeBytes(tail.iterate(values), { bytes, of: rowBytes }) : [];
    const states = readTimes(owner, state);
    return { items: rows.map((row) => toItem(row, owner, states)), counts: state.counts };
  };
}

function rowBytes(row: ActiveItemRow): number {
  const [, , title, message, data] = row;
  return title.length + message.length + data.length + (row[ACTIONS]?.length ?? 0);
}

type TenantItemRow = readonly [userId: string, ...marks: MarksRow, ...item: ActiveItemRow];

/** Reads the newest items of all of a tenant's inboxes: along the notifications' ids, which sort by time. */
export function prepareListTenant(context: QueryContext) {
  const readTimes = prepareReadTimes(context);
  const newest = context.prepareRows<{ readonly tenant: string; readonly limit: number }, TenantItemRow>(`
    SELECT i.user_id, ${MARKS_COLUMNS}, ${ACTIVE_COLUMNS}
    FROM belfry_notifications n CROSS JOIN belfry_inbox_items i ON i.notification_pk = n.pk ${JOIN_COUNTERS}
    WHERE n.tenant = +:tenant AND ${IS_ACTIVE_BESIDE_COUNTERS} ORDER BY n.id DESC, i.user_id LIMIT :limit`);
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
