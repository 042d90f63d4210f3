import type { InboxCounts, Owner } from "@belfry/core";
import { EMPTY_COUNTS } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { DIALECT } from "../database/sql.ts";
import { milliseconds, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** The counts of an inbox, as the first columns of each row of a statement. */
export type CountsRow = readonly [
  lastSeq: number,
  total: number,
  unread: number,
  epoch: string,
  rev: number,
  seenUnread: number | null,
  dueAt: number | null,
  ...rest: readonly unknown[],
];

/** The columns of a {@link CountsRow}, of `inbox`. */
export const COUNTS_COLUMNS = `inbox.last_seq, inbox.total, inbox.unread, inbox.epoch, inbox.rev, inbox.seen_unread, ${milliseconds("inbox.due_at")}`;

/** How many columns {@link COUNTS_COLUMNS} has. */
export const COUNTS_WIDTH = 7;

const SEEN_COLUMNS = "seen_up_to_seq, seen_rev, seen_unread, due_at";

/**
 * A common table expression called `inbox`: the state of the inbox of tenant $1 and user $2, as one row, or none if it
 * never had an item.
 */
export function inboxState({ inboxCounters }: TableNames): string {
  return `inbox AS (
    SELECT last_seq, total, unread, read_up_to_seq, epoch, rev, read_rev, reopened_from_seq, ${SEEN_COLUMNS} FROM ${inboxCounters}
    WHERE tenant = $1 AND user_id = $2 AND last_seq > 0
  )`;
}

/** The counts in a row; an inbox without a row never had an item. */
export function toCounts(row: CountsRow | undefined): InboxCounts {
  if (row === undefined) {
    return EMPTY_COUNTS;
  }
  const [lastSeq, total, unread, epoch, rev, seenUnread, dueAt] = row;
  // A process of an older version does not count the seen ones that it marks read.
  const counts = { total, unread, unseen: Math.max(unread - (seenUnread ?? 0), 0), lastSeq, epoch, rev };
  // Only inboxes with snoozed items have it.
  return dueAt === null ? counts : { ...counts, dueAt: new Date(dueAt) };
}

/** Reads the unread count of an inbox alone. */
export function prepareUnread({ inboxCounters }: TableNames) {
  const unread = statement<[number | null]>(
    "unread",
    `SELECT CASE WHEN due_at <= $3::timestamptz THEN NULL ELSE unread END FROM ${inboxCounters} WHERE tenant = $1 AND user_id = $2`,
  );
  return ({ tenant, userId }: Owner, at: Date) =>
    async (session: Session): Promise<number | null> => {
      const [[count] = [0]] = await session.rows(unread, [tenant, userId, at.toISOString()]);
      return count;
    };
}

/** The condition for an item `i` that is not deleted. */
export const IS_THERE = "(i.deleted_at IS NULL OR i.archived_at IS NOT NULL OR i.snoozed_until IS NOT NULL)";

/**
 * When the clock changes the inbox of tenant $1 and user $2 next: an item comes back by its own time or its group's, or expires.
 *
 * @param stillSnoozed a condition on the item `s`, which is snoozed
 */
export function nextDue({ inboxItems, inboxGroups }: TableNames, stillSnoozed = "true"): string {
  const own = "tenant = $1 AND user_id = $2";
  // Items that a process of an older version deleted still have the time at which they would have expired.
  return `least(
    (SELECT min(s.snoozed_until) FROM ${inboxItems} s WHERE ${own} AND s.snoozed_until IS NOT NULL AND ${stillSnoozed}),
    (SELECT i.expires_at FROM ${inboxItems} i WHERE ${own} AND i.expires_at IS NOT NULL AND ${IS_THERE} ORDER BY i.expires_at LIMIT 1),
    (SELECT min(g.due_at) FROM ${inboxGroups} g WHERE ${own} AND g.due_at IS NOT NULL))`;
}

/** Assigns a counter that is null for 0 in the counters `c`: it grows by `added`. */
export function addTo(counter: "seen_unread" | "away_unread" | "away_seen_unread", added: string): string {
  return `${counter} = nullif(greatest(coalesce(c.${counter}, 0) + ${added}, 0), 0)`;
}

/** A new epoch for every row. */
export const NEW_EPOCH = DIALECT.newEpoch;

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
 * it locks; no row if it never had an item.
 *
 * A statement sees the database as it was when the statement began. After waiting for the lock, it gets the newest
 * counters, but would read the items as they were before. `is_current` tells whether both are of the same moment: every
 * change of an inbox makes a new version of its counters row.
 */
export function heldInbox({ inboxCounters }: TableNames): string {
  return `${lockGuard(LOCK_TIMEOUT_MS)},
  seen AS MATERIALIZED (
    SELECT xmin::text AS version FROM ${inboxCounters} WHERE tenant = $1 AND user_id = $2 AND last_seq > 0
  ),
  held AS MATERIALIZED (
    SELECT c.* FROM guard CROSS JOIN LATERAL (
      SELECT last_seq, total, unread, read_up_to_seq, epoch, rev, read_rev, reopened_from_seq, ${SEEN_COLUMNS},
        away_unread, away_seen_unread, xmin::text AS version
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
