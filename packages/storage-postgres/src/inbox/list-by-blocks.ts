import type { InboxStatus, Owner } from "@belfry/core";
import { type InboxPage, type InboxQuery, MAX_LOGGED_CHANGES } from "@belfry/core/storage";
import {
  BLOCK_LENGTH,
  type BlockCount,
  type ChangedItems,
  type CountedAt,
  CountedList,
  type CountedLists,
  canFollow,
  changedBlocks,
  changedColumns,
  isSameMoment,
} from "@belfry/storage-sql";
import type { Session, Snapshots } from "../database/connection.ts";
import { memoized, type ScanLimit, type Statement, scanLimit, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { COUNTS_COLUMNS, COUNTS_WIDTH, type CountsRow, inboxState, toCounts } from "./inbox-state.ts";
import { priorityOf } from "./item-filter.ts";
import { IN_PLACE, joinNotification } from "./item-row.ts";
import { OF_STATUS } from "./list-conditions.ts";

/** The columns that a list reads of each item. */
export interface ListColumns {
  readonly columns: string;
  /** More columns of the item that those are made of. */
  readonly marks: string;
  readonly width: number;
}

/** The rows of a page, the counts of the same moment, and what it says of the whole list. */
export interface CountedRows extends Pick<InboxPage, "counts" | "matching" | "more" | "rest"> {
  readonly rows: readonly (readonly unknown[])[];
}

/** The state of an inbox that each statement brings, behind the columns of its own. */
interface Found extends Pick<CountedRows, "rows" | "counts"> {
  readonly at: CountedAt;
}

/**
 * Reads the rows of a page of a large inbox: see {@link CountedLists}. If nothing has changed, that is one statement. Otherwise the log,
 * the blocks that changed and the page are read in one transaction, on one state of the database, by one of all who ask for the list: the
 * others wait, and need the one statement then. A plan that is kept is of large tables: small inboxes have none of these statements. Null for a page that is below all that the list counts.
 */
export function prepareListByBlocks(tables: TableNames, of: ListColumns, lists: CountedLists) {
  const count = prepareCount(tables);
  const pageOf = memoized((variant: string) => pageStatement(tables, of, JSON.parse(variant) as PageVariant));
  const changesAfter = memoized((status: InboxStatus) => changesStatement(tables, status));

  const readPage = async (session: Session, { owner, query }: Asked, list: CountedList): Promise<Found> => {
    const { spans, skipped, limit } = list.page(query);
    const run = pageOf(JSON.stringify({ ...variantOf(query), scan: scanLimit(skipped + limit) } satisfies PageVariant));
    const bounds = [spans.map(({ low }) => low), spans.map(({ high }) => high), limit, skipped];
    const rows = await session.rows(run, [...valuesOf(owner, query), ...bounds]);
    const { counts, at } = momentOf(rows[0]?.slice(of.width));
    return { rows: rows.filter(([first]) => first !== null), counts, at };
  };
  const countNow = async (session: Session, asked: Asked, known: CountedList | undefined): Promise<CountedList> => {
    const { owner, query } = asked;
    const after = known?.at.rev ?? Number.MAX_SAFE_INTEGER;
    const rows = await session.rows(changesAfter(query.status), [owner.tenant, owner.userId, after]);
    const { at } = momentOf(rows[0]);
    const lines = rows.map((row) => row.slice(COUNTS_WIDTH) as unknown as ChangedItems | readonly null[]).filter(isLine);
    const follows = canFollow(known, at);
    const blocks = follows ? changedBlocks(known, at, { lines, filters: query }) : null;
    return await count(session, asked, { known: follows && blocks !== null ? known.later(at, blocks) : null, at });
  };
  /** The page by what is known of the list; null if that is nothing, or of another moment. */
  const readKnown = async (session: Session, asked: Asked, known: CountedList | undefined): Promise<CountedRows | null> => {
    if (known === undefined) {
      return null;
    }
    const { at, ...page } = await readPage(session, asked, known);
    return isSameMoment(at, known.at) ? { ...page, ...toldBy(known, asked.query, page.rows.length) } : null;
  };
  const countAndRead = (session: Snapshots, asked: Asked, known: CountedList | undefined): Promise<CountedRows | null> =>
    session.snapshot(async (one) => {
      const list = await countNow(one, asked, known);
      lists.keep(asked.owner, asked.query, list);
      if (list.isAbove(asked.query)) {
        return null;
      }
      const { rows, counts } = await readPage(one, asked, list);
      return { rows, counts, ...toldBy(list, asked.query, rows.length) };
    });
  return (owner: Owner, query: InboxQuery) =>
    async (session: Snapshots): Promise<CountedRows | null> => {
      const asked = { owner, query };
      const before = lists.find(owner, query);
      if (before?.isAbove(query)) {
        return null;
      }
      const page = await readKnown(session, asked, before);
      if (page !== null) {
        return page;
      }
      // Of many who ask at once, one counts.
      const counting = lists.whenCounted(owner, query);
      if (counting !== null) {
        await counting;
      }
      const known = lists.find(owner, query);
      const newer = known === before ? null : await readKnown(session, asked, known);
      return newer ?? (await lists.counting(owner, query, () => countAndRead(session, asked, known)));
    };
}

/** Counts what is left of a list, or a list of which nothing is known. */
function prepareCount(tables: TableNames) {
  const statementsOf = memoized((variant: string) => blockStatements(tables, JSON.parse(variant) as BlockVariant));
  return async (session: Session, { owner, query }: Asked, { known, at }: ToCount): Promise<CountedList> => {
    const { some, all } = statementsOf(JSON.stringify(variantOf(query)));
    const values = valuesOf(owner, query);
    if (known === null && query.filter === undefined) {
      return CountedList.of(at, await session.rows(all, values));
    }
    let list = known ?? CountedList.begin(at, { ofNewest: true });
    // One of the newest items may have to go further down each time.
    while (list.left.length > 0) {
      // An inbox that is gone answers nothing of its blocks.
      const none = list.left.map((block): BlockCount => [block, 0, 0]);
      list = list.counting([...none, ...(await session.rows(some, [...values, list.left]))]);
    }
    return list;
  };
}

/** What a list says beside its page. @param found how many items the page has */
function toldBy(list: CountedList, { filter, limit }: InboxQuery, found: number): Pick<CountedRows, "matching" | "more" | "rest"> {
  const { matching, least } = list;
  if (filter === undefined) {
    return { matching };
  }
  const more = least > 0;
  return { matching, more, ...(more && found < limit ? { rest: least } : {}) };
}

/** A list to count: as far as it is known, and its moment. */
interface ToCount {
  readonly known: CountedList | null;
  readonly at: CountedAt;
}

interface Asked {
  readonly owner: Owner;
  readonly query: InboxQuery;
}

/** The parts of a query that decide the text of its statements. */
interface BlockVariant extends Required<Pick<InboxQuery, "status" | "place">> {
  readonly hasType: boolean;
  readonly hasPriorities: boolean;
}

interface PageVariant extends BlockVariant {
  readonly scan: ScanLimit;
}

function variantOf({ status, place = "active", type, filter }: InboxQuery): BlockVariant {
  return { status, place, hasType: type !== undefined, hasPriorities: filter?.priorities !== undefined };
}

/** The first values of each statement: $1 tenant, $2 user, then the type and the priorities if given. */
function valuesOf({ tenant, userId }: Owner, { type, filter }: InboxQuery): readonly unknown[] {
  return [tenant, userId, ...[type, filter?.priorities].filter((value) => value !== undefined)];
}

/** The conditions on the item `i` of the inbox whose state is `inbox`. */
interface BlockConditions {
  /** Of the items that a list looks at, and more of those that are in it. */
  readonly looked: string;
  readonly more: string;
  /** The number of the next value. */
  readonly next: number;
}

function conditionsOf(tables: TableNames, { status, place, hasType, hasPriorities }: BlockVariant): BlockConditions {
  const type = hasType ? "AND i.type = $3" : "";
  const next = 3 + Number(hasType);
  const priorities = hasPriorities ? `AND ${priorityOf(tables)} = ANY ($${next}::text[])` : "";
  return {
    looked: `i.tenant = $1 AND i.user_id = $2 AND ${IN_PLACE[place]}`,
    more: `${OF_STATUS[status].filter} ${type} ${priorities}`,
    next: next + Number(hasPriorities),
  };
}

/** Counts the items of some blocks, or of all that have any. */
function blockStatements(
  tables: TableNames,
  variant: BlockVariant,
): { readonly some: Statement<BlockCount>; readonly all: Statement<BlockCount> } {
  const { looked, more, next } = conditionsOf(tables, variant);
  const block = `i.seq >= b.block * ${BLOCK_LENGTH} AND i.seq < (b.block + 1) * ${BLOCK_LENGTH}`;
  const counted = variant.hasPriorities
    ? `SELECT count(*) FILTER (WHERE true ${more}), count(*) FROM ${tables.inboxItems} i WHERE ${looked} AND ${block}`
    : `SELECT count(*) FROM ${tables.inboxItems} i WHERE ${looked} ${more} AND ${block}`;
  const some = `WITH ${inboxState(tables)}
    SELECT b.block, c.* FROM inbox CROSS JOIN unnest($${next}::bigint[]) AS b(block) CROSS JOIN LATERAL (${counted}) c`;
  const all = `WITH ${inboxState(tables)}
    SELECT i.seq / ${BLOCK_LENGTH}, count(*) FROM inbox JOIN ${tables.inboxItems} i ON ${looked} ${more} GROUP BY 1`;
  return { some: statement("count_blocks", some), all: statement("count_all_blocks", all) };
}

/** $1 tenant, $2 user, $3 the change after which to read the log. */
function changesStatement(tables: TableNames, status: InboxStatus): Statement<readonly unknown[]> {
  return statement(
    "changes_of_list",
    `WITH ${inboxState(tables)}
    SELECT ${COUNTS_COLUMNS}, ${changedColumns(status)}
    FROM inbox LEFT JOIN LATERAL (
      SELECT * FROM ${tables.inboxChanges} WHERE tenant = $1 AND user_id = $2 AND rev > $3::bigint ORDER BY rev LIMIT ${MAX_LOGGED_CHANGES}
    ) l ON true
    ORDER BY l.rev`,
  );
}

/** The values of the conditions, then the lows and the highs of the spans, how many items, and how many to skip before them. */
function pageStatement(tables: TableNames, { columns, marks }: ListColumns, variant: PageVariant): Statement<readonly unknown[]> {
  const { looked, more, next } = conditionsOf(tables, variant);
  // The spans come in their order, and so do the items: the LIMIT needs no sort of its own.
  return statement(
    "list_by_blocks",
    `WITH ${inboxState(tables)}
    SELECT ${columns}, ${COUNTS_COLUMNS}
    FROM (SELECT * FROM inbox OFFSET 0) inbox
    LEFT JOIN LATERAL (
      SELECT scan.* FROM unnest($${next}::bigint[], $${next + 1}::bigint[]) AS s(low, high)
      CROSS JOIN LATERAL (
        SELECT i.seq, i.type, i.created_at, i.read_at, i.unread_rev, i.notification_pk${marks}
        FROM ${tables.inboxItems} i
        WHERE ${looked} ${more} AND i.seq >= s.low AND i.seq < s.high
        ORDER BY i.seq DESC LIMIT ${variant.scan}
      ) scan
      LIMIT $${next + 2}::bigint OFFSET $${next + 3}::bigint
    ) i ON true
    ${joinNotification(tables)}
    ORDER BY i.seq DESC`,
  );
}

/** The counts in a row, and the moment that they say. */
function momentOf(row: readonly unknown[] | undefined): Pick<Found, "counts" | "at"> {
  const counts = toCounts(row as CountsRow | undefined);
  const { epoch, rev, lastSeq } = counts;
  return { counts, at: { epoch, rev, lastSeq } };
}

function isLine(row: ChangedItems | readonly null[]): row is ChangedItems {
  return row[0] !== null;
}
