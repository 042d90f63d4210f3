import {
  type DeliveryRange,
  isUuid,
  type Send,
  type SendAnalytics,
  type SendAnalyticsQuery,
  type SendPage,
  type SendQuery,
  type SendSort,
  type SendStatus,
  type TrackedDelivery,
} from "@belfry/core";
import type { ChainSelection } from "@belfry/core/storage";
import { type DeliveryRow, type SendRow, toDelivery } from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { type JsonRow, type Statement, statement, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { isRead } from "../inbox/item-row.ts";
import { RECORDS } from "./rows.ts";

/** Reads one send. */
export function prepareFindSend({ notifications, trackings, sends }: TableNames) {
  const find = statement<JsonRow<SendRow>>(
    "find_send",
    `SELECT to_json(r) FROM (
      SELECT ${RECORDS.send} FROM ${notifications} n JOIN ${trackings} t ON t.notification_pk = n.pk
      LEFT JOIN ${sends} s ON s.notification_pk = n.pk WHERE n.tenant = $1 AND n.id = $2) r`,
  );
  return (tenant: string, id: string) =>
    async (session: Session): Promise<Send | null> => {
      const [row] = isUuid(id) ? await session.rows(find, [tenant, id]) : [];
      return row === undefined ? null : RECORDS.toSend(row[0]);
    };
}

const ORDERS: Readonly<Record<SendSort, string>> = {
  "-created_at": "t.created_at DESC, t.notification_pk DESC",
  created_at: "t.created_at, t.notification_pk",
  status: "t.status, t.created_at DESC, t.notification_pk DESC",
};

type FilterName = "channel" | "roomId" | "status" | "createdAfter" | "createdBefore" | "recipient";

/** The room of the tracking `t`, as SQL. */
function roomOf(sends: string): string {
  return `(SELECT s.room_id FROM ${sends} s WHERE s.notification_pk = t.notification_pk)`;
}

function condition(name: FilterName, parameter: string, { deliveries, sends }: TableNames): string {
  const conditions: Readonly<Record<FilterName, string>> = {
    channel: `t.channel = ${parameter}`,
    roomId: `${roomOf(sends)} = ${parameter}`,
    status: `t.status = ${parameter}`,
    createdAfter: `t.created_at > ${parameter}::timestamptz`,
    createdBefore: `t.created_at < ${parameter}::timestamptz`,
    recipient: `t.notification_pk IN (SELECT d.notification_pk FROM ${deliveries} d WHERE d.tenant = $1 AND d.recipient = ${parameter})`,
  };
  return conditions[name];
}

interface PageStatements {
  readonly count: Statement<readonly [total: number]>;
  readonly page: Statement<JsonRow<SendRow>>;
}

/** Reads a page of sends. A statement is made for each combination of filters and order that is asked for. */
export function prepareListSends(tables: TableNames) {
  const made = new Map<string, PageStatements>();
  const statements = (names: readonly FilterName[], sort: SendSort): PageStatements => {
    const key = `${sort} ${names.join(" ")}`;
    const known = made.get(key) ?? pageStatements(tables, names, sort);
    made.set(key, known);
    return known;
  };
  return (tenant: string, { sort, offset, limit, ...query }: SendQuery) =>
    async (session: Session): Promise<SendPage> => {
      const filters: Readonly<Record<FilterName, string | undefined>> = {
        channel: query.channel,
        roomId: query.roomId,
        status: query.status,
        createdAfter: query.createdAfter?.toISOString(),
        createdBefore: query.createdBefore?.toISOString(),
        recipient: query.recipient,
      };
      const names = (Object.keys(filters) as FilterName[]).filter((name) => filters[name] !== undefined);
      const { count, page } = statements(names, sort);
      const values = [tenant, ...names.map((name) => filters[name])];
      const [rows, [[total] = [0]]] = await Promise.all([session.rows(page, [...values, limit, offset]), session.rows(count, values)]);
      return { sends: rows.map(([row]) => RECORDS.toSend(row)), total };
    };
}

/** $1 the tenant, then a value for each filter, then limit and offset. */
function pageStatements(tables: TableNames, names: readonly FilterName[], sort: SendSort): PageStatements {
  const { trackings, sends, notifications } = tables;
  const where = ["t.tenant = $1", ...names.map((name, index) => condition(name, `$${index + 2}`, tables))].join(" AND ");
  const [limit, offset] = [names.length + 2, names.length + 3];
  return {
    count: statement("count_sends", `SELECT count(*) FROM ${trackings} t WHERE ${where}`),
    // The keys of the page first, the rows after: what an offset skips is passed over by its key alone.
    page: statement(
      "list_sends",
      `WITH k AS MATERIALIZED (SELECT t.notification_pk AS pk FROM ${trackings} t WHERE ${where} ORDER BY ${ORDERS[sort]} LIMIT $${limit} OFFSET $${offset})
      SELECT to_json(r) FROM (
        SELECT ${RECORDS.send} FROM k JOIN ${trackings} t ON t.notification_pk = k.pk JOIN ${notifications} n ON n.pk = k.pk
        LEFT JOIN ${sends} s ON s.notification_pk = k.pk ORDER BY ${ORDERS[sort]}) r`,
    ),
  };
}

/** Reads a page of each send's deliveries, with the newest 100 attempts of each. */
export function prepareDeliveriesOf(tables: TableNames) {
  const { notifications, deliveries } = tables;
  const list = statement<JsonRow<DeliveryRow>>(
    "deliveries_of",
    `SELECT to_json(r) FROM (
      SELECT ${RECORDS.delivery} FROM unnest($2::uuid[]) WITH ORDINALITY AS e(id, place)
      JOIN ${notifications} n ON n.tenant = $1 AND n.id = e.id
      CROSS JOIN LATERAL (SELECT * FROM ${deliveries} WHERE notification_pk = n.pk ORDER BY chain, is_fallback LIMIT $3 OFFSET $4) d
      ORDER BY e.place, d.chain, d.is_fallback) r`,
  );
  const track = prepareTrack(tables);
  return (tenant: string, given: readonly string[], { offset, limit }: DeliveryRange) =>
    async (session: Session): Promise<readonly TrackedDelivery[]> => {
      const rows = await session.rows(list, [tenant, given.filter(isUuid), limit, offset]);
      return track(
        session,
        tenant,
        rows.map(([row]) => row),
      );
    };
}

/** Adds the newest 100 attempts of each delivery of a tenant. */
export function prepareTrack({ deliveries, deliveryAttempts }: TableNames) {
  const attempts = statement<JsonRow<{ readonly deliveryId: string }>>(
    "attempts_of",
    `SELECT to_json(r) FROM (
      SELECT ${RECORDS.attempt}
      FROM ${deliveries} d JOIN ${deliveryAttempts} a ON a.delivery_pk = d.pk AND a.attempt > d.attempt - 100
      WHERE d.tenant = $1 AND d.id = ANY ($2::uuid[]) ORDER BY a.attempt) r`,
  );
  return async (session: Session, tenant: string, rows: readonly DeliveryRow[]): Promise<readonly TrackedDelivery[]> => {
    const tried = rows.flatMap(({ id, attempt }) => (attempt > 0 ? [id] : []));
    const tries = tried.length > 0 ? await session.rows(attempts, [tenant, tried]) : [];
    const byDelivery = Map.groupBy(tries, ([row]) => row.deliveryId);
    return rows.map((row) => ({
      ...toDelivery(row),
      attempts: (byDelivery.get(row.id) ?? []).map(([attempt]) => RECORDS.toAttempt(attempt)),
    }));
  };
}

/** Counts the deliveries of a send. */
export function prepareCountDeliveries({ notifications, deliveries }: TableNames) {
  const count = statement<readonly [total: number]>(
    "count_deliveries",
    `SELECT count(*) FROM ${notifications} n JOIN ${deliveries} d ON d.notification_pk = n.pk WHERE n.tenant = $1 AND n.id = $2`,
  );
  return (tenant: string, id: string) =>
    async (session: Session): Promise<number> => {
      const [[total] = [0]] = isUuid(id) ? await session.rows(count, [tenant, id]) : [];
      return total;
    };
}

/** Counts sends, by status and channel at once. */
export function prepareCountSends({ sends, trackings }: TableNames) {
  const count = statement<[status: SendStatus, channel: string, sends: number, fallbacks: number]>(
    "send_analytics",
    `SELECT status, channel, count(*), count(*) FILTER (WHERE fallback_used) FROM ${trackings} t
    WHERE tenant = $1 AND ($2::timestamptz IS NULL OR created_at >= $2) AND ($3::timestamptz IS NULL OR created_at < $3)
      AND ($4::text IS NULL OR channel = $4) AND ($5::text IS NULL OR ${roomOf(sends)} = $5) GROUP BY status, channel`,
  );
  return (tenant: string, { from, before, channel, roomId }: SendAnalyticsQuery) =>
    async (session: Session): Promise<SendAnalytics> => {
      const values = [tenant, from?.toISOString() ?? null, before?.toISOString() ?? null, channel ?? null, roomId ?? null];
      const byStatus: Record<SendStatus, number> = { pending: 0, sent: 0, delivered: 0, failed: 0, partial: 0, cancelled: 0 };
      const byChannel = new Map<string, number>();
      let total = 0;
      let fallbackUsed = 0;
      for (const [status, of, number, fallbacks] of await session.rows(count, values)) {
        total += number;
        fallbackUsed += fallbacks;
        byStatus[status] += number;
        byChannel.set(of, (byChannel.get(of) ?? 0) + number);
      }
      return { total, byStatus, byChannel: Object.fromEntries(byChannel), fallbackUsed };
    };
}

/** Names a chain: its notification, and its number there. */
export type ChainKey = readonly [pk: number, chain: number];

/** Whether the recipient of delivery `d` has read its inbox item, as SQL. */
export function isItemRead({ inboxItems, inboxCounters }: TableNames): string {
  return `(d.channel = 'inbox' AND EXISTS (
    SELECT FROM ${inboxItems} i JOIN ${inboxCounters} c ON c.tenant = i.tenant AND c.user_id = i.user_id
    WHERE i.notification_pk = d.notification_pk AND i.user_id = d.recipient AND ${isRead("c")}))`;
}

/** Finds the chains that a selection is about, without a lock. */
export function prepareSelectChains(tables: TableNames) {
  const { deliveries, notifications } = tables;
  const open = "d.channel = 'inbox' AND d.status IN ('pending', 'sent', 'failed')";
  const select = (operation: string, rest: string) =>
    statement<ChainKey>(operation, `SELECT DISTINCT d.notification_pk, d.chain FROM ${rest}`);
  const due = (operation: string, where: string, time: string) =>
    statement<ChainKey>(operation, `SELECT d.notification_pk, d.chain FROM ${deliveries} d WHERE ${where} ORDER BY ${time} LIMIT $2`);
  const ofSend = select(
    "chains_of_send",
    `${notifications} n JOIN ${deliveries} d ON d.notification_pk = n.pk WHERE n.tenant = $1 AND n.id = $2`,
  );
  const ofDeliveries = select("chains_of_deliveries", `${deliveries} d WHERE d.id = ANY ($1::uuid[])`);
  const ofItems = select(
    "chains_of_items",
    `${notifications} n JOIN ${deliveries} d ON d.tenant = n.tenant AND d.recipient = $2 AND d.notification_pk = n.pk
    WHERE n.tenant = $1 AND n.id = ANY ($3::uuid[]) AND ${open}`,
  );
  const ofRead = select("chains_of_read", `${deliveries} d WHERE d.tenant = $1 AND d.recipient = $2 AND ${open} AND ${isItemRead(tables)}`);
  const ofWaiting = due("waiting_chains", `d.status = 'waiting' AND d.due_at <= ${timeOf("$1")}`, "d.due_at");
  return async (session: Session, selection: ChainSelection, at: string | null): Promise<readonly ChainKey[]> => {
    switch (selection.kind) {
      case "send":
        return isUuid(selection.id) ? session.rows(ofSend, [selection.tenant, selection.id]) : [];
      case "deliveries":
        return session.rows(ofDeliveries, [selection.ids.filter(isUuid)]);
      case "inbox": {
        const { owner, ids } = selection;
        const values = [owner.tenant, owner.userId];
        return ids === null ? session.rows(ofRead, values) : session.rows(ofItems, [...values, ids.filter(isUuid)]);
      }
      case "waiting":
        return session.rows(ofWaiting, [at, selection.limit]);
    }
  };
}
