import { type InboxItem, type ItemRef, isUuid, type LoggedKind, type Owner } from "@belfry/core";
import type { ItemPlace, ItemsChange } from "@belfry/core/storage";
import type { Transactional } from "../database/connection.ts";
import { milliseconds, type Statement, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { type ChangeToLog, LOGGED_TALLY, loggedChange } from "./change-log.ts";
import { settleOwnGroups } from "./groups.ts";
import { addTo, COUNTS_WIDTH, type CountsRow, heldInbox, toCounts } from "./inbox-state.ts";
import {
  IN_PLACE,
  ITEM_MARKS_OF_I,
  type ItemMarks,
  isItemRow,
  isMarkedSeen,
  isUnread,
  itemColumns,
  joinNotification,
  type MaybeItemRow,
  toItem,
} from "./item-row.ts";

/** A row of a statement over the held inbox. It did nothing unless `isCurrent` is true. */
export type ChangeRow = readonly [isCurrent: boolean, ...rest: readonly unknown[]];

/**
 * Runs statements that change items of an inbox. One statement is enough unless the inbox changed while the statement
 * waited for its lock; then the lock is taken by a statement before it.
 */
export function prepareChangeInbox(tables: TableNames) {
  const hold = statement<[]>("hold_inbox", `WITH ${heldInbox(tables)} SELECT FROM inbox`);
  return async <Row extends ChangeRow>(
    connection: Transactional,
    { tenant, userId }: Owner,
    { run, values }: { readonly run: Statement<Row>; readonly values: readonly unknown[] },
  ): Promise<readonly Row[]> => {
    const all = [tenant, userId, ...values];
    const rows = await connection.rows(run, all);
    const [first] = rows;
    if (first === undefined || first[0]) {
      return rows;
    }
    return connection.transaction(async (session) => {
      await session.rows(hold, [tenant, userId]);
      return session.rows(run, all);
    });
  };
}

/** A change of items as SQL, over the items `i` with their flags `is_unread`, `is_marked_seen` and `is_away`, as they were before. */
export interface ItemsChangeText {
  readonly operation: string;
  readonly kind: LoggedKind;
  /** Until when its items are snoozed, as a timestamp. @default they are not */
  readonly until?: string;
  /** If it is a step of a call, what its line in the log says of that. @default it is not */
  readonly step?: Pick<ChangeToLog, "continues" | "openUntil">;
  /** Where the items are. @default ["active"] */
  readonly places?: readonly ItemPlace[];
  /** The assignments to each item that changes. */
  readonly set: string;
  /** Which items change. */
  readonly which: string;
  /** Whether it changes nothing if something of the inbox is due at its time. @default false */
  readonly unlessDue?: boolean;
  /** The flags of a changed item from then on. @default as they are */
  readonly after?: FlagsAfter;
  /** Another aggregate of the changed items, with its name, and the assignment to the counters that takes it from `tally`. @default none */
  readonly also?: { readonly tally?: string; readonly set: string };
  /** When an item is read after the change, as SQL. */
  readonly readTime: string;
  /** Its other marks after the change. @default as they are */
  readonly marks?: ItemMarks;
}

/** The flags of an item after a change, as SQL. */
export interface FlagsAfter {
  readonly isUnread?: string;
  readonly isMarkedSeen?: string;
  readonly isAway?: string;
  /** Whether it is deleted, and so counts nowhere. @default false */
  readonly isGone?: boolean;
}

/** The columns that say of a changed item `i` how it counted before and how it counts from then on. */
export function countedFlags({
  isUnread = "i.is_unread",
  isMarkedSeen: isSeen = "i.is_marked_seen",
  isAway = "i.is_away",
}: FlagsAfter): string {
  return `i.is_unread, i.is_marked_seen, i.is_away, ${isUnread} AS is_unread_after, ${isSeen} AS is_seen_after, ${isAway} AS is_away_after`;
}

/** What changed items add to each of the counts, as aggregates over {@link countedFlags}. */
export function tallyOf({ isGone = false }: FlagsAfter): string {
  const added = (before: string, after: string) => {
    const lost = `count(*) FILTER (WHERE ${before})`;
    return isGone ? `-${lost}` : `count(*) FILTER (WHERE ${after}) - ${lost}`;
  };
  const unread = ["is_unread", "is_unread_after"] as const;
  const seen = ["is_unread AND is_marked_seen", "is_unread_after AND is_seen_after"] as const;
  return `${added("NOT is_away", "NOT is_away_after")} AS total,
    ${added(`NOT is_away AND ${unread[0]}`, `NOT is_away_after AND ${unread[1]}`)} AS unread,
    ${added(`NOT is_away AND ${seen[0]}`, `NOT is_away_after AND ${seen[1]}`)} AS seen_unread,
    ${added(`is_away AND ${unread[0]}`, `is_away_after AND ${unread[1]}`)} AS away_unread,
    ${added(`is_away AND ${seen[0]}`, `is_away_after AND ${seen[1]}`)} AS away_seen_unread`;
}

/** The assignments to the counters `c` of a change whose `tally` has what it adds to the counts. */
export function countTally(also?: ItemsChangeText["also"]): string {
  return `total = c.total + tally.total, unread = c.unread + tally.unread, rev = c.rev + 1,
    ${addTo("seen_unread", "tally.seen_unread")}, ${addTo("away_unread", "tally.away_unread")},
    ${addTo("away_seen_unread", "tally.away_seen_unread")}${also ? `, ${also.set}` : ""}`;
}

/** The columns of a {@link CountsRow} after a change that is counted in `tally`. */
export const COUNTS_AFTER = `inbox.last_seq, inbox.total + tally.total, inbox.unread + tally.unread, inbox.epoch,
  inbox.rev + (tally.changed > 0)::int, coalesce(inbox.seen_unread, 0) + tally.seen_unread, ${milliseconds("inbox.due_at")}, inbox.is_behind`;

/** Makes a change of named items at the time $5. The change's own values are the parameters from $6 on. */
export function prepareChangeItems(
  tables: TableNames,
  { operation, kind, until, step, set, which, also, after = {}, ...text }: ItemsChangeText,
) {
  const { unlessDue = false } = text;
  const isThere = (text.places ?? ["active"]).map((place) => IN_PLACE[place]).join(" OR ");
  const changeInbox = prepareChangeInbox(tables);
  const run = statement<ItemsChangeRow>(
    operation,
    `WITH ${heldInbox(tables)},
    ${namedItems(tables, `(${isThere})`, unlessDue ? NOTHING_DUE : "true")},
    ${changedItems(tables, { which, set, columns: `i.seq, i.group_name, ${countedFlags(after)}` })},
    ${settleOwnGroups(tables, { sums: groupSums(tallyOf(after)), list: "changed" })},
    tally AS MATERIALIZED (
      SELECT count(*) AS changed, array_agg(seq) AS seqs, ${tallyOf(after)}${also?.tally ? `, ${also.tally}` : ""}
      FROM changed
    ),
    counted AS (
      UPDATE ${tables.inboxCounters} c SET ${countTally(also)} FROM tally WHERE c.tenant = $1 AND c.user_id = $2 AND tally.changed > 0
    ),
    ${loggedChange(tables, { kind, ...LOGGED_TALLY, at: "$5::timestamptz", ...(until && { until }), ...step })}
    SELECT inbox.is_current, ${COUNTS_AFTER}, ${which}, ${itemColumns(text.readTime, text.marks)}
    FROM inbox CROSS JOIN tally LEFT JOIN found i ON true ${joinNotification(tables)}`,
  );
  return (owner: Owner, refs: readonly ItemRef[], ...[at, ...values]: readonly [Date, ...unknown[]]) =>
    async (connection: Transactional): Promise<ItemsChange> => {
      const { seqs, ids } = splitRefs(refs);
      const rows = await changeInbox(connection, owner, { run, values: [seqs, ids, at.toISOString(), ...values] });
      const change = toItemsChange(rows, owner, refs);
      const { dueAt, isBehind = false } = change.counts;
      return unlessDue && (isBehind || (dueAt !== undefined && dueAt <= at)) ? { ...change, isDue: true } : change;
    };
}

/** The numbers of the items of a list, as SQL. Compared with one, an item of a large inbox is found by key. */
export function seqsOf(list: string, which = "true"): string {
  return `ANY (ARRAY(SELECT i.seq FROM ${list} i WHERE ${which}))`;
}

/**
 * Common table expressions that change items of the held inbox, up to one called `changed` with columns of each, as it was before.
 * There is no join: in a plan that was made while the table was small, and is kept, it would compare each item of a large inbox
 * with each of the list.
 *
 * @param change which of the items `i` of an expression called `found` change, and the assignments to the row `item` of each
 */
export function changedItems(
  { inboxItems }: TableNames,
  { which, set, columns }: Pick<ItemsChangeText, "which" | "set"> & { readonly columns: string },
): string {
  return `written AS (
      UPDATE ${inboxItems} item SET ${set} WHERE item.tenant = $1 AND item.user_id = $2 AND item.seq = ${seqsOf("found", which)}
      RETURNING item.seq
    ),
    changed AS MATERIALIZED (SELECT ${columns} FROM found i WHERE ${which} AND i.seq = ${seqsOf("written")})`;
}

/** Whether nothing of the held inbox is due at the time of the change. */
const NOTHING_DUE = "(inbox.due_at IS NULL OR inbox.due_at > $5::timestamptz) AND NOT inbox.is_behind";

/** What the changed items of the held inbox add to the counts of their groups, given the sums of `total` and `unread`. */
export function groupSums(sums: string): string {
  return `SELECT group_name, max(seq) AS seq, ${sums} FROM changed WHERE group_name IS NOT NULL GROUP BY group_name`;
}

/** The rows that a change of named items returns: one for each item that was found, or one without an item if none was. */
type ItemsChangeRow = readonly [isCurrent: boolean, ...CountsRow, isChanged: boolean | null, ...MaybeItemRow];

const CHANGED = 1 + COUNTS_WIDTH;

/** Reads a change from its rows. No rows mean that the inbox never had an item. */
function toItemsChange(rows: readonly ItemsChangeRow[], owner: Owner, refs: readonly ItemRef[]): ItemsChange {
  const found = rows.flatMap((row) => {
    const item = row.slice(CHANGED + 1) as MaybeItemRow;
    return isItemRow(item) ? [{ item: toItem(item, owner), isChanged: row[CHANGED] === true }] : [];
  });
  return {
    items: inOrderOf(
      refs,
      found.map(({ item }) => item),
    ),
    changed: new Set(found.filter(({ isChanged }) => isChanged).map(({ item }) => item.seq)),
    counts: toCounts(rows[0]?.slice(1) as CountsRow | undefined),
  };
}

/** Item refs by their kind. Refs that can name nothing are left out, as PostgreSQL would refuse them. */
interface SplitRefs {
  readonly ids: readonly string[];
  readonly seqs: readonly number[];
}

function splitRefs(refs: readonly ItemRef[]): SplitRefs {
  const ids: string[] = [];
  const seqs: number[] = [];
  for (const ref of refs) {
    if (typeof ref !== "string") {
      if (Number.isSafeInteger(ref.seq)) {
        seqs.push(ref.seq);
      }
    } else if (isUuid(ref)) {
      ids.push(ref);
    }
  }
  return { ids, seqs };
}

/** The items in the order of the refs that name them, each once. */
function inOrderOf(refs: readonly ItemRef[], items: readonly InboxItem[]): readonly InboxItem[] {
  const byRef = new Map<string | number, InboxItem>(
    items.flatMap(
      (item) =>
        [
          [item.id, item],
          [item.seq, item],
        ] as const,
    ),
  );
  const named = refs.map((ref) => byRef.get(typeof ref === "string" ? ref.toLowerCase() : ref.seq));
  return [...new Set(named.filter((item) => item !== undefined))];
}

/** The flags of an item `i` of the held `inbox`. */
export const ITEM_FLAGS = `${isUnread("inbox")} AS is_unread, ${isMarkedSeen("inbox")} AS is_marked_seen,
  (i.archived_at IS NOT NULL OR i.snoozed_until IS NOT NULL) AS is_away`;

/**
 * A common table expression called `found`: the items of the held and current `inbox` with numbers in $3 or notification
 * ids in $4 that are in a place. Sub-selects read the lists, so that the planner knows no list's length: it would take a plan for any lists
 * to be dearer than one for the usual list of a single item, and plan each call, which takes four times as long as to run it.
 */
function namedItems({ inboxItems, notifications }: TableNames, isThere: string, isToChange: string): string {
  return `found AS MATERIALIZED (
    SELECT i.*, ${ITEM_FLAGS}
    FROM inbox
    CROSS JOIN LATERAL (
      SELECT seq FROM unnest((SELECT $3::bigint[])) AS named(seq)
      UNION
      SELECT item.seq FROM unnest((SELECT $4::uuid[])) AS named(id)
      CROSS JOIN LATERAL (SELECT pk FROM ${notifications} WHERE tenant = $1 AND id = named.id OFFSET 0) n
      CROSS JOIN LATERAL (SELECT seq FROM ${inboxItems} WHERE notification_pk = n.pk AND user_id = $2 OFFSET 0) item
    ) ref
    CROSS JOIN LATERAL (
      SELECT i.seq, i.type, i.created_at, i.read_at, i.unread_rev, i.notification_pk, i.group_name, ${ITEM_MARKS_OF_I} FROM ${inboxItems} i
      WHERE i.tenant = $1 AND i.user_id = $2 AND i.seq = ref.seq AND ${isThere} OFFSET 0
    ) i
    WHERE inbox.is_current AND ${isToChange}
  )`;
}
