import { type InboxItem, type ItemRef, isUuid, type Owner } from "@belfry/core";
import type { ItemPlace, ItemsChange } from "@belfry/core/storage";
import type { Connection } from "../database/connection.ts";
import { type Statement, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { addTo, COUNTS_WIDTH, type CountsRow, heldInbox, toCounts } from "./inbox-state.ts";
import {
  IN_PLACE,
  ITEM_MARKS,
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
    connection: Connection,
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

/** A change of named items as SQL, over `found` and the tally of the changed items. */
export interface ItemsChangeText {
  readonly operation: string;
  /** Where the items are. @default ["active"] */
  readonly places?: readonly ItemPlace[];
  /** The assignments to each item that changes. */
  readonly set: string;
  /** Which items change, of `i` with its flags `is_unread` and `is_marked_seen`. */
  readonly which: string;
  /** The numbers that the counts change by, as aggregates of the changed items' `seq` and flags. @default 0 */
  readonly adds: AddedText;
  /** Another aggregate, with its name, and the assignment to the counters that takes it from `tally`. @default none */
  readonly also?: { readonly tally?: string; readonly set: string };
  /** When an item is read after the change, as SQL. */
  readonly readTime: string;
  /** Its other marks after the change. @default as they are */
  readonly marks?: ItemMarks;
}

/** What a change adds to the counts of an inbox, as SQL. */
export interface AddedText {
  readonly total?: string;
  readonly unread?: string;
  readonly seenUnread?: string;
  readonly awayUnread?: string;
  readonly awaySeenUnread?: string;
}

/** Makes a change of named items. The change's own values are the parameters from $5 on. */
export function prepareChangeItems(tables: TableNames, { operation, set, which, also, ...text }: ItemsChangeText) {
  const { total = "0", unread = "0", seenUnread = "0", awayUnread = "0", awaySeenUnread = "0" } = text.adds;
  const isThere = (text.places ?? ["active"]).map((place) => IN_PLACE[place]).join(" OR ");
  const changeInbox = prepareChangeInbox(tables);
  const run = statement<ItemsChangeRow>(
    operation,
    `WITH ${heldInbox(tables)},
    ${namedItems(tables, `(${isThere})`)},
    changed AS (
      UPDATE ${tables.inboxItems} item SET ${set} FROM found i
      WHERE item.tenant = $1 AND item.user_id = $2 AND item.seq = i.seq AND ${which}
      RETURNING i.seq, i.is_unread, i.is_marked_seen
    ),
    tally AS MATERIALIZED (
      SELECT count(*) AS changed, ${total} AS total, ${unread} AS unread, ${seenUnread} AS seen_unread, ${awayUnread} AS away_unread,
        ${awaySeenUnread} AS away_seen_unread${also?.tally ? `, ${also.tally}` : ""}
      FROM changed
    ),
    counted AS (
      UPDATE ${tables.inboxCounters} c SET total = c.total + tally.total, unread = c.unread + tally.unread, rev = c.rev + 1,
        ${addTo("seen_unread", "tally.seen_unread")}, ${addTo("away_unread", "tally.away_unread")},
        ${addTo("away_seen_unread", "tally.away_seen_unread")}${also ? `, ${also.set}` : ""}
      FROM tally WHERE c.tenant = $1 AND c.user_id = $2 AND tally.changed > 0
    )
    SELECT inbox.is_current, inbox.last_seq, inbox.total + tally.total, inbox.unread + tally.unread, inbox.epoch,
      inbox.rev + (tally.changed > 0)::int, coalesce(inbox.seen_unread, 0) + tally.seen_unread, ${which},
      ${itemColumns(text.readTime, text.marks)}
    FROM inbox CROSS JOIN tally LEFT JOIN found i ON true ${joinNotification(tables)}`,
  );
  return (owner: Owner, refs: readonly ItemRef[], ...values: readonly unknown[]) =>
    async (connection: Connection): Promise<ItemsChange> => {
      const { seqs, ids } = splitRefs(refs);
      const rows = await changeInbox(connection, owner, { run, values: [seqs, ids, ...values] });
      return toItemsChange(rows, owner, refs);
    };
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

/**
 * A common table expression called `found`: the items of the held and current `inbox` with numbers in $3 or notification
 * ids in $4 that are in a place.
 */
function namedItems({ inboxItems, notifications }: TableNames, isThere: string): string {
  return `found AS MATERIALIZED (
    SELECT i.*, ${isUnread("inbox")} AS is_unread, ${isMarkedSeen("inbox")} AS is_marked_seen
    FROM inbox
    CROSS JOIN LATERAL (
      SELECT seq FROM unnest($3::bigint[]) AS named(seq)
      UNION
      SELECT item.seq FROM unnest($4::uuid[]) AS named(id)
      CROSS JOIN LATERAL (SELECT pk FROM ${notifications} WHERE tenant = $1 AND id = named.id OFFSET 0) n
      CROSS JOIN LATERAL (SELECT seq FROM ${inboxItems} WHERE notification_pk = n.pk AND user_id = $2 OFFSET 0) item
    ) ref
    CROSS JOIN LATERAL (
      SELECT seq, type, created_at, read_at, unread_rev, notification_pk, ${ITEM_MARKS} FROM ${inboxItems}
      WHERE tenant = $1 AND user_id = $2 AND seq = ref.seq AND ${isThere} OFFSET 0
    ) i
    WHERE inbox.is_current
  )`;
}
