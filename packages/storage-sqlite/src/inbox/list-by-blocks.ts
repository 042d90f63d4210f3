import type { InboxStatus, Owner } from "@belfry/core";
import type { InboxQuery } from "@belfry/core/storage";
import {
  BLOCKS_AT_ONCE,
  type BlockCount,
  blockOf,
  type ChangedItems,
  type CountedAt,
  CountedList,
  type CountedLists,
  canFollow,
  changedBlocks,
  changesText,
  isSameMoment,
  PART_MS,
  type PageSpans,
  type SeqSpan,
  spanOf,
} from "@belfry/storage-sql";
import type { QueryContext, Statement } from "../database/statement.ts";
import { IN_PLACE, IS_READ, IS_UNREAD_IN_SPAN, itemsOf, OF_ROOM, OF_TYPE, OWN_ITEMS } from "./conditions.ts";
import type { InboxState, ReadState } from "./inbox-state.ts";
import { selectOwnItems } from "./item-row.ts";

/** The values of the statements: those of the list, and the numbers that they look at. */
interface SpanValues extends Owner, ReadState, SeqSpan {
  readonly type: string | undefined;
  readonly roomId: string | undefined;
  readonly limit: number;
  readonly skipped: number;
}

/** The statements of one combination of filters. */
interface SpanStatements<Row> {
  /** How many items match. */
  readonly matching: Statement<SpanValues, { readonly matching: number }>;
  /** The number of the matching item after those that are skipped, the newest first. */
  readonly next: Statement<SpanValues, { readonly seq: number }>;
  readonly page: Statement<SpanValues, Row>;
}

const OF_STATUS: Readonly<Record<InboxStatus, string>> = { all: "", unread: `AND ${IS_UNREAD_IN_SPAN}`, read: `AND ${IS_READ}` };

/** The rows of a page, and how many items match on this page or not. */
export interface CountedRows<Row> {
  readonly rows: readonly Row[];
  readonly matching: number;
}

/** A count that had to begin so often is made in one part. */
const MOST_BEGUN = 5;

/**
 * Reads the rows of a page of a large inbox: see {@link CountedLists}. It answers with what it has counted if that takes longer: to be called
 * with it again.
 */
export function prepareListByBlocks<Row extends readonly unknown[]>(
  context: QueryContext,
  columns: string,
  lists: CountedLists,
): (asked: Asked, state: InboxState, counted: CountedList | undefined) => CountedRows<Row> | CountedList {
  const statementsFor = prepareVariants<Row>(context, columns);
  const momentOf = prepareMoment(context);
  const changesAfter = context.prepareRows<readonly unknown[], ChangedItems>(changesText({ inboxChanges: "belfry_inbox_changes" }));
  /** The list as it is now, as far as it was counted; null if the log does not tell what has changed. */
  const follow = (known: CountedList | undefined, { owner, query }: Asked, counting: Counting<Row>): CountedList | null => {
    const { now } = counting;
    if (!canFollow(known, now)) {
      return null;
    }
    if (isSameMoment(known.at, now)) {
      return known;
    }
    const lines = now.rev === known.at.rev ? [] : changesAfter.all([owner.tenant, owner.userId, known.at.rev]);
    const blocks = changedBlocks(known, now, { lines, filters: query });
    return blocks === null ? null : known.later(now, countsOf(counting, blocks));
  };
  return (asked, state, counted) => {
    const { owner, query } = asked;
    const least = query.status === "unread" ? state.unreadAfterSeq + 1 : 0;
    const now = momentOf(owner, query, state);
    const counting = { now, statements: statementsFor(query), values: valuesOf(owner, query, state), least };
    const known = counted ?? lists.find(owner, query);
    const list = countLeft(follow(known, asked, counting) ?? CountedList.begin(now, counted?.left.begun ?? 0), counting);
    if (list.left.blocks > 0) {
      return list;
    }
    if (list !== known) {
      lists.keep(owner, query, list);
    }
    return { rows: rowsOf(counting, list.page(query)), matching: list.matching };
  };
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

function valuesOf({ tenant, userId }: Owner, { type, roomId }: InboxQuery, state: InboxState): SpanValues {
  const { readUpToSeq, readRev, seenUpToSeq, seenRev } = state;
  return { tenant, userId, readUpToSeq, readRev, seenUpToSeq, seenRev, type, roomId, low: 0, high: 0, limit: 1, skipped: 0 };
}

/** Reads the moment of a list. The room of an item is content of its notification. */
function prepareMoment({ prepareRows }: QueryContext) {
  const token = prepareRows<Owner, readonly [token: number]>("SELECT token FROM belfry_content_tokens WHERE tenant = :tenant");
  return (owner: Owner, { roomId }: InboxQuery, { counts: { epoch, rev, lastSeq } }: InboxState): CountedAt => {
    return { epoch, rev, lastSeq, contentToken: roomId === undefined ? null : (token.get(owner)?.[0] ?? null) };
  };
}

/** Prepares the statements of a combination of filters when it is first used. */
function prepareVariants<Row extends readonly unknown[]>({ prepare, prepareRows }: QueryContext, columns: string) {
  const prepared = new Map<string, SpanStatements<Row>>();
  const make = (conditions: string, items: string): SpanStatements<Row> => {
    const matching = `${items} WHERE ${OWN_ITEMS} ${conditions}`;
    return {
      matching: prepare(`SELECT count(*) AS matching FROM ${matching}`),
      next: prepare(`SELECT i.seq FROM ${matching} ORDER BY i.seq DESC LIMIT 1 OFFSET :skipped`),
      page: prepareRows(`${selectOwnItems(columns, items)} ${conditions} ORDER BY i.seq DESC LIMIT :limit`),
    };
  };
  return ({ status, type, roomId, place = "active" }: InboxQuery): SpanStatements<Row> => {
    const named = `${type === undefined ? "" : OF_TYPE} ${roomId === undefined ? "" : OF_ROOM}`;
    const conditions = `AND ${IN_PLACE[place]} ${OF_STATUS[status]} ${named} AND i.seq >= +:low AND i.seq < +:high`;
    const statements = prepared.get(conditions) ?? make(conditions, itemsOf(place));
    prepared.set(conditions, statements);
    return statements;
  };
}

/** Counts the items of some blocks. */
function countsOf<Row>({ statements, values }: Counting<Row>, blocks: readonly number[]): readonly BlockCount[] {
  return blocks.map((block) => [block, statements.matching.get({ ...values, ...spanOf(block) })?.matching ?? 0]);
}

/** Counts blocks that are left, the newest first, for as long as a part may take. */
function countLeft<Row>(list: CountedList, counting: Counting<Row>): CountedList {
  if (list.left.blocks === 0) {
    return list;
  }
  const endMs = list.left.begun > MOST_BEGUN ? Number.POSITIVE_INFINITY : performance.now() + PART_MS;
  const counts: BlockCount[] = [];
  let left = list.left.blocks;
  do {
    const from = Math.max(left - BLOCKS_AT_ONCE, 0);
    counts.push(...countsBetween(counting, spanOf(from).low, spanOf(left).low));
    left = from;
  } while (left > 0 && performance.now() < endMs);
  return list.later(list.at, counts, left);
}

/** Counts the blocks that have any items between two numbers: it goes from one to the next. */
function* countsBetween<Row>({ statements, values, least }: Counting<Row>, low: number, high: number): Generator<BlockCount> {
  const [bottom, skipped] = [Math.max(low, least), 0];
  for (let top = high; top > bottom; ) {
    const found = statements.next.get({ ...values, low: bottom, high: top, skipped });
    if (found === undefined) {
      return;
    }
    const block = blockOf(found.seq);
    const span = spanOf(block);
    yield [block, statements.matching.get({ ...values, ...span })?.matching ?? 0];
    top = span.low;
  }
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
