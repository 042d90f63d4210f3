import type { InboxCounts, InboxStatus, Owner } from "@belfry/core";
import { type InboxQuery, MAX_LOGGED_CHANGES } from "@belfry/core/storage";
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
import { IN_PLACE, joinNotification } from "./item-row.ts";
import { OF_STATUS } from "./list-conditions.ts";

/** The columns that a list reads of each item. */
export interface ListColumns {
  readonly columns: string;
  /** More columns of the item that those are made of. */
  readonly marks: string;
  readonly width: number;
}

/** The rows of a page, the counts of the same moment, and how many items match on this page or not. */
export interface CountedRows {
  readonly rows: readonly (readonly unknown[])[];
  readonly counts: InboxCounts;
  readonly matching: number;
}

/** The state of an inbox that each statement brings, behind the columns of its own. */
interface Found extends Pick<CountedRows, "rows" | "counts"> {
  readonly at: CountedAt;
}

/**
 * Reads the rows of a page of a large inbox: see {@link CountedLists}. If nothing has changed, that is one statement. Otherwise the log,
 * the blocks that changed and the page are read in one transaction, on one state of the database, by one of all who ask for the list: the
 * others wait, and need the one statement then.
 */
export function prepareListByBlocks(tables: TableNames, of: ListColumns, lists: CountedLists) {
  const statementsOf = memoized((variant: string) => blockStatements(tables, JSON.parse(variant) as BlockVariant));
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
  const count = async (session: Session, { owner, query }: Asked, blocks: readonly number[] | null): Promise<readonly BlockCount[]> => {
    const { some, all } = statementsOf(JSON.stringify(variantOf(query)));
    const values = valuesOf(owner, query);
    if (blocks === null) {
      return await session.rows(all, values);
    }
    return blocks.length === 0 ? [] : await session.rows(some, [...values, blocks]);
  };
  const countNow = async (session: Session, asked: Asked, known: CountedList | undefined): Promise<CountedList> => {
    const { owner, query } = asked;
    const after = known?.at.rev ?? Number.MAX_SAFE_INTEGER;
    const rows = await session.rows(changesAfter(query.status), [owner.tenant, owner.userId, after]);
    const { at } = momentOf(rows[0]);
    const lines = rows.map((row) => row.slice(COUNTS_WIDTH) as unknown as ChangedItems | readonly null[]).filter(isLine);
    const follows = canFollow(known, at);
    const blocks = follows ? changedBlocks(known, at, { lines, filters: query }) : null;
    const counts = await count(session, asked, blocks);
    return follows && blocks !== null ? known.later(at, blocks).counting(counts) : CountedList.of(at, counts);
  };
  /** The page by what is known of the list; null if that is nothing, or of another moment. */
  const readKnown = async (session: Session, asked: Asked, known: CountedList | undefined): Promise<CountedRows | null> => {
    if (known === undefined) {
      return null;
    }
    const { at, ...page } = await readPage(session, asked, known);
    return isSameMoment(at, known.at) ? { ...page, matching: known.matching } : null;
  };
  const countAndRead = (session: Snapshots, asked: Asked, known: CountedList | undefined): Promise<CountedRows> =>
    session.snapshot(async (one) => {
      const list = await countNow(one, asked, known);
      const { rows, counts } = await readPage(one, asked, list);
      lists.keep(asked.owner, asked.query, list);
      return { rows, counts, matching: list.matching };
    });
  return (owner: Owner, query: InboxQuery) =>
    async (session: Snapshots): Promise<CountedRows> => {
      const asked = { owner, query };
      const before = lists.find(owner, query);
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

interface Asked {
  readonly owner: Owner;
  readonly query: InboxQuery;
}

/** The parts of a query that decide the text of its statements. */
interface BlockVariant extends Required<Pick<InboxQuery, "status" | "place">> {
  readonly hasType: boolean;
}

interface PageVariant extends BlockVariant {
  readonly scan: ScanLimit;
}

function variantOf({ status, place = "active", type }: InboxQuery): BlockVariant {
  return { status, place, hasType: type !== undefined };
}

/** The first values of each statement: $1 tenant, $2 user, then the type if given. */
function valuesOf({ tenant, userId }: Owner, { type }: InboxQuery): readonly unknown[] {
  return [tenant, userId, ...(type === undefined ? [] : [type])];
}

/** The conditions on the item `i` of the inbox whose state is `inbox`, and the number of the next value. */
function conditionsOf({ status, place, hasType }: BlockVariant): { readonly matches: string; readonly next: number } {
  const type = hasType ? "AND i.type = $3" : "";
  const matches = `i.tenant = $1 AND i.user_id = $2 AND ${IN_PLACE[place]} ${OF_STATUS[status].filter} ${type}`;
  return { matches, next: 3 + Number(hasType) };
}

/** Counts the items of some blocks, or of all that have any. */
function blockStatements(
  tables: TableNames,
  variant: BlockVariant,
): { readonly some: Statement<BlockCount>; readonly all: Statement<BlockCount> } {
  const { matches, next } = conditionsOf(variant);
  const some = `WITH ${inboxState(tables)}
    SELECT b.block, (
      SELECT count(*) FROM ${tables.inboxItems} i
      WHERE ${matches} AND i.seq >= b.block * ${BLOCK_LENGTH} AND i.seq < (b.block + 1) * ${BLOCK_LENGTH}
    ) FROM inbox CROSS JOIN unnest($${next}::bigint[]) AS b(block)`;
  const all = `WITH ${inboxState(tables)}
    SELECT i.seq / ${BLOCK_LENGTH}, count(*) FROM inbox JOIN ${tables.inboxItems} i ON ${matches} GROUP BY 1`;
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
  const { matches, next } = conditionsOf(variant);
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
        WHERE ${matches} AND i.seq >= s.low AND i.seq < s.high
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
