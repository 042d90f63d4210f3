import type { TableNames } from "../database/table-names.ts";
import { COUNTERS_COLUMNS, newEpochOf } from "./inbox-state.ts";

/** Which rows get an item. */
interface Recipients {
  /** A common table expression of distinct users in their order, with `user_id`. */
  readonly from: string;
  /** The condition on its row `u`. */
  readonly which: string;
}

/**
 * Common table expressions up to one called `counter`, with (user_id, last_seq, epoch): they count an item in the inbox of each recipient. One
 * called `notification` has its columns, and `began_after` for inboxes that begin with it.
 *
 * Most inboxes have begun. An insert that becomes an update draws an epoch first and locks the row before it writes it, so it takes a tenth of
 * the whole statement more than an update. Only what the update did not find is inserted, among it what somebody else begins meanwhile.
 *
 * The statement is to be planned each time: a plan that is kept from when there were few counters would read all of them.
 * It is also to wait for locks no longer than `BUSY_TIMEOUT_MS`. The update locks inboxes in the order of their users, as all others do, where its
 * plan looks up each one; one that reads the table instead locks them in the table's order. So two may wait for each other, until this one gives up.
 */
export function countRecipients({ inboxCounters }: TableNames, { from, which }: Recipients): string {
  return `known AS (
    UPDATE ${inboxCounters} c SET last_seq = c.last_seq + 1, total = c.total + 1, unread = c.unread + 1, due_at = least(c.due_at, n.expires_at)
    FROM notification n CROSS JOIN ${from} u WHERE c.tenant = n.tenant AND c.user_id = u.user_id COLLATE "C" AND ${which}
    RETURNING c.user_id, c.last_seq, c.epoch
  ),
  begun AS (
    INSERT INTO ${inboxCounters} AS c (${COUNTERS_COLUMNS}, due_at)
    SELECT n.tenant, u.user_id, 1, 1, 1, 0, ${newEpochOf({ user: "u.user_id" })}, n.began_after, n.expires_at
    FROM notification n CROSS JOIN ${from} u
    WHERE ${which} AND (SELECT count(*) FROM known) < (SELECT count(*) FROM ${from} u WHERE ${which})
      AND u.user_id COLLATE "C" NOT IN (SELECT user_id FROM known)
    ORDER BY u.user_id COLLATE "C"
    ON CONFLICT (tenant, user_id) DO UPDATE
    SET last_seq = c.last_seq + 1, total = c.total + 1, unread = c.unread + 1, due_at = least(c.due_at, excluded.due_at)
    RETURNING user_id, last_seq, epoch
  ),
  counter AS (SELECT * FROM known UNION ALL SELECT * FROM begun)`;
}
