import type { Owner } from "@belfry/core";
import type { ErasureStep } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { type Statement, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareDropNotifications } from "./drop-notifications.ts";
import { LOCK_TIMEOUT_MS, lockGuard } from "./held-inbox.ts";
import { isRead } from "./item-row.ts";

type One = readonly [one: number];

/** Removes some of an inbox: what is still to come first, the counts last. */
export function prepareErase(tables: TableNames) {
  const dropNotifications = prepareDropNotifications(tables);
  const leaveFanOuts = statement<One>("leave_fan_outs", leaveFanOutsText(tables));
  const hold = statement<One>("hold_to_erase", holdText(tables));
  const dropItems = statement<readonly [notificationPk: number]>("erase_items", dropItemsText(tables));
  const dropMarks = statement<One>("erase_marks", dropMarksText(tables));
  const dropCounters = statement<One>(
    "erase_counters",
    `DELETE FROM ${tables.inboxCounters} WHERE tenant = $1 AND user_id = $2 RETURNING 1`,
  );
  const isLeft = statement<readonly [boolean]>("is_left_to_erase", isLeftText(tables));

  /** The items, the marks and the counts of an inbox that is held, and how many rows of them are gone. */
  const eraseHeld = async (session: Session, { tenant, userId }: Owner, limit: number): Promise<number> => {
    const pks = (await session.rows(dropItems, [tenant, userId, limit])).map(([pk]) => pk);
    await dropNotifications(session, pks);
    let left = limit - pks.length;
    for (const run of [dropMarks, dropCounters] satisfies Statement<One>[]) {
      if (left > 0) {
        left -= (await session.rows(run, run === dropMarks ? [tenant, userId, left] : [tenant, userId])).length;
      }
    }
    return limit - left;
  };

  return (owner: Owner, limit: number) =>
    async (session: Session): Promise<ErasureStep> => {
      const { tenant, userId } = owner;
      // Before the inbox: a fan-out takes its locks in the same order.
      let removed = (await session.rows(leaveFanOuts, [tenant, userId, limit, LOCK_TIMEOUT_MS])).length;
      const [held] = await session.rows(hold, [tenant, userId]);
      if (held !== undefined) {
        removed += await eraseHeld(session, owner, limit - removed);
      }
      const [left] = removed < limit ? await session.rows(isLeft, [tenant, userId]) : [[true] as const];
      return { removed, isDone: left?.[0] === false };
    };
}

/** $1 tenant, $2 user, $3 how many chunks, $4 the lock timeout. A chunk without another recipient goes. */
function leaveFanOutsText({ fanOutChunks, notifications }: TableNames): string {
  return `WITH ${lockGuard("$4")},
  naming AS MATERIALIZED (
    SELECT chunk.* FROM guard CROSS JOIN LATERAL (
      SELECT f.pk, array_remove(f.recipients, $2::text) AS others
      FROM ${fanOutChunks} f JOIN ${notifications} n ON n.pk = f.notification_pk
      WHERE guard.lock_timeout IS NOT NULL AND n.tenant = $1 AND $2::text = ANY (f.recipients)
      ORDER BY f.pk LIMIT $3 FOR UPDATE OF f
    ) chunk
  ),
  forgotten AS (DELETE FROM ${fanOutChunks} f USING naming WHERE f.pk = naming.pk AND cardinality(naming.others) = 0),
  kept AS (UPDATE ${fanOutChunks} f SET recipients = naming.others FROM naming WHERE f.pk = naming.pk AND cardinality(naming.others) > 0)
  SELECT 1 FROM naming`;
}

/** $1 tenant, $2 user: holds the counts of an inbox, also of one that never had an item. */
function holdText({ inboxCounters }: TableNames): string {
  return `WITH ${lockGuard(LOCK_TIMEOUT_MS)}
  SELECT c.one FROM guard CROSS JOIN LATERAL (
    SELECT 1 AS one FROM ${inboxCounters} WHERE tenant = $1 AND user_id = $2 AND guard.lock_timeout IS NOT NULL FOR UPDATE
  ) c`;
}

/** $1 tenant, $2 user, $3 how many. */
function dropItemsText({ inboxCounters, inboxItems }: TableNames): string {
  return `WITH inbox AS MATERIALIZED (
    SELECT read_up_to_seq, read_rev FROM ${inboxCounters} WHERE tenant = $1 AND user_id = $2
  ),
  oldest AS MATERIALIZED (
    SELECT i.seq, i.notification_pk, i.deleted_at IS NULL AS is_shown, i.deleted_at IS NULL AND NOT ${isRead("inbox")} AS is_unread
    FROM inbox JOIN ${inboxItems} i ON i.tenant = $1 AND i.user_id = $2 ORDER BY i.seq LIMIT $3
  ),
  dropped AS (DELETE FROM ${inboxItems} i USING oldest WHERE i.tenant = $1 AND i.user_id = $2 AND i.seq = oldest.seq),
  tally AS (SELECT count(*) FILTER (WHERE is_shown) AS shown, count(*) FILTER (WHERE is_unread) AS unread FROM oldest),
  counted AS (
    UPDATE ${inboxCounters} c SET total = c.total - tally.shown, unread = c.unread - tally.unread, rev = c.rev + 1 FROM tally
    WHERE c.tenant = $1 AND c.user_id = $2 AND tally.shown > 0
  )
  SELECT notification_pk FROM oldest`;
}

/** $1 tenant, $2 user, $3 how many. */
function dropMarksText({ readMarks }: TableNames): string {
  return `DELETE FROM ${readMarks} WHERE tenant = $1 AND user_id = $2 AND (up_to_seq, rev) IN (
    SELECT up_to_seq, rev FROM ${readMarks} WHERE tenant = $1 AND user_id = $2 ORDER BY up_to_seq, rev LIMIT $3
  ) RETURNING 1`;
}

/** $1 tenant, $2 user: whether a fan-out moved the user to another chunk meanwhile, or an item came. */
function isLeftText({ fanOutChunks, inboxCounters, notifications }: TableNames): string {
  return `SELECT EXISTS (SELECT FROM ${inboxCounters} WHERE tenant = $1 AND user_id = $2)
    OR EXISTS (
      SELECT FROM ${fanOutChunks} f JOIN ${notifications} n ON n.pk = f.notification_pk
      WHERE n.tenant = $1 AND $2::text = ANY (f.recipients)
    )`;
}
