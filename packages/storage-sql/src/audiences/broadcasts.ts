import { isUuid, type Notification, type Owner } from "@belfry/core";
import type { Broadcast, BroadcastStorage } from "@belfry/core/storage";
import { fieldsOf } from "../database/fields.ts";
import type { Sql } from "../database/sql.ts";
import { keepEnded } from "./broadcast-state.ts";
import { forgettingDeleted, whenDeleted } from "./deleted-users.ts";
import { leavingBroadcasts } from "./leave-broadcasts.ts";
import { pagingBroadcasts } from "./page-broadcasts.ts";

/** How many scheduled broadcasts one call sends. */
const SENT_AT_ONCE = 100;

/** The operations of broadcasts that both storages share. */
export function sharedBroadcasts(
  sql: Sql,
): Pick<BroadcastStorage, "missed" | "sendDue" | "takePage" | "waitingPage" | "end" | "erase" | "export" | "sweep"> {
  return { missed: missing(sql), sendDue: sending(sql), ...pagingBroadcasts(sql), ...ending(sql), ...leavingBroadcasts(sql) };
}

interface CountersRow {
  readonly placedUpTo: number | null;
  /** Null where a process of an older version began the inbox. */
  readonly beganAfter: number | null;
  readonly newest: number;
}

interface BroadcastRow {
  readonly number: number;
  readonly isStanding: boolean | number;
  readonly except: string | null;
  readonly sentAt: number;
}

function missing(sql: Sql): BroadcastStorage["missed"] {
  const { broadcasts, broadcastNumbers, inboxCounters, inboxItems, notifications } = sql.tables;
  const fields = fieldsOf<Notification>(sql.schema.notifications, sql);
  const counters = `SELECT c.placed_up_to AS "placedUpTo", c.began_after AS "beganAfter", coalesce(b.newest, 0) AS newest
    FROM ${inboxCounters} c LEFT JOIN ${broadcastNumbers} b ON b.tenant = c.tenant WHERE c.tenant = $1 AND c.user_id = $2`;
  const newest = `SELECT coalesce(max(number), 0) AS number FROM ${broadcasts} WHERE tenant = $1 AND number IS NOT NULL`;
  const earlier = `${newest} AND at <= $2`;
  // An inbox of an older version began with its first item. Where that one is gone, nobody knows, and it gets them all.
  const beforeFirstItem = `${newest} AND at < (SELECT created_at FROM ${inboxItems} WHERE tenant = $1 AND user_id = $2 AND seq = 1)`;
  const page = (
    more: string,
  ) => `SELECT b.number, b.is_standing AS "isStanding", b.except_users AS "except", ${sql.milliseconds("b.at")} AS "sentAt",
      ${fields.columns("n")}
    FROM ${broadcasts} b ${sql.join} ${notifications} n ON n.pk = b.notification_pk
    WHERE b.tenant = $1 AND b.number > $2 AND b.number <= $3 AND (n.expires_at IS NULL OR n.expires_at > ${sql.cast("$4", "timestamptz")})${more}
    ORDER BY b.number LIMIT $5`;
  const [anyOf, standing] = [page(""), page(" AND b.is_standing")];
  const numberOf = async (name: string, text: string, values: readonly [tenant: string, of: string | Date]) =>
    (await sql.rows<{ readonly number: number }>(name, text, values))[0]?.number ?? 0;
  const deletedAt = whenDeleted(sql);
  const began = async (owner: Owner, { placedUpTo, beganAfter }: CountersRow, joinedAt: Date | null) => {
    if (placedUpTo !== null) {
      return beganAfter ?? 0;
    }
    const { tenant, userId } = owner;
    const after = beganAfter ?? (await numberOf("broadcasts_before_item", beforeFirstItem, [tenant, userId]));
    if (joinedAt === null || after === 0) {
      return after;
    }
    // Whoever was deleted, and came back, gets nothing from before that.
    const since = new Date(Math.max(joinedAt.getTime(), await deletedAt(owner)));
    return Math.min(after, await numberOf("broadcasts_before", earlier, [tenant, since]));
  };
  return async (owner, at, { limit, joinedAt }) => {
    const { tenant, userId } = owner;
    const [inbox] = await sql.rows<CountersRow>("placed_broadcasts", counters, [tenant, userId]);
    if (inbox === undefined) {
      return null;
    }
    const beganAfter = await began(owner, inbox, joinedAt);
    const { placedUpTo, newest } = inbox;
    const after = placedUpTo ?? 0;
    // Of what went out before the inbox began, only standing ones count, and others are not even looked at.
    const isEarly = after < beganAfter;
    const last = isEarly ? Math.min(beganAfter, newest) : newest;
    const values = [tenant, after, last, at, limit];
    const rows = after >= newest ? [] : await sql.rows<BroadcastRow>("missed_broadcasts", isEarly ? standing : anyOf, values);
    const found = rows.map((row): Broadcast => {
      const notification = { ...fields.record(row), createdAt: new Date(row.sentAt) };
      const except = row.except === null ? [] : (JSON.parse(row.except) as readonly string[]);
      return { number: row.number, isStanding: Boolean(row.isStanding), except, notification };
    });
    const upTo = found.length < limit ? Math.max(last, after) : (found.at(-1)?.number ?? after);
    return { placedUpTo, beganAfter, upTo, broadcasts: found, isMore: upTo < newest };
  };
}

interface DueRow {
  readonly pk: number;
  readonly tenant: string;
  readonly id: string;
  readonly dueAt: number;
  readonly isExpired: boolean | number;
  /** Whether nothing but its inboxes is left to be done for it. */
  readonly isLast: boolean | number;
}

/** The statements that send a broadcast, or end one that has expired. $1 its key. The first one lets nobody else do so meanwhile. */
function sendingTexts(sql: Sql): { readonly send: readonly string[]; readonly skip: readonly string[] } {
  const { broadcasts, broadcastNumbers, trackings } = sql.tables;
  const isDue = "pk = $1 AND due_at IS NOT NULL";
  const hold = `UPDATE ${broadcasts} SET at = at WHERE ${isDue}`;
  const count = `INSERT INTO ${broadcastNumbers} AS b (tenant, newest) SELECT tenant, 1 FROM ${broadcasts} WHERE ${isDue}
    ON CONFLICT (tenant) DO UPDATE SET newest = b.newest + 1`;
  // The inboxes are a chain of their own. Those who are in it by name come after this.
  const settle = (as: "sent" | "skipped") => `UPDATE ${trackings} SET pending_chains = pending_chains - 1, ${as}_chains = ${as}_chains + 1,
      status = CASE WHEN pending_chains = 1 THEN '${as}' ELSE status END
    WHERE notification_pk = (SELECT notification_pk FROM ${broadcasts} WHERE ${isDue})`;
  const send = `UPDATE ${broadcasts} SET due_at = NULL,
      number = (SELECT newest FROM ${broadcastNumbers} c WHERE c.tenant = ${broadcasts}.tenant) WHERE ${isDue}`;
  const keep = keepEnded(sql, { which: `b.${isDue}`, at: "b.due_at" });
  const drop = `DELETE FROM ${broadcasts} WHERE ${isDue}`;
  return { send: [hold, count, settle("sent"), send], skip: [hold, settle("skipped"), keep, drop] };
}

function sending(sql: Sql): BroadcastStorage["sendDue"] {
  const { broadcasts, notifications } = sql.tables;
  const due = `SELECT b.pk, b.tenant, n.id, ${sql.milliseconds("b.due_at")} AS "dueAt", b.page_cursor IS NULL AS "isLast",
      coalesce(n.expires_at <= ${sql.cast("$1", "timestamptz")}, false) AS "isExpired"
    FROM ${broadcasts} b ${sql.join} ${notifications} n ON n.pk = b.notification_pk WHERE b.due_at IS NOT NULL
    ORDER BY b.due_at LIMIT ${SENT_AT_ONCE}`;
  const texts = sendingTexts(sql);
  return async (at) => {
    const rows = await sql.rows<DueRow>("due_broadcasts", due, [at]);
    const now = rows.filter(({ dueAt }) => dueAt <= at.getTime());
    for (const { pk, isExpired } of now) {
      await (isExpired ? sql.inTransaction("skip_broadcast", texts.skip, [pk]) : sql.inTransaction("send_due_broadcast", texts.send, [pk]));
    }
    const next = rows.find(({ dueAt }) => dueAt > at.getTime());
    const isMore = now.length === SENT_AT_ONCE;
    const sent = now.map(({ tenant, id, isExpired, isLast }) => {
      const to = isExpired ? "skipped" : "sent";
      return { tenant, id, changed: isLast ? ({ tenant, id, from: "pending", to } as const) : null };
    });
    return { sent, nextDueAt: isMore ? at : next ? new Date(next.dueAt) : null };
  };
}

interface EndingRow {
  readonly pk: number;
  readonly notificationPk: number;
}

function ending(sql: Sql): Pick<BroadcastStorage, "end" | "sweep"> {
  const { auditLog, broadcasts, notifications, inboxItems, trackings, fanOuts, fanOutChunks, events } = sql.tables;
  const fields = fieldsOf<Notification>(sql.schema.notifications, sql);
  const find = `SELECT ${fields.columns("n")} FROM ${notifications} n ${sql.join} ${broadcasts} b ON b.notification_pk = n.pk WHERE n.tenant = $1 AND n.id = $2`;
  const itsPk = `(SELECT pk FROM ${notifications} WHERE tenant = $1 AND id = ${sql.cast("$2", "uuid")})`;
  const audit = `INSERT INTO ${auditLog} (tenant, at, action, actor, notification_id)
    SELECT n.tenant, ${sql.cast("$3", "timestamptz")}, 'cancelled', ${sql.cast("$4", "text")}, n.id
    FROM ${notifications} n ${sql.join} ${broadcasts} b ON b.notification_pk = n.pk WHERE n.pk = ${itsPk}`;
  const given = `${sql.cast("$3", "timestamptz")} IS NOT NULL AND ${sql.cast("$4", "text")} IS NOT NULL`;
  // Its row is locked before its notification, as by a delete.
  const hold = `UPDATE ${broadcasts} SET at = at WHERE notification_pk = ${itsPk} AND ${given}`;
  const keep = keepEnded(sql, { which: `b.notification_pk = ${itsPk} AND ${given}`, at: sql.cast("$3", "timestamptz") });
  const end = `DELETE FROM ${broadcasts} WHERE notification_pk = ${itsPk} AND ${given}`;
  const over = `SELECT b.pk, b.notification_pk AS "notificationPk" FROM ${broadcasts} b ${sql.join} ${notifications} n ON n.pk = b.notification_pk
    WHERE b.due_at IS NULL AND b.page_cursor IS NULL AND (b.number IS NULL OR n.expires_at <= ${sql.cast("$1", "timestamptz")} OR b.at < $2) ORDER BY b.pk LIMIT $3`;
  const swept = `${sql.cast("$2", "timestamptz")} IS NOT NULL AND ${sql.isIn("notification_pk", "$1", "bigint")}`;
  const holdOver = `UPDATE ${broadcasts} SET at = at WHERE ${swept}`;
  const endedAt = `(SELECT CASE WHEN n.expires_at <= ${sql.cast("$2", "timestamptz")} THEN n.expires_at ELSE ${sql.cast("$2", "timestamptz")} END
    FROM ${notifications} n WHERE n.pk = b.notification_pk)`;
  const keepOver = keepEnded(sql, { which: swept, at: endedAt });
  const drop = `DELETE FROM ${broadcasts} WHERE ${swept}`;
  const without = [inboxItems, trackings, fanOuts, fanOutChunks, events].map(
    (table) => `AND NOT EXISTS (SELECT 1 FROM ${table} o WHERE o.notification_pk = ${notifications}.pk)`,
  );
  const dropUnused = `DELETE FROM ${notifications} WHERE ${sql.cast("$2", "timestamptz")} IS NOT NULL AND ${sql.isIn("pk", "$1", "bigint")} ${without.join(" ")}`;
  const forgetDeleted = forgettingDeleted(sql);
  return {
    async end({ tenant, id: given }, { actor, at }) {
      const id = given.toLowerCase();
      const [found] = isUuid(id) ? await sql.rows("find_broadcast", find, [tenant, id]) : [];
      if (found === undefined) {
        return null;
      }
      await sql.inTransaction("end_broadcast", [hold, audit, keep, end], [tenant, id, at, actor]);
      return fields.record(found);
    },
    async sweep({ at, before }, { limit }) {
      const rows = await sql.rows<EndingRow>("over_broadcasts", over, [at, before, limit]);
      if (rows.length > 0) {
        const pks = JSON.stringify(rows.map(({ notificationPk }) => notificationPk));
        await sql.inStep("sweep_broadcasts", [holdOver, keepOver, drop, dropUnused], [pks, at]);
      }
      const forgotten = await forgetDeleted(limit);
      return { removed: rows.length, next: Math.max(rows.length, forgotten) < limit ? null : "" };
    },
  };
}
