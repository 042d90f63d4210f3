import type { InboxStatus, Owner } from "@belfry/core";
import type { InboxQuery } from "@belfry/core/storage";
import {
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

/** Reads the rows of a page of a large inbox: see {@link CountedLists}. */
export function prepareListByBlocks<Row extends readonly unknown[]>(
  context: QueryContext,
  columns: string,
  lists: CountedLists,
): (owner: Owner, query: InboxQuery, state: InboxState) => CountedRows<Row> {
  const statementsFor = prepareVariants<Row>(context, columns);
  const momentOf = prepareMoment(context);
  const changesAfter = context.prepareRows<readonly unknown[], ChangedItems>(changesText({ inboxChanges: "belfry_inbox_changes" }));
  const countAgain = (list: CountedList, now: CountedAt, { owner, query }: Asked): readonly number[] | null => {
    const lines = now.rev === list.at.rev ? [] : changesAfter.all([owner.tenant, owner.userId, list.at.rev]);
    return changedBlocks(list, now, { lines, filters: query });
  };
  return (owner, query, state) => {
    const { statements, values } = { statements: statementsFor(query), values: valuesOf(owner, query, state) };
    const now = momentOf(owner, query, state);
    const known = lists.find(owner, query);
    const follows = canFollow(known, now);
    if (follows && isSameMoment(known.at, now)) {
      return { rows: rowsOf(statements, values, known.page(query)), matching: known.matching };
    }
    const blocks = follows ? countAgain(known, now, { owner, query }) : null;
    const list =
      follows && blocks !== null
        ? known.later(now, countsOf(statements, values, blocks))
        : CountedList.of(now, allCounts(statements, values, query.status === "unread" ? state.unreadAfterSeq + 1 : 0));
    lists.keep(owner, query, list);
    return { rows: rowsOf(statements, values, list.page(query)), matching: list.matching };
  };
}

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
function countsOf<Row>({ matching }: SpanStatements<Row>, values: SpanValues, blocks: readonly number[]): readonly BlockCount[] {
  return blocks.map((block) => [block, matching.get({ ...values, ...spanOf(block) })?.matching ?? 0]);
}

/** Counts the items of all blocks from the number `low` on: it goes from one that has any to the next. */
function* allCounts<Row>({ matching, next }: SpanStatements<Row>, values: SpanValues, low: number): Generator<BlockCount> {
  let high = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const found = next.get({ ...values, low, high });
    if (found === undefined) {
      return;
    }
    const block = blockOf(found.seq);
    const span = spanOf(block);
    yield [block, matching.get({ ...values, ...span })?.matching ?? 0];
    high = span.low;
  }
}

/** Reads a page, span by span. */
function rowsOf<Row>({ next, page }: SpanStatements<Row>, values: SpanValues, { spans, skipped, limit }: PageSpans): readonly Row[] {
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
