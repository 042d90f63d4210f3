import type { Owner } from "@belfry/core";
import type { ErasureStep, ExportedItem, ExportStep, InboxRetention, StepRange, SweepStep } from "@belfry/core/storage";
import { LOOKED_AT, newestBefore, sweepStep } from "@belfry/storage-sql";
import type { Connection, Session } from "../database/connection.ts";
import { milliseconds, type Statement, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { seqsOf } from "./change-items.ts";
import { loggedChange } from "./change-log.ts";
import { prepareDropGroups, settleGroups, settleOwnGroups } from "./groups.ts";
import { addTo, holdInboxes, inboxState } from "./inbox-state.ts";
import { type ItemRow, isActive, isAway, isMarkedSeen, isRead, itemColumns, joinNotification, ownReadTime, toItem } from "./item-row.ts";
import { prepareLeaveFanOuts } from "./leave-fan-outs.ts";
import { prepareDropNotifications } from "./remove.ts";

type One = readonly [one: number];

/** Removes a part of an inbox: items still to come first, the counts last. */
export function prepareErase(tables: TableNames) {
  const dropNotifications = prepareDropNotifications(tables);
  const leaveFanOuts = prepareLeaveFanOuts(tables);
  const hold = statement<One>("hold_to_erase", holdInboxes(tables, "tenant = $1 AND user_id = $2", { lock: "FOR UPDATE" }));
  const dropItems = statement<DroppedRow>("erase_items", dropItemsText(tables));
  const dropGroups = prepareDropGroups(tables);
  const dropAllGroups = statement<[]>("erase_groups", `DELETE FROM ${tables.inboxGroups} WHERE tenant = $1 AND user_id = $2`);
  const dropMarks = statement<One>("erase_marks", dropMarksText(tables));
  const dropChanges = statement<One>("erase_changes", dropChangesText(tables));
  const dropCounters = statement<One>(
    "erase_counters",
    `DELETE FROM ${tables.inboxCounters} WHERE tenant = $1 AND user_id = $2 RETURNING 1`,
  );
  const isLeft = statement<readonly [boolean]>("is_left_to_erase", isLeftText(tables));

  /** Erases the items, marks and counts of a held inbox, and answers how many rows it removed. */
  const eraseHeld = async (session: Session, { tenant, userId }: Owner, limit: number): Promise<number> => {
    const rows = await session.rows(dropItems, [tenant, userId, limit]);
    const pks = rows.map(([pk]) => pk);
    await dropNotifications(session, pks);
    await dropGroups(session, rows);
    let left = limit - pks.length;
    for (const run of [dropMarks, dropChanges, dropCounters] satisfies Statement<One>[]) {
      if (left > 0) {
        // Usually none is left.
        await session.rows(dropAllGroups, [tenant, userId]);
        left -= (await session.rows(run, run === dropCounters ? [tenant, userId] : [tenant, userId, left])).length;
      }
    }
    return limit - left;
  };

  return (owner: Owner, limit: number) =>
    async (session: Session): Promise<ErasureStep> => {
      const { tenant, userId } = owner;
      // Locks chunks before the inbox, in the same order as a fan-out.
      let removed = await leaveFanOuts(session, owner, limit);
      const [held] = await session.rows(hold, [tenant, userId]);
      if (held !== undefined) {
        removed += await eraseHeld(session, owner, limit - removed);
      }
      const [left] = removed < limit ? await session.rows(isLeft, [tenant, userId]) : [[true] as const];
      return { removed, isDone: left?.[0] === false };
    };
}

/** What the counts need to know of an item `i` that is removed for good, whose inbox's state is `inbox`. */
const DROPPED_FLAGS = `${isActive("inbox")} AS is_shown, (i.archived_at IS NOT NULL OR i.snoozed_until IS NOT NULL) AS is_away, NOT ${isRead("inbox")} AS is_unread,
      ${isMarkedSeen("inbox")} AS is_marked_seen`;

const DROPPED_TALLY = `count(*) FILTER (WHERE is_shown) AS shown, count(*) FILTER (WHERE is_away) AS away,
        count(*) FILTER (WHERE is_shown AND is_unread) AS unread, count(*) FILTER (WHERE is_shown AND is_unread AND is_marked_seen) AS seen_unread,
        count(*) FILTER (WHERE is_away AND is_unread) AS away_unread,
        count(*) FILTER (WHERE is_away AND is_unread AND is_marked_seen) AS away_seen_unread`;

/** The assignments to the counters `c` that take a tally of removed items away. */
const WITHOUT_DROPPED = `total = c.total - tally.shown, unread = c.unread - tally.unread,
      ${addTo("seen_unread", "-tally.seen_unread")}, ${addTo("away_unread", "-tally.away_unread")},
      ${addTo("away_seen_unread", "-tally.away_seen_unread")}`;

/** The notification of an item that is gone for good, and the group that it was in. */
type DroppedRow = readonly [notificationPk: number, tenant: string, userId: string, group: string | null];

/** What the dropped items of one group add to its counts. */
const DROPPED_SUMS = "-count(*) FILTER (WHERE is_shown) AS total, -count(*) FILTER (WHERE is_shown AND is_unread) AS unread, 0 AS seq";

/** $1 tenant, $2 user, $3 how many. */
function dropItemsText(tables: TableNames): string {
  const { inboxCounters, inboxItems } = tables;
  const sums = `SELECT group_name, ${DROPPED_SUMS} FROM oldest WHERE group_name IS NOT NULL GROUP BY group_name`;
  return `WITH inbox AS MATERIALIZED (
    SELECT read_up_to_seq, read_rev, seen_up_to_seq, seen_rev, removed_up_to_seq FROM ${inboxCounters} WHERE tenant = $1 AND user_id = $2
  ),
  oldest AS MATERIALIZED (
    SELECT i.seq, i.notification_pk, i.group_name, ${DROPPED_FLAGS}
    FROM inbox JOIN ${inboxItems} i ON i.tenant = $1 AND i.user_id = $2 ORDER BY i.seq LIMIT $3
  ),
  dropped AS (DELETE FROM ${inboxItems} i WHERE i.tenant = $1 AND i.user_id = $2 AND i.seq = ${seqsOf("oldest")}),
  ${settleOwnGroups(tables, { sums, list: "oldest" })},
  tally AS (SELECT ${DROPPED_TALLY} FROM oldest),
  counted AS (
    UPDATE ${inboxCounters} c SET rev = c.rev + 1, ${WITHOUT_DROPPED} FROM tally
    WHERE c.tenant = $1 AND c.user_id = $2 AND tally.shown + tally.away > 0
  )
  SELECT notification_pk, $1::text, $2::text, group_name FROM oldest`;
}

/** $1 tenant, $2 user, $3 how many. */
function dropMarksText({ readMarks }: TableNames): string {
  return `DELETE FROM ${readMarks} WHERE tenant = $1 AND user_id = $2 AND (up_to_seq, rev) IN (
    SELECT up_to_seq, rev FROM ${readMarks} WHERE tenant = $1 AND user_id = $2 ORDER BY up_to_seq, rev LIMIT $3
  ) RETURNING 1`;
}

/** $1 tenant, $2 user, $3 how many. */
function dropChangesText({ inboxChanges }: TableNames): string {
  return `DELETE FROM ${inboxChanges} WHERE tenant = $1 AND user_id = $2 AND rev IN (
    SELECT rev FROM ${inboxChanges} WHERE tenant = $1 AND user_id = $2 ORDER BY rev LIMIT $3
  ) RETURNING 1`;
}

/** $1 tenant, $2 user: whether a fan-out moved the user to another chunk meanwhile, or an item came. */
function isLeftText({ fanOuts, fanOutParts, inboxCounters }: TableNames): string {
  return `SELECT EXISTS (SELECT FROM ${inboxCounters} WHERE tenant = $1 AND user_id = $2)
    OR EXISTS (
      SELECT FROM ${fanOuts} f JOIN ${fanOutParts} p ON p.fan_out_pk = f.pk WHERE f.tenant = $1 AND $2::text = ANY (p.recipients)
    )`;
}

type ExportRow = readonly [deletedAt: number | null, ...ItemRow];

/** Reads the items of an inbox, oldest first, deleted ones too. */
export function prepareExport(tables: TableNames) {
  const page = statement<ExportRow>(
    "export_inbox",
    `WITH ${inboxState(tables)}
    SELECT ${milliseconds("coalesce(i.deleted_at, CASE WHEN i.seq <= inbox.removed_up_to_seq THEN inbox.removed_at END)")}, ${itemColumns(ownReadTime(tables))}
    FROM inbox CROSS JOIN LATERAL (
      SELECT * FROM ${tables.inboxItems} WHERE tenant = $1 AND user_id = $2 AND seq > $3 ORDER BY seq LIMIT $4
    ) i
    ${joinNotification(tables)}
    ORDER BY i.seq`,
  );
  return (owner: Owner, { after, limit }: StepRange) =>
    async (session: Session): Promise<ExportStep<ExportedItem>> => {
      const rows = await session.rows(page, [owner.tenant, owner.userId, Number(after ?? 0), limit]);
      const records = rows.map(([deletedAt, ...row]): ExportedItem => {
        const item = toItem(row, owner);
        return { ...item, deletedAt: deletedAt === null || isAway(item) ? null : new Date(deletedAt) };
      });
      const last = records.length < limit ? undefined : records.at(-1);
      return { records, next: last === undefined ? null : String(last.seq) };
    };
}

type Key = readonly [notificationPk: number, userId: string];

type LookedAtItem = readonly [isOld: boolean, isOver: boolean, tenant: string, userId: string, seq: number, notificationPk: number];

/**
 * Looks at items of all inboxes, those of older notifications first, and removes those whose time is over. Only a step that
 * removes something takes locks.
 */
export function prepareSweep(tables: TableNames) {
  const dropNotifications = prepareDropNotifications(tables);
  const lookAt = statement<LookedAtItem>("look_at_items", lookAtText(tables));
  const inboxes = "(tenant, user_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))";
  const hold = statement<One>("hold_inboxes", holdInboxes(tables, inboxes));
  const drop = statement<DroppedRow>("sweep_items", dropText(tables));
  const dropGroups = prepareDropGroups(tables);
  return (kept: InboxRetention, range: StepRange) =>
    async (connection: Connection): Promise<SweepStep> => {
      const place = range.after === null ? ([0, ""] as const) : (JSON.parse(range.after) as Key);
      const rows = await connection.rows(lookAt, [...place, newestBefore(kept).toISOString(), ...times(kept)]);
      const { over, last } = sweepStep(rows, range);
      const next = last === undefined ? null : JSON.stringify([last[5], last[3]] satisfies Key);
      if (over.length === 0) {
        return { removed: 0, next };
      }
      const keys = [2, 3, 4].map((column) => over.map((row) => row[column]));
      return await connection.step(async (session) => {
        await session.rows(hold, keys.slice(0, 2));
        const dropped = await session.rows(drop, [...keys, ...times(kept), kept.at.toISOString()]);
        const pks = dropped.map(([pk]) => pk);
        await dropNotifications(session, [...new Set(pks)]);
        await dropGroups(session, dropped);
        return { removed: pks.length, next };
      });
    };
}

/** The values $4 to $8: the times before which read and unread items expire; types with times of their own, and these. */
function times({ readBefore, unreadBefore, types }: InboxRetention): readonly unknown[] {
  const ofTypes = Object.values(types);
  return [
    readBefore.toISOString(),
    unreadBefore.toISOString(),
    Object.keys(types),
    ofTypes.map((limits) => limits.readBefore.toISOString()),
    ofTypes.map((limits) => limits.unreadBefore.toISOString()),
  ];
}

/** Whether the time of the item `i` is over, by the values $4 to $8 and the state `inbox` of its inbox. */
const IS_OVER = `(i.seq < inbox.last_seq AND i.created_at < CASE WHEN i.deleted_at IS NOT NULL OR ${isRead("inbox")}
  THEN coalesce(own.read_before, $4::timestamptz) ELSE coalesce(own.unread_before, $5::timestamptz) END)`;

const JOIN_TIMES =
  "LEFT JOIN unnest($6::text[], $7::timestamptz[], $8::timestamptz[]) AS own(type, read_before, unread_before) ON own.type = i.type";

/** $1 and $2 the notification and the user to go on after, $3 the time from which no item expires. */
function lookAtText({ inboxCounters, inboxItems }: TableNames): string {
  return `SELECT i.created_at < $3::timestamptz, i.created_at < $3::timestamptz AND ${IS_OVER}, i.tenant, i.user_id, i.seq, i.notification_pk
    FROM (
      SELECT * FROM ${inboxItems} WHERE (notification_pk, user_id) > ($1, $2) ORDER BY notification_pk, user_id LIMIT ${LOOKED_AT}
    ) i
    LEFT JOIN ${inboxCounters} inbox ON inbox.tenant = i.tenant AND inbox.user_id = i.user_id
    ${JOIN_TIMES}
    ORDER BY i.notification_pk, i.user_id`;
}

/** $1 tenants, $2 users, $3 numbers of the items, $9 now; those that the user marked unread meanwhile stay. */
function dropText(tables: TableNames): string {
  const { inboxCounters, inboxItems } = tables;
  const from = `tally JOIN ${inboxCounters} inbox ON inbox.tenant = tally.tenant AND inbox.user_id = tally.user_id`;
  const change = { kind: "deleted", from, at: "$9::timestamptz", seqs: "tally.seqs", owner: "tally.tenant, tally.user_id" } as const;
  const sums = `SELECT tenant, user_id, group_name, ${DROPPED_SUMS} FROM over WHERE group_name IS NOT NULL GROUP BY tenant, user_id, group_name`;
  const gone = "SELECT over.seq FROM over WHERE over.tenant = g.tenant AND over.user_id = g.user_id";
  return `WITH over AS MATERIALIZED (
    SELECT i.tenant, i.user_id, i.seq, i.notification_pk, i.group_name, ${DROPPED_FLAGS}
    FROM unnest($1::text[], $2::text[], $3::bigint[]) AS k(tenant, user_id, seq)
    JOIN ${inboxItems} i ON i.tenant = k.tenant AND i.user_id = k.user_id AND i.seq = k.seq
    JOIN ${inboxCounters} inbox ON inbox.tenant = i.tenant AND inbox.user_id = i.user_id
    ${JOIN_TIMES}
    WHERE ${IS_OVER}
  ),
  dropped AS (DELETE FROM ${inboxItems} i USING over WHERE i.tenant = over.tenant AND i.user_id = over.user_id AND i.seq = over.seq),
  tally AS MATERIALIZED (
    SELECT tenant, user_id, ${DROPPED_TALLY}, array_agg(seq) AS seqs FROM over WHERE is_shown OR is_away GROUP BY tenant, user_id
  ),
  ${settleGroups(tables, { sums, gone })},
  counted AS (
    UPDATE ${inboxCounters} c SET rev = c.rev + 1, ${WITHOUT_DROPPED} FROM tally
    WHERE c.tenant = tally.tenant AND c.user_id = tally.user_id
  ),
  ${loggedChange(tables, change)}
  SELECT notification_pk, tenant, user_id, group_name FROM over`;
}
