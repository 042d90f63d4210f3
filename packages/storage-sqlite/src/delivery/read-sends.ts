import type { DeliveryRange, TrackedDelivery } from "@belfry/core";
import type { ChainSelection } from "@belfry/core/storage";
import { toDelivery } from "@belfry/storage-sql";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";
import { DELIVERY_COLUMNS, type KeyedDeliveryRow, RECORDS } from "./rows.ts";

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
