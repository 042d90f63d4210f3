import type { InboxCounts, Owner } from "@belfry/core";
import { EMPTY_COUNTS } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { DIALECT } from "../database/sql.ts";
import { milliseconds, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { isThere } from "./item-row.ts";

/** The counts of an inbox, as the first columns of each row of a statement. */
export type CountsRow = readonly [
  lastSeq: number,
  total: number,
  unread: number,
  epoch: string,
  rev: number,
  seenUnread: number | null,
  dueAt: number | null,
  isBehind: boolean,
  ...rest: readonly unknown[],
];

/** The columns of a {@link CountsRow}, of the state of an inbox. @param behind whether it is behind */
export const countsColumns = (behind: string, inbox = "inbox") =>
  `${inbox}.last_seq, ${inbox}.total, ${inbox}.unread, ${inbox}.epoch, ${inbox}.rev, ${inbox}.seen_unread, ${milliseconds(`${inbox}.due_at`)}, ${behind}`;

/** The columns of a {@link CountsRow}, of an `inbox` that has one for whether it is behind. */
export const COUNTS_COLUMNS = countsColumns("inbox.is_behind");

/** How many columns {@link COUNTS_COLUMNS} has. */
export const COUNTS_WIDTH = 8;

const SEEN_COLUMNS = "seen_up_to_seq, seen_rev, seen_unread, due_at, removed_up_to_seq, removed_at";

/**
 * A common table expression called `inbox`: the state of the inbox of tenant $1 and user $2, as one row, or none if it
 * has not begun.
 */
export function inboxState(tables: TableNames): string {
  return `inbox AS (
    SELECT last_seq, total, unread, read_up_to_seq, epoch, rev, read_rev, reopened_from_seq, ${SEEN_COLUMNS}, ${isBehind(tables)} AS is_behind
    FROM ${tables.inboxCounters} WHERE tenant = $1 AND user_id = $2
  )`;
}

/** The number of a tenant's newest broadcast, 0 for none: an inbox that begins has it. */
export function newestBroadcast({ broadcastNumbers }: TableNames, tenant: string): string {
  return `coalesce((SELECT newest FROM ${broadcastNumbers} WHERE tenant = ${tenant}), 0)`;
}

/** Whether the tenant has broadcasts that are not placed in the inbox of a row of counters. */
export function isBehind(tables: TableNames, tenant = "$1"): string {
  return `coalesce(placed_up_to, 0) < ${newestBroadcast(tables, tenant)}`;
}

/** The counts in a row; an inbox without a row has not begun. */
export function toCounts(row: CountsRow | undefined): InboxCounts {
  if (row === undefined) {
    return EMPTY_COUNTS;
  }
  const [lastSeq, total, unread, epoch, rev, seenUnread, dueAt, isBehindNow] = row;
  // A process of an older version does not count the seen ones that it marks read.
  const counts = { total, unread, unseen: Math.max(unread - (seenUnread ?? 0), 0), lastSeq, epoch, rev };
  // Few inboxes have snoozed items, or broadcasts to come.
  const due = dueAt === null ? counts : { ...counts, dueAt: new Date(dueAt) };
  return isBehindNow ? { ...due, isBehind: true } : due;
}

/** Reads the unread count of an inbox alone. */
export function prepareUnread(tables: TableNames) {
  const unread = statement<[number | null]>(
    "unread",
    `SELECT CASE WHEN due_at <= $3::timestamptz OR ${isBehind(tables)} THEN NULL ELSE unread END FROM ${tables.inboxCounters}
    WHERE tenant = $1 AND user_id = $2`,
  );
  return ({ tenant, userId }: Owner, at: Date) =>
    async (session: Session): Promise<number | null> => {
      const [[count] = [null]] = await session.rows(unread, [tenant, userId, at.toISOString()]);
      return count;
    };
}

/**
 * When the clock changes the inbox of tenant $1 and user $2 next, whose state is `c`: an item comes back by its own time or its group's, or
 * expires.
 *
 * @param stillSnoozed a condition on the item `s`, which is snoozed
 */
export function nextDue({ inboxItems, inboxGroups }: TableNames, stillSnoozed = "true"): string {
  const own = "tenant = $1 AND user_id = $2";
  // Items that a process of an older version deleted still have the time at which they would have expired.
  return `least(
    (SELECT min(s.snoozed_until) FROM ${inboxItems} s WHERE ${own} AND s.snoozed_until IS NOT NULL AND ${stillSnoozed}),
    (SELECT i.expires_at FROM ${inboxItems} i WHERE ${own} AND i.expires_at IS NOT NULL AND ${isThere("c")} ORDER BY i.expires_at LIMIT 1),
    (SELECT min(g.due_at) FROM ${inboxGroups} g WHERE ${own} AND g.due_at IS NOT NULL))`;
}

/** Assigns a counter that is null for 0 in the counters `c`: it grows by `added`. */
export function addTo(counter: "seen_unread" | "away_unread" | "away_seen_unread", added: string): string {
  return `${counter} = nullif(greatest(coalesce(c.${counter}, 0) + ${added}, 0), 0)`;
}

/** The columns of new counters, the last two of which are {@link NEW_EPOCH} and {@link newestBroadcast}. */
export const COUNTERS_COLUMNS = "tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch, began_after";

/** A new epoch for every row. */
export const NEW_EPOCH = DIALECT.newEpoch;

/** Drawn once for a statement. */
const EPOCH_SEED = "(SELECT hashtextextended(gen_random_uuid()::text, 0))";

/**
 * The same in statements that may begin many inboxes: it is made of the owner and what was drawn. To draw one for each row, whether its
 * inbox begins or not, would take some hundredths of such a statement.
 *
 * @param owner its columns; the tenant only where there are several
 */
export function newEpochOf({ tenant, user }: { readonly tenant?: string; readonly user: string }): string {
  const seed = tenant === undefined ? EPOCH_SEED : `hashtextextended(${tenant}, ${EPOCH_SEED})`;
  return `left(lpad(to_hex(hashtextextended(${user}, ${seed})), 16, '0'), 12)`;
}

/** How long a change waits for an inbox that another transaction holds. */
export const LOCK_TIMEOUT_MS = 20_000;

/**
 * A common table expression called `guard`, one row, that limits how long the transaction waits for a lock from there
 * on; `milliseconds` is a number, or a parameter that may be null for no change. Whatever takes a lock must read it first.
 */
export function lockGuard(milliseconds: number | `$${number}`): string {
  return `guard AS MATERIALIZED (
    SELECT CASE WHEN ${milliseconds}::text IS NOT NULL THEN set_config('lock_timeout', ${milliseconds}::text, true) ELSE '' END AS lock_timeout
  )`;
}

/**
 * The same as a condition, which is always true, behind those that find the only row that a statement locks. PostgreSQL looks at it before
 * it locks the row. It costs such a statement a sixteenth less than the expression, which the row would be joined with.
 */
export function limitsLockWait(milliseconds: `$${number}`): string {
  return `(${milliseconds}::text IS NULL OR set_config('lock_timeout', ${milliseconds}::text, true) IS NOT NULL)`;
}

/**
 * Locks the counters of inboxes in the order in which creates lock them, and answers one row for each.
 *
 * @param which the condition on `tenant` and `user_id`
 */
export function holdInboxes(
  { inboxCounters }: TableNames,
  which: string,
  { lock = "FOR NO KEY UPDATE", timeout = LOCK_TIMEOUT_MS }: { readonly lock?: string; readonly timeout?: number | `$${number}` } = {},
): string {
  return `WITH ${lockGuard(timeout)}
  SELECT held.one FROM guard CROSS JOIN LATERAL (
    SELECT 1 AS one FROM ${inboxCounters} WHERE guard.lock_timeout IS NOT NULL AND ${which} ORDER BY tenant, user_id ${lock}
  ) held`;
}

/**
 * Common table expressions up to one called `inbox`: the state of the inbox of tenant $1 and user $2, whose counters row
 * it locks; no row if it has not begun.
 *
 * A statement sees the database as it was when the statement began. After waiting for the lock, it gets the newest
 * counters, but would read the items as they were before. `is_current` tells whether both are of the same moment: every
 * change of an inbox makes a new version of its counters row.
 */
export function heldInbox(tables: TableNames): string {
  const { inboxCounters } = tables;
  return `${lockGuard(LOCK_TIMEOUT_MS)},
  seen AS MATERIALIZED (
    SELECT xmin::text AS version FROM ${inboxCounters} WHERE tenant = $1 AND user_id = $2
  ),
  held AS MATERIALIZED (
    SELECT c.* FROM guard CROSS JOIN LATERAL (
      SELECT last_seq, total, unread, read_up_to_seq, epoch, rev, read_rev, reopened_from_seq, ${SEEN_COLUMNS},
        away_unread, away_seen_unread, ${isBehind(tables)} AS is_behind, xmin::text AS version
      FROM ${inboxCounters}
      WHERE tenant = $1 AND user_id = $2 AND guard.lock_timeout IS NOT NULL
      FOR NO KEY UPDATE
    ) c
  ),
  inbox AS MATERIALIZED (
    SELECT held.*, held.version = seen.version AS is_current FROM held CROSS JOIN seen
  )`;
}

/** How long a batch waits before an inbox counts as busy: longer than another batch takes, too short to notice. */
export const BUSY_TIMEOUT_MS = 20;

/** Begins an inbox without items. Waits for a transaction that makes the same row, as long as $3 says. */
export function prepareMakeInbox(tables: TableNames) {
  return statement<[]>(
    "make_inbox",
    `WITH ${lockGuard("$3")}
    INSERT INTO ${tables.inboxCounters} (${COUNTERS_COLUMNS})
    SELECT $1, $2, 0, 0, 0, 0, ${NEW_EPOCH}, ${newestBroadcast(tables, "$1")} FROM guard WHERE guard.lock_timeout IS NOT NULL
    ON CONFLICT DO NOTHING`,
  );
}

/** Begins the inboxes of a list of users that have not begun, as {@link prepareMakeInbox} does. */
export function prepareMakeInboxes(tables: TableNames) {
  return statement<[]>(
    "make_inboxes",
    `WITH ${lockGuard("$3")}
    INSERT INTO ${tables.inboxCounters} (${COUNTERS_COLUMNS})
    SELECT $1, e.user_id, 0, 0, 0, 0, ${NEW_EPOCH}, ${newestBroadcast(tables, "$1")} FROM guard CROSS JOIN unnest($2::text[]) AS e(user_id)
    WHERE guard.lock_timeout IS NOT NULL
      AND NOT EXISTS (SELECT FROM ${tables.inboxCounters} c WHERE c.tenant = $1 AND c.user_id = e.user_id COLLATE "C")
    ORDER BY e.user_id COLLATE "C" ON CONFLICT DO NOTHING`,
  );
}
