import type { TableNames } from "../database/table-names.ts";
import { NEW_EPOCH } from "./new-epoch.ts";

/**
 * Common table expressions that write an inbox item for each row of one called `target` with (place, pk, tenant, user_id,
 * type, created_at), up to one called `numbered` with the same rows and their `seq` and `epoch`. Numbers of one inbox
 * follow `place`. Counters are locked in the order of their keys, so that two batches never wait for each other.
 */
export function writeItems({ inboxCounters, inboxItems }: TableNames): string {
  return `counter AS (
    INSERT INTO ${inboxCounters} AS c (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch)
    SELECT tenant, user_id, count(*), count(*), count(*), 0, ${NEW_EPOCH} FROM target
    GROUP BY tenant, user_id ORDER BY tenant, user_id
    ON CONFLICT (tenant, user_id) DO UPDATE
    SET last_seq = c.last_seq + excluded.last_seq, total = c.total + excluded.total, unread = c.unread + excluded.unread
    RETURNING tenant, user_id, last_seq, epoch
  ),
  numbered AS MATERIALIZED (
    SELECT t.*, c.last_seq + 1 - row_number() OVER (PARTITION BY t.tenant, t.user_id ORDER BY t.place DESC) AS seq, c.epoch
    FROM target t JOIN counter c ON c.tenant = t.tenant AND c.user_id = t.user_id
  ),
  written AS (
    INSERT INTO ${inboxItems} (tenant, user_id, seq, notification_pk, type, created_at)
    SELECT tenant, user_id, seq, pk, type, created_at FROM numbered ORDER BY tenant, user_id, seq
  )`;
}
