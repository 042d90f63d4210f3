import type { TableNames } from "../database/table-names.ts";

/** How long a change waits for an inbox that another transaction holds. */
export const LOCK_TIMEOUT_MS = 20_000;

/**
 * A common table expression called `guard`, one row, that limits how long the transaction waits for a lock from there
 * on; `milliseconds` is a number, or a parameter that may be null for no change. What takes a lock has to read it first.
 */
export function lockGuard(milliseconds: number | `$${number}`): string {
  return `guard AS MATERIALIZED (
    SELECT CASE WHEN ${milliseconds}::text IS NOT NULL THEN set_config('lock_timeout', ${milliseconds}::text, true) ELSE '' END AS lock_timeout
  )`;
}

/**
 * Common table expressions up to one called `inbox`: the state of the inbox of tenant $1 and user $2, whose counters row
 * it locks; no row if it never had an item.
 *
 * A statement sees the database as it was when the statement began. Having waited for the lock, it gets the newest
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
      SELECT last_seq, total, unread, read_up_to_seq, epoch, rev, read_rev, reopened_from_seq, xmin::text AS version FROM ${inboxCounters}
      WHERE tenant = $1 AND user_id = $2 AND guard.lock_timeout IS NOT NULL
      FOR NO KEY UPDATE
    ) c
  ),
  inbox AS MATERIALIZED (
    SELECT held.*, held.version = seen.version AS is_current FROM held CROSS JOIN seen
  )`;
}
