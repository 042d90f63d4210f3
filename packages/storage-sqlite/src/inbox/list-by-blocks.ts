import type { InboxStatus, Owner } from "@belfry/core";
import type { InboxPage, InboxQuery, ItemPlace } from "@belfry/core/storage";
import {
  type BlockCount,
  type ChangedItems,
  type CountedAt,
  CountedList,
  type CountedLists,
  canFollow,
  changedBlocks,
  changesText,
  isSameMoment,
  type PageSpans,
  type SeqSpan,
  spanOf,
} from "@belfry/storage-sql";
import type { Part } from "../database/parts.ts";
import type { QueryContext, Statement } from "../database/statement.ts";
import { filterText, filterValues, IN_PLACE, IS_READ, IS_UNREAD_IN_SPAN, itemsOf, OF_TYPE, OWN_ITEMS } from "./conditions.ts";
import type { InboxState, ReadState } from "./inbox-state.ts";
import { type PlaceColumns, selectOwnItems } from "./item-row.ts";

/** The values of the statements: those of the list, and the numbers that they look at. */
interface SpanValues extends Owner, ReadState, SeqSpan {
  readonly type: string | undefined;
  readonly priorities: readonly string[] | undefined;
  readonly limit: number;
  readonly skipped: number;
}

/** The statements of one combination of filters. */
interface SpanStatements<Row> {
  /** How many items match, and for a list with a filter, of how many. */
  readonly matching: Statement<SpanValues, { readonly matching: number; readonly looked?: number }>;
  /** The number of the matching item after those that are skipped, the newest first. */
  readonly next: Statement<SpanValues, { readonly seq: number }>;
  readonly page: Statement<SpanValues, Row>;
}

const OF_STATUS: Readonly<Record<InboxStatus, string>> = { all: "", unread: `AND ${IS_UNREAD_IN_SPAN}`, read: `AND ${IS_READ}` };

/** The rows of a page, and what it says of the whole list. */
export interface CountedRows<Row> extends Pick<InboxPage, "matching" | "more" | "rest"> {
  readonly rows: readonly Row[];
  /** Whether more follow the last row, as the counts tell. @default as `rest` says */
  readonly goesOn?: boolean;
}

/**
 * Reads the rows of a page of a large inbox: see {@link CountedLists}. It answers with what it has counted if the part's time was up: to be
 * called with it again. All who ask for one list go on where one of them stopped, so that it is counted once. Null for a page that is
 * below all that the list counts.
 */
export function prepareListByBlocks<Row extends readonly unknown[]>(
  context: QueryContext,
  columns: PlaceColumns,
  lists: CountedLists,
): (asked: Asked, state: InboxState, part: Part<CountedList>) => CountedRows<Row> | CountedList | null {
  const statementsFor = prepareVariants<Row>(context, columns);
  const changesFor = (status: InboxStatus) =>
    context.prepareRows<readonly unknown[], ChangedItems>(changesText({ inboxChanges: "belfry_inbox_changes" }, status));
  const changesAfter = { all: changesFor("all"), unread: changesFor("unread"), read: changesFor("read") };
  /** The list as it is now, as far as it is counted; null if the log does not tell what has changed. */
  const follow = (known: CountedList | undefined, { owner, query }: Asked, counting: Counting<Row>): CountedList | null => {
    const { now } = counting;
    if (!canFollow(known, now)) {
      return null;
    }
    if (isSameMoment(known.at, now)) {
      return known;
    }
    const lines = now.rev === known.at.rev ? [] : changesAfter[query.status].all([owner.tenant, owner.userId, known.at.rev]);
    const blocks = changedBlocks(known, now, { lines, filters: query });
    return blocks === null ? null : known.later(now, blocks);
  };
  return (asked, state, part) => {
    const { owner, query } = asked;
    const ofNewest = query.filter !== undefined;
    // What is looked at is counted as well as what matches.
    const least = (query.status === "unread" && !ofNewest ? state.unreadAfterSeq : state.removedUpToSeq) + 1;
    const { epoch, rev, lastSeq } = state.counts;
    const now = { epoch, rev, lastSeq };
    const counting = { now, statements: statementsFor(query), values: valuesOf(owner, query, state), least };
    // Memory may have no place for it: then it is counted for this call alone.
    const known = lists.find(owner, query) ?? part.soFar;
    if (known?.isAbove(query)) {
      return null;
    }
    const list = countLeft(follow(known, asked, counting) ?? CountedList.begin(now, { ofNewest }), counting, part);
    if (list !== known) {
      lists.keep(owner, query, list);
    }
    if (list.left.length > 0 || list.isAbove(query)) {
      return list.left.length > 0 ? list : null;
    }
    const rows = rowsOf(counting, list.page(query));
    return { rows, matching: list.matching, ...restOf(list, query, rows.length) };
  };
}

/** What a page of a list with a filter says of the items that are not counted. */
function restOf(list: CountedList, { filter, limit }: InboxQuery, found: number): Pick<InboxPage, "more" | "rest"> {
  if (filter === undefined) {
    return {};
  }
  const more = list.least > 0;
  return { more, ...(more && found < limit ? { rest: list.least } : {}) };
}

/** What counts a list. */
interface Counting<Row> {
  readonly now: CountedAt;
  readonly statements: SpanStatements<Row>;
  readonly values: SpanValues;
  /** No item with a number below this matches. */
  readonly least: number;
}

/** A list, and whose. */
interface Asked {
  readonly owner: Owner;
  readonly query: InboxQuery;
}

function valuesOf({ tenant, userId }: Owner, { type, filter }: InboxQuery, state: InboxState): SpanValues {
  const { readUpToSeq, readRev, removedUpToSeq, seenUpToSeq, seenRev } = state;
  const { priorities } = filterValues(filter);
  const given = { type, priorities, low: 0, high: 0, limit: 1, skipped: 0 };
  return { tenant, userId, readUpToSeq, readRev, removedUpToSeq, seenUpToSeq, seenRev, ...given };
}

/** Prepares the statements of a combination of filters when it is first used. */
function prepareVariants<Row extends readonly unknown[]>({ prepare, prepareRows }: QueryContext, columns: PlaceColumns) {
  const prepared = new Map<string, SpanStatements<Row>>();
  const make = (place: ItemPlace, { inSpan, conditions, isLooked }: Conditions): SpanStatements<Row> => {
    const items = itemsOf(place);
    const matching = `${items} WHERE ${OWN_ITEMS} AND ${inSpan} ${conditions}`;
    const looked = `SELECT count(*) FILTER (WHERE true ${conditions}) AS matching, count(*) AS looked FROM ${items} WHERE ${OWN_ITEMS} AND ${inSpan}`;
    return {
      matching: prepare(isLooked ? looked : `SELECT count(*) AS matching FROM ${matching}`),
      next: prepare(`SELECT i.seq FROM ${matching} ORDER BY i.seq DESC LIMIT 1 OFFSET :skipped`),
      page: prepareRows(`${selectOwnItems(columns[place], items)} AND ${inSpan} ${conditions} ORDER BY i.seq DESC LIMIT :limit`),
    };
  };
  return ({ status, type, place = "active", filter }: InboxQuery): SpanStatements<Row> => {
    const named = type === undefined ? "" : OF_TYPE;
    const inSpan = `${IN_PLACE[place]} AND i.seq >= +:low AND i.seq < +:high`;
    const conditions = `${OF_STATUS[status]} ${named}${filterText(filter)}`;
    const key = `${inSpan} ${conditions}`;
    const statements = prepared.get(key) ?? make(place, { inSpan, conditions, isLooked: filter !== undefined });
    prepared.set(key, statements);
    return statements;
  };
}

/** Which items of an inbox a list looks at, and which of them are in it. */
interface Conditions {
  readonly inSpan: string;
  readonly conditions: string;
  /** Whether those are counted that it looks at. */
  readonly isLooked: boolean;
}

/** Counts blocks that are left, the newest first, while the part has time. */
function countLeft<Row>(list: CountedList, counting: Counting<Row>, part: Part<CountedList>): CountedList {
  const counts: BlockCount[] = [];
  for (const block of list.left) {
    const hasItems = spanOf(block).high > counting.least;
    if (hasItems && !part.hasTime()) {
      break;
    }
    counts.push(hasItems ? countOf(block, counting) : [block, 0]);
  }
  if (counts.length === 0) {
    return list;
  }
  const counted = list.counting(counts);
  // One of the newest items may have to go further down.
  return counts.length < list.left.length ? counted : countLeft(counted, counting, part);
}

function countOf<Row>(block: number, { statements, values }: Counting<Row>): BlockCount {
  const { matching = 0, looked = 0 } = statements.matching.get({ ...values, ...spanOf(block) }) ?? {};
  return [block, matching, looked];
}

/** Reads a page, span by span. */
function rowsOf<Row>({ statements: { next, page }, values }: Counting<Row>, { spans, skipped, limit }: PageSpans): readonly Row[] {
  const rows: Row[] = [];
  let left = skipped;
  for (const { low, high } of spans) {
    // Rows that an offset skips are read by key alone, never joined. They are all in the first span.
    const first = left === 0 ? high : (next.get({ ...values, low, high, skipped: left - 1 })?.seq ?? low);
    left = 0;
    rows.push(...page.all({ ...values, low, high: first, limit: limit - rows.length }));
  }
  return rows;
}
