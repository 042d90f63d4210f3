import { isUuid } from "@belfry/core";
import type { ChangeLogStorage, DueInbox, DueItemsStorage, ExpiringNotification, InboxStorage } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";
import { changeLogOf } from "./change-log.ts";
import { settleRemoved } from "./remove-covered.ts";

/** A row of a record with its time in milliseconds. */
type Timed<Of, Time extends keyof Of> = Omit<Of, Time> & Readonly<Record<Time, number>>;

interface OwnerRow {
  readonly userId: string;
  readonly isThere: boolean | number;
}

interface Found {
  readonly isThere: boolean | number;
  readonly isDeleted: boolean | number;
}

/** The operations of inboxes that both storages share; none of them is hot. */
export function sharedInbox(
  sql: Sql,
): Pick<
  InboxStorage,
  "absence" | "renewEpochs" | "settleRemoved" | "tidyFanOuts" | keyof ChangeLogStorage | Exclude<keyof DueItemsStorage, "applyDue">
> {
  const { notifications, inboxItems, inboxCounters } = sql.tables;
  const due = `SELECT tenant, user_id AS "userId", ${sql.milliseconds("due_at")} AS "dueAt" FROM ${inboxCounters}
    WHERE due_at IS NOT NULL ORDER BY due_at LIMIT $1`;
  const expiring = `SELECT tenant, id, ${sql.milliseconds("expires_at")} AS "expiresAt" FROM ${notifications}
    WHERE expires_at IS NOT NULL AND expired_at IS NULL ORDER BY expires_at LIMIT $1`;
  const counters = `${inboxCounters} c ON c.tenant = i.tenant AND c.user_id = i.user_id`;
  const state = `i.seq IS NOT NULL AS "isThere", (i.deleted_at IS NOT NULL OR i.seq <= coalesce(c.removed_up_to_seq, 0)) AS "isDeleted"`;
  const bySeq = `SELECT ${state} FROM ${inboxItems} i ${sql.join} ${counters} WHERE i.tenant = $1 AND i.user_id = $2 AND i.seq = $3`;
  const byId = `SELECT ${state} FROM ${notifications} n LEFT JOIN ${inboxItems} i ON i.notification_pk = n.pk AND i.user_id = $2
    LEFT JOIN ${counters} WHERE n.tenant = $1 AND n.id = $3`;
  const find = async (tenant: string, userId: string, ref: Parameters<InboxStorage["absence"]>[1]): Promise<Found | undefined> => {
    if (typeof ref !== "string") {
      return Number.isSafeInteger(ref.seq) ? (await sql.rows<Found>("absence_by_seq", bySeq, [tenant, userId, ref.seq]))[0] : undefined;
    }
    return isUuid(ref) ? (await sql.rows<Found>("absence_by_id", byId, [tenant, userId, ref.toLowerCase()]))[0] : undefined;
  };
  return {
    ...changeLogOf(sql),
    async absence({ tenant, userId }, ref) {
      const found = await find(tenant, userId, ref);
      if (found !== undefined && !found.isThere) {
        return "foreign";
      }
      // An item that is there and not deleted arrived after the caller looked, so it was unknown then.
      return found?.isDeleted ? "deleted" : "unknown";
    },
    async dueInboxes(limit) {
      const rows = await sql.rows<Timed<DueInbox, "dueAt">>("due_inboxes", due, [limit]);
      return rows.map(({ dueAt, ...owner }) => ({ ...owner, dueAt: new Date(dueAt) }));
    },
    async expiring(limit) {
      const rows = await sql.rows<Timed<ExpiringNotification, "expiresAt">>("expiring", expiring, [limit]);
      return rows.map(({ expiresAt, ...name }) => ({ ...name, expiresAt: new Date(expiresAt) }));
    },
    async ownersOf(tenant, id, { after, limit }) {
      // The counters of an inbox whose item is deleted are not looked up.
      const removed = `coalesce((SELECT removed_up_to_seq FROM ${inboxCounters} c WHERE c.tenant = i.tenant AND c.user_id = i.user_id), 0)`;
      const isThere = `CASE WHEN i.deleted_at IS NULL THEN i.seq > ${removed} ELSE i.archived_at IS NOT NULL OR i.snoozed_until IS NOT NULL END`;
      const owners = `SELECT i.user_id AS "userId", ${isThere} AS "isThere" FROM ${inboxItems} i
        WHERE i.notification_pk = (SELECT pk FROM ${notifications} WHERE tenant = $1 AND id = $2) AND i.user_id > $3
        ORDER BY i.user_id LIMIT $4`;
      const rows = await sql.rows<OwnerRow>(null, owners, [tenant, id, after, limit]);
      const users = rows.filter((row) => Boolean(row.isThere)).map(({ userId }) => userId);
      return { users, next: rows.length < limit ? null : (rows.at(-1)?.userId ?? null) };
    },
    async isComing(tenant, id) {
      const { fanOuts, fanOutChunks, audiences } = sql.tables;
      const pk = `(SELECT pk FROM ${notifications} WHERE tenant = $1 AND id = $2)`;
      const isLeft = `SELECT 1 AS one WHERE EXISTS (SELECT 1 FROM ${fanOuts} f WHERE f.notification_pk = ${pk})
        OR EXISTS (SELECT 1 FROM ${fanOutChunks} f WHERE f.notification_pk = ${pk})
        OR EXISTS (SELECT 1 FROM ${audiences} f WHERE f.notification_pk = ${pk} AND f.source IS NOT NULL)`;
      return (await sql.rows("is_coming", isLeft, [tenant, id])).length > 0;
    },
    async noteExpired(tenant, id, at) {
      const note = `UPDATE ${notifications} SET expired_at = $3 WHERE tenant = $1 AND id = $2 RETURNING id`;
      await sql.rows("note_expired", note, [tenant, id, at]);
    },
    tidyFanOuts: (at) => tidyFanOuts(sql, at),
    settleRemoved: settleRemoved(sql),
    renewEpochs: () => sql.inTransaction("renew_epochs", [`UPDATE ${inboxCounters} SET epoch = ${sql.newEpoch}`], []),
  };
}

/** How long a list is kept that nothing uses: it may still be on its way into the database. */
export const KEPT_UNUSED_MS = 60 * 60_000;

/** The parts that one step removes: a few hundred kilobytes. */
const DROPPED_PARTS = 10;

/** Ends fan-outs of items alone, and drops what fan-outs left. */
async function tidyFanOuts(sql: Sql, at: Date): Promise<boolean> {
  const { fanOuts, fanOutParts, notifications } = sql.tables;
  const [any] = await sql.rows("any_fan_out", `SELECT pk FROM ${fanOuts} LIMIT 1`, []);
  if (any === undefined) {
    return false;
  }
  const time = sql.cast("$1", "timestamptz");
  const isOver = `NOT EXISTS (SELECT 1 FROM ${fanOutParts} p WHERE p.fan_out_pk = f.pk)
    OR EXISTS (SELECT 1 FROM ${notifications} n WHERE n.pk = f.notification_pk AND n.expires_at <= ${time})`;
  const end = `UPDATE ${fanOuts} AS f SET notification_pk = NULL, drop_at = ${time} WHERE drop_at IS NULL AND plan IS NULL AND (${isOver})`;
  const dropped = `SELECT p.pk FROM ${fanOuts} f ${sql.join} ${fanOutParts} p ON p.fan_out_pk = f.pk WHERE f.drop_at <= ${time} LIMIT ${DROPPED_PARTS}`;
  await sql.inStep(
    "tidy_fan_outs",
    [
      end,
      `DELETE FROM ${fanOutParts} WHERE pk IN (${dropped})`,
      `DELETE FROM ${fanOuts} AS f WHERE drop_at <= ${time} AND NOT EXISTS (SELECT 1 FROM ${fanOutParts} p WHERE p.fan_out_pk = f.pk)`,
    ],
    [at],
  );
  return (await sql.rows("dropped_fan_out", `SELECT pk FROM ${fanOuts} WHERE drop_at <= ${time} LIMIT 1`, [at])).length > 0;
}
