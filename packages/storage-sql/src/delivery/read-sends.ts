import { isUuid, type SendQuery, type SendSort, type SendStatus } from "@belfry/core";
import type { DeliveryStorage } from "@belfry/core/storage";
import { filteredBy, type Sql } from "../database/sql.ts";
import { listingAudit } from "../operator/audit.ts";
import { deliveryRecords, type SendRow } from "./rows.ts";

type Reads = Pick<DeliveryStorage, "findSend" | "listSends" | "countSends" | "countDeliveries" | "listAudit" | "pruneIdempotencyKeys">;

const ORDERS: Readonly<Record<SendSort, (row: (name: string) => string) => string>> = {
  "-created_at": (row) => `${row("created_at")} DESC, ${row("notification_pk")} DESC`,
  created_at: (row) => `${row("created_at")}, ${row("notification_pk")}`,
  status: (row) => `${row("status")}, ${row("created_at")} DESC, ${row("notification_pk")} DESC`,
};

/** Reads of sends and of the audit log in a SQL database. */
export function sendReads(sql: Sql): Reads {
  const { deliveries, idempotencyKeys, notifications, sends, trackings } = sql.tables;
  const records = deliveryRecords(sql);
  const details = `LEFT JOIN ${sends} s ON s.notification_pk = t.notification_pk`;
  const named = "n.tenant = $1 AND n.id = $2";
  const roomOf = `(SELECT s.room_id FROM ${sends} s WHERE s.notification_pk = t.notification_pk)`;
  return {
    async findSend(tenant, id) {
      const text = `SELECT ${records.send} FROM ${notifications} n ${sql.join} ${trackings} t ON t.notification_pk = n.pk ${details} WHERE ${named}`;
      const [row] = isUuid(id) ? await sql.rows<SendRow>("find_send", text, [tenant, id.toLowerCase()]) : [];
      return row === undefined ? null : records.toSend(row);
    },

    // Finds the page's keys first, then its rows: an offset then reads only the keys of what it skips.
    async listSends(tenant, { sort, limit, offset, ...query }) {
      const { and, values } = filteredBy(filtersOf(query, { sql, roomOf }));
      const counted = `${trackings} t WHERE t.tenant = $1${and}`;
      const keys = `SELECT t.notification_pk AS pk FROM ${counted} ORDER BY ${ORDERS[sort]((name) => `t.${name}`)} LIMIT $2 OFFSET $3`;
      const rows = `SELECT ${records.send}, t.created_at AS "trackedSince" FROM (${keys}) k ${sql.join} ${trackings} t ON t.notification_pk = k.pk
        ${sql.join} ${notifications} n ON n.pk = k.pk ${details} ORDER BY ${ORDERS[sort]((name) => `t.${name}`)}`;
      const order = ORDERS[sort](
        (name) => ({ created_at: '"trackedSince"', notification_pk: '"notificationPk"', status: "status" })[name] ?? "",
      );
      const { items, total } = await sql.page<SendRow>("list_sends", { counted, rows, order }, [tenant, limit, offset, ...values]);
      return { sends: items.map(records.toSend), total };
    },

    async countSends(tenant, { from, before, channel, roomId }) {
      const given = (parameter: string, condition: string) => `(${parameter} IS NULL OR ${condition})`;
      const [start, end] = [sql.cast("$2", "timestamptz"), sql.cast("$3", "timestamptz")];
      const text = `SELECT status, channel, count(*) AS sends, count(*) FILTER (WHERE fallback_used) AS fallbacks FROM ${trackings} t
        WHERE tenant = $1 AND ${given(start, `created_at >= ${start}`)} AND ${given(end, `created_at < ${end}`)}
          AND ${given(sql.cast("$4", "text"), "channel = $4")} AND ${given(sql.cast("$5", "text"), `${roomOf} = $5`)} GROUP BY status, channel`;
      const values = [tenant, from ?? null, before ?? null, channel ?? null, roomId ?? null];
      const byStatus: Record<SendStatus, number> = { pending: 0, sent: 0, delivered: 0, failed: 0, partial: 0, skipped: 0, cancelled: 0 };
      const byChannel = new Map<string, number>();
      let [total, fallbackUsed] = [0, 0];
      for (const row of await sql.rows<CountRow>("send_analytics", text, values)) {
        total += row.sends;
        fallbackUsed += row.fallbacks;
        byStatus[row.status] += row.sends;
        byChannel.set(row.channel, (byChannel.get(row.channel) ?? 0) + row.sends);
      }
      return { total, byStatus, byChannel: Object.fromEntries(byChannel), fallbackUsed };
    },

    async countDeliveries(tenant, id) {
      const text = `SELECT count(*) AS total FROM ${notifications} n ${sql.join} ${deliveries} d ON d.notification_pk = n.pk WHERE ${named}`;
      const [row] = isUuid(id) ? await sql.rows<{ readonly total: number }>("count_deliveries", text, [tenant, id.toLowerCase()]) : [];
      return row?.total ?? 0;
    },

    ...listingAudit(sql),

    async pruneIdempotencyKeys(before) {
      await sql.inTransaction("prune_keys", [`DELETE FROM ${idempotencyKeys} WHERE created_at < $1`], [before]);
    },
  };
}

interface CountRow {
  readonly status: SendStatus;
  readonly channel: string;
  readonly sends: number;
  readonly fallbacks: number;
}

function filtersOf(
  query: Omit<SendQuery, "sort" | "limit" | "offset">,
  { sql, roomOf }: { readonly sql: Sql; readonly roomOf: string },
): Parameters<typeof filteredBy>[0] {
  const { channel, roomId, status, createdAfter, createdBefore, recipient } = query;
  const time = (given: string) => sql.cast(given, "timestamptz");
  return [
    [channel, (given) => `t.channel = ${given}`],
    [roomId, (given) => `${roomOf} = ${given}`],
    [typeof status === "object" ? JSON.stringify(status) : undefined, (given) => sql.isIn("t.status", given as `$${number}`, "text")],
    [typeof status === "object" ? undefined : status, (given) => `t.status = ${given}`],
    [createdAfter, (given) => `t.created_at > ${time(given)}`],
    [createdBefore, (given) => `t.created_at < ${time(given)}`],
    [
      recipient,
      (given) =>
        `t.notification_pk IN (SELECT d.notification_pk FROM ${sql.tables.deliveries} d WHERE d.tenant = $1 AND d.recipient = ${given})`,
    ],
  ];
}
