import type { Owner } from "@belfry/core";
import type { WholeInboxChange } from "@belfry/core/storage";
import type { Session, Transactional } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { groupSums, prepareChangeInbox } from "./change-items.ts";
import { LOGGED_TALLY, loggedChange } from "./change-log.ts";
import { settleOwnGroups } from "./groups.ts";
import { type CountsRow, heldInbox, toCounts } from "./inbox-state.ts";
import { isRead } from "./item-row.ts";

type SweepRow = readonly [isCurrent: boolean, count: number, ...CountsRow];

/** Deletes every read item of an inbox softly. */
export function prepareRemoveRead(tables: TableNames) {
  const changeInbox = prepareChangeInbox(tables);
  const run = statement<SweepRow>(
    "remove_read",
    `WITH ${heldInbox(tables)},
    changed AS (
      UPDATE ${tables.inboxItems} i SET deleted_at = $3, expires_at = NULL FROM inbox
      WHERE inbox.is_current AND inbox.total > inbox.unread
        AND i.tenant = $1 AND i.user_id = $2 AND i.deleted_at IS NULL
        AND ${isRead("inbox")}
      RETURNING i.seq, i.group_name
    ),
    ${settleOwnGroups(tables, { sums: groupSums("-count(*) AS total, 0 AS unread"), gone: "SELECT seq FROM changed" })},
    tally AS MATERIALIZED (SELECT count(*) AS changed, array_agg(seq) AS seqs FROM changed),
    counted AS (
      UPDATE ${tables.inboxCounters} c SET total = c.total - tally.changed, rev = c.rev + 1 FROM tally
      WHERE c.tenant = $1 AND c.user_id = $2 AND tally.changed > 0
    ),
    ${loggedChange(tables, { kind: "deleted_read", ...LOGGED_TALLY, at: "$3::timestamptz" })}
    SELECT inbox.is_current, tally.changed, inbox.last_seq, inbox.total - tally.changed, inbox.unread, inbox.epoch, inbox.rev + (tally.changed > 0)::int,
      inbox.seen_unread, NULL::bigint, inbox.is_behind
    FROM inbox CROSS JOIN tally`,
  );
  return (owner: Owner, at: Date) =>
    async (connection: Transactional): Promise<WholeInboxChange> => {
      const [row] = await changeInbox(connection, owner, { run, values: [at.toISOString()] });
      const count = row?.[1] ?? 0;
      return { count, isChange: count > 0, counts: toCounts(row?.slice(2) as CountsRow | undefined) };
    };
}

/**
 * Removes those of the notifications that nothing refers to any more. A separate statement locks them first:
 * when two transactions take the last two items of a notification, the second one sees that none is left.
 */
export function prepareDropNotifications(tables: TableNames) {
  const { notifications, inboxItems, trackings, events, audiences, broadcasts, fanOuts, fanOutChunks } = tables;
  const hold = statement<[]>("hold_notifications", `SELECT FROM ${notifications} WHERE pk = ANY ($1::bigint[]) ORDER BY pk FOR UPDATE`);
  const drop = statement<[]>(
    "drop_notifications",
    `DELETE FROM ${notifications} n WHERE n.pk = ANY ($1::bigint[])
      AND NOT EXISTS (SELECT FROM ${inboxItems} i WHERE i.notification_pk = n.pk)
      AND NOT EXISTS (SELECT FROM ${trackings} t WHERE t.notification_pk = n.pk)
      AND NOT EXISTS (SELECT FROM ${events} e WHERE e.notification_pk = n.pk)
      AND NOT EXISTS (SELECT FROM ${fanOuts} f WHERE f.notification_pk = n.pk)
      AND NOT EXISTS (SELECT FROM ${audiences} a WHERE a.notification_pk = n.pk AND a.source IS NOT NULL)
      AND NOT EXISTS (SELECT FROM ${broadcasts} b WHERE b.notification_pk = n.pk)
      AND NOT EXISTS (SELECT FROM ${fanOutChunks} f WHERE f.notification_pk = n.pk)`,
  );
  return async (session: Session, pks: readonly number[]): Promise<void> => {
    if (pks.length > 0) {
      await session.rows(hold, [pks]);
      await session.rows(drop, [pks]);
    }
  };
}
