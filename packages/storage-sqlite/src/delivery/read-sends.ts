import type {
  DeliveryRange,
  Send,
  SendAnalytics,
  SendAnalyticsQuery,
  SendPage,
  SendQuery,
  SendSort,
  SendStatus,
  TrackedDelivery,
} from "@belfry/core";
import type { ChainSelection } from "@belfry/core/storage";
import { type SendRow, toDelivery } from "@belfry/storage-sql";
import { type SQL, sql } from "drizzle-orm";
import type { QueryContext, Statement } from "../database/statement.ts";
import { DELIVERY_COLUMNS, type KeyedDeliveryRow, RECORDS } from "./rows.ts";

const SEND_COLUMNS = sql.raw(RECORDS.send);

/** Reads one send. */
export function prepareFindSend({ prepare }: QueryContext) {
  const find = prepare<{ readonly tenant: string; readonly id: string }, SendRow>(sql`
    select ${SEND_COLUMNS} from belfry_notifications n cross join belfry_trackings t on t.notification_pk = n.pk
    left join belfry_sends s on s.notification_pk = n.pk where n.tenant = (select ${sql.placeholder("tenant")}) and n.id = (select ${sql.placeholder("id")})`);
  return (tenant: string, id: string): Send | null => {
    const row = find.get({ tenant, id: id.toLowerCase() });
    return row === undefined ? null : RECORDS.toSend(row);
  };
}

const OF_ROOM = sql`(select s.room_id from belfry_sends s where s.notification_pk = t.notification_pk) = ${sql.placeholder("roomId")}`;

const ORDERS: Readonly<Record<SendSort, SQL>> = {
  "-created_at": sql`t.created_at desc, t.notification_pk desc`,
  created_at: sql`t.created_at, t.notification_pk`,
  status: sql`t.status, t.created_at desc, t.notification_pk desc`,
};

type Filters = Pick<SendQuery, "channel" | "roomId" | "status" | "recipient"> & {
  readonly tenant: string;
  readonly createdAfter: number | undefined;
  readonly createdBefore: number | undefined;
};

const CONDITIONS: Readonly<Record<keyof Filters, SQL>> = {
  tenant: sql`t.tenant = ${sql.placeholder("tenant")}`,
  channel: sql`t.channel = ${sql.placeholder("channel")}`,
  roomId: OF_ROOM,
  status: sql`t.status = ${sql.placeholder("status")}`,
  createdAfter: sql`t.created_at > ${sql.placeholder("createdAfter")}`,
  createdBefore: sql`t.created_at < ${sql.placeholder("createdBefore")}`,
  recipient: sql`t.notification_pk in (select d.notification_pk from belfry_deliveries d
    where d.tenant = ${sql.placeholder("tenant")} and d.recipient = ${sql.placeholder("recipient")})`,
};

interface PageStatements {
  readonly count: Statement<Filters, { readonly total: number }>;
  readonly page: Statement<Filters & { readonly offset: number; readonly limit: number }, SendRow>;
}

/** Reads a page of sends. A statement is prepared for each combination of filters and order that is asked for. */
export function prepareListSends({ prepare }: QueryContext) {
  const prepared = new Map<string, PageStatements>();
  const statements = (names: readonly (keyof Filters)[], sort: SendSort): PageStatements => {
    const key = `${sort} ${names.join(" ")}`;
    const known = prepared.get(key);
    if (known) {
      return known;
    }
    const where = sql.join(
      names.map((name) => CONDITIONS[name]),
      sql` and `,
    );
    const made: PageStatements = {
      count: prepare(sql`select count(*) as total from belfry_trackings t where ${where}`),
      // The keys of the page first, the rows after: what an offset skips is passed over by its key alone.
      page: prepare(sql`
        select ${SEND_COLUMNS} from (
          select t.notification_pk as pk from belfry_trackings t where ${where} order by ${ORDERS[sort]}
          limit ${sql.placeholder("limit")} offset ${sql.placeholder("offset")}) k
        cross join belfry_trackings t on t.notification_pk = k.pk cross join belfry_notifications n on n.pk = k.pk
        left join belfry_sends s on s.notification_pk = k.pk order by ${ORDERS[sort]}`),
    };
    prepared.set(key, made);
    return made;
  };
  return (tenant: string, { sort, offset, limit, createdAfter, createdBefore, ...query }: SendQuery): SendPage => {
    const filters: Filters = { ...query, tenant, createdAfter: createdAfter?.getTime(), createdBefore: createdBefore?.getTime() };
    const names = (Object.keys(CONDITIONS) as (keyof Filters)[]).filter((name) => filters[name] !== undefined);
    const { count, page } = statements(names, sort);
    return { sends: page.all({ ...filters, offset, limit }).map(RECORDS.toSend), total: count.get(filters)?.total ?? 0 };
  };
}

/** Reads a page of each send's deliveries, with the newest 100 attempts of each. */
export function prepareDeliveriesOf(context: QueryContext) {
  const values = { tenant: sql.placeholder("tenant"), id: sql.placeholder("id") };
  const deliveries = context.prepare<DeliveryRange & { readonly tenant: string; readonly id: string }, KeyedDeliveryRow>(sql`
    select ${DELIVERY_COLUMNS} from belfry_notifications n cross join belfry_deliveries d on d.notification_pk = n.pk
    where n.tenant = (select ${values.tenant}) and n.id = (select ${values.id}) order by d.chain, d.is_fallback
    limit ${sql.placeholder("limit")} offset ${sql.placeholder("offset")}`);
  const track = prepareTrack(context);
  return (tenant: string, ids: readonly string[], { offset, limit }: DeliveryRange): readonly TrackedDelivery[] =>
    ids.flatMap((id) => track(deliveries.all({ tenant, id: id.toLowerCase(), offset, limit })));
}

/** Adds the newest 100 attempts of each delivery. */
export function prepareTrack({ prepare }: QueryContext) {
  const attempts = prepare<{ readonly pks: string }, { readonly deliveryId: string }>(`
    SELECT ${RECORDS.attempt} FROM json_each(:pks) k CROSS JOIN belfry_deliveries d ON d.pk = k.value
    CROSS JOIN belfry_delivery_attempts a ON a.delivery_pk = d.pk AND a.attempt > d.attempt - 100 ORDER BY a.attempt`);
  return (rows: readonly KeyedDeliveryRow[]): readonly TrackedDelivery[] => {
    const tried = rows.filter(({ attempt }) => attempt > 0).map(({ pk }) => pk);
    const byDelivery = Map.groupBy(attempts.all({ pks: JSON.stringify(tried) }), ({ deliveryId }) => deliveryId);
    return rows.map((row) => ({ ...toDelivery(row), attempts: (byDelivery.get(row.id) ?? []).map(RECORDS.toAttempt) }));
  };
}

/** Counts the deliveries of a send. */
export function prepareCountDeliveries({ prepare }: QueryContext) {
  const count = prepare<{ readonly tenant: string; readonly id: string }, { readonly total: number }>(sql`
    select count(*) as total from belfry_notifications n cross join belfry_deliveries d on d.notification_pk = n.pk
    where n.tenant = (select ${sql.placeholder("tenant")}) and n.id = (select ${sql.placeholder("id")})`);
  return (tenant: string, id: string): number => count.get({ tenant, id: id.toLowerCase() })?.total ?? 0;
}

/** Counts sends, by status and channel at once. */
export function prepareCountSends({ prepare }: QueryContext) {
  interface CountValues {
    readonly tenant: string;
    readonly from: number;
    readonly before: number;
    readonly channel: string | null;
    readonly roomId: string | null;
  }
  interface CountRow {
    readonly status: SendStatus;
    readonly channel: string;
    readonly sends: number;
    readonly fallbacks: number;
  }
  const count = prepare<CountValues, CountRow>(sql`
    select status, channel, count(*) as sends, sum(fallback_used) as fallbacks from belfry_trackings t
    where tenant = ${sql.placeholder("tenant")} and created_at >= ${sql.placeholder("from")} and created_at < ${sql.placeholder("before")}
      and (${sql.placeholder("channel")} is null or channel = ${sql.placeholder("channel")})
      and (${sql.placeholder("roomId")} is null or ${OF_ROOM})
    group by status, channel`);
  return (tenant: string, { from, before, channel, roomId }: SendAnalyticsQuery): SendAnalytics => {
    const range = { from: from?.getTime() ?? 0, before: before?.getTime() ?? Number.MAX_SAFE_INTEGER };
    const values = { tenant, channel: channel ?? null, roomId: roomId ?? null, ...range };
    const byStatus: Record<SendStatus, number> = { pending: 0, sent: 0, delivered: 0, failed: 0, partial: 0, cancelled: 0 };
    const byChannel = new Map<string, number>();
    let total = 0;
    let fallbackUsed = 0;
    for (const row of count.all(values)) {
      total += row.sends;
      fallbackUsed += row.fallbacks;
      byStatus[row.status] += row.sends;
      byChannel.set(row.channel, (byChannel.get(row.channel) ?? 0) + row.sends);
    }
    return { total, byStatus, byChannel: Object.fromEntries(byChannel), fallbackUsed };
  };
}

/** Names a chain: its notification, and its number there. */
export interface ChainKey {
  readonly pk: number;
  readonly chain: number;
}

/** Whether the recipient of delivery `d` has read its inbox item. */
export const IS_ITEM_READ = sql`(d.channel = 'inbox' and exists (
  select 1 from belfry_inbox_items i
  cross join belfry_inbox_counters c on c.tenant = i.tenant and c.user_id = i.user_id
  where i.notification_pk = d.notification_pk and i.user_id = d.recipient and (
    i.read_at is not null or (i.seq <= c.read_up_to_seq and (i.unread_rev is null or i.unread_rev <= c.read_rev)))))`;

const KEY = sql`d.notification_pk as pk, d.chain`;
const OPEN = sql`d.channel = 'inbox' and d.status in ('pending', 'sent', 'failed')`;

/** Finds the chains that a selection is about, each once. */
export function prepareSelectChains({ prepare }: QueryContext) {
  const ofSend = prepare<{ readonly tenant: string; readonly id: string }, ChainKey>(sql`
    select distinct ${KEY} from belfry_notifications n cross join belfry_deliveries d on d.notification_pk = n.pk
    where n.tenant = (select ${sql.placeholder("tenant")}) and n.id = (select ${sql.placeholder("id")}) order by d.chain`);
  const ofDeliveries = prepare<{ readonly ids: string }, ChainKey>(sql`
    select distinct ${KEY} from json_each(${sql.placeholder("ids")}) e cross join belfry_deliveries d on d.id = e.value`);
  const ofItems = prepare<{ readonly tenant: string; readonly userId: string; readonly ids: string }, ChainKey>(sql`
    select distinct ${KEY} from json_each(${sql.placeholder("ids")}) e
    cross join belfry_notifications n on n.tenant = (select ${sql.placeholder("tenant")}) and n.id = e.value
    cross join belfry_deliveries d on d.tenant = n.tenant and d.recipient = (select ${sql.placeholder("userId")}) and d.notification_pk = n.pk
    where ${OPEN}`);
  const ofRead = prepare<{ readonly tenant: string; readonly userId: string }, ChainKey>(sql`
    select distinct ${KEY} from belfry_deliveries d
    where d.tenant = (select ${sql.placeholder("tenant")}) and d.recipient = (select ${sql.placeholder("userId")}) and ${OPEN} and ${IS_ITEM_READ}`);
  const ofWaiting = prepare<{ readonly at: number; readonly limit: number }, ChainKey>(sql`
    select ${KEY} from belfry_deliveries d where d.status = 'waiting' and d.due_at <= ${sql.placeholder("at")} order by d.due_at
    limit ${sql.placeholder("limit")}`);
  return (selection: ChainSelection, at: Date): readonly ChainKey[] => {
    switch (selection.kind) {
      case "send":
        return ofSend.all({ tenant: selection.tenant, id: selection.id.toLowerCase() });
      case "deliveries":
        return ofDeliveries.all({ ids: JSON.stringify(selection.ids) });
      case "inbox": {
        const { owner, ids } = selection;
        return ids === null ? ofRead.all(owner) : ofItems.all({ ...owner, ids: JSON.stringify(ids.map((id) => id.toLowerCase())) });
      }
      case "waiting":
        return ofWaiting.all({ at: at.getTime(), limit: selection.limit });
    }
  };
}
