import type { DeliveryRange, TrackedDelivery } from "@belfry/core";
import type { ChainSelection, Decide } from "@belfry/core/storage";
import { toDelivery } from "@belfry/storage-sql";
import type { QueryContext } from "../database/statement.ts";
import { IS_READ_BESIDE_COUNTERS, JOIN_COUNTERS } from "../inbox/conditions.ts";
import { DELIVERY_COLUMNS, type KeyedDeliveryRow, RECORDS } from "./rows.ts";

/** Reads a page of each send's deliveries, with the newest 100 attempts of each. */
export function prepareDeliveriesOf(context: QueryContext) {
  const deliveries = context.prepare<DeliveryRange & { readonly tenant: string; readonly id: string }, KeyedDeliveryRow>(`
    SELECT ${DELIVERY_COLUMNS} FROM belfry_notifications n CROSS JOIN belfry_deliveries d ON d.notification_pk = n.pk
    WHERE n.tenant = (SELECT :tenant) AND n.id = (SELECT :id) ORDER BY d.chain, d.is_fallback
    LIMIT :limit OFFSET :offset`);
  const track = prepareTrack(context);
  return (tenant: string, ids: readonly string[], { offset, limit }: DeliveryRange): readonly TrackedDelivery[] =>
    ids.flatMap((id) => track(deliveries.all({ tenant, id: id.toLowerCase(), offset, limit })));
}

/** Adds the newest 100 attempts of each delivery. */
export function prepareTrack({ prepare }: QueryContext) {
  const attempts = prepare<{ readonly pks: readonly number[] }, { readonly deliveryId: string }>(`
    SELECT ${RECORDS.attempt} FROM json_each(:pks) k CROSS JOIN belfry_deliveries d ON d.pk = k.value
    CROSS JOIN belfry_delivery_attempts a ON a.delivery_pk = d.pk AND a.attempt > d.attempt - 100 ORDER BY a.attempt`);
  return (rows: readonly KeyedDeliveryRow[]): readonly TrackedDelivery[] => {
    const tried = rows.filter(({ attempt }) => attempt > 0).map(({ pk }) => pk);
    const byDelivery = Map.groupBy(attempts.all({ pks: tried }), ({ deliveryId }) => deliveryId);
    return rows.map((row) => ({ ...toDelivery(row), attempts: (byDelivery.get(row.id) ?? []).map(RECORDS.toAttempt) }));
  };
}

/** Names a chain: its notification, and its number there. */
export interface ChainKey {
  readonly pk: number;
  readonly chain: number;
}

/** Whether the recipient of delivery `d` has read its inbox item. */
export const IS_ITEM_READ = `(d.channel = 'inbox' AND EXISTS (
  SELECT 1 FROM belfry_inbox_items i ${JOIN_COUNTERS}
  WHERE i.notification_pk = d.notification_pk AND i.user_id = d.recipient AND ${IS_READ_BESIDE_COUNTERS}))`;

const KEY = "d.notification_pk AS pk, d.chain";
const OPEN = "d.channel = 'inbox' AND d.status IN ('pending', 'sent', 'failed')";

/** Whether a selection is about any chain, or about a digest that its owner holds. */
export function prepareHasChains(context: QueryContext) {
  const select = prepareSelectChains(context);
  const holds = prepareHoldsDigest(context);
  return (selection: ChainSelection, at: Date, _: Decide): boolean => holds(selection) || select(selection, at).length > 0;
}

/** Whether a selection is about a digest that its owner holds. */
export function prepareHoldsDigest({ prepare }: QueryContext) {
  const find = prepare<Omit<Extract<ChainSelection, { kind: "digest" }>, "kind">, { readonly pk: number }>(
    "SELECT pk FROM belfry_digests WHERE id = :id AND lease_owner = :owner AND fence = :fence",
  );
  return (selection: ChainSelection): boolean => selection.kind === "digest" && find.get(selection) !== undefined;
}

/** Finds the chains that a selection is about, each once. */
export function prepareSelectChains({ prepare }: QueryContext) {
  const ofSend = prepare<{ readonly tenant: string; readonly id: string; readonly after: number; readonly limit: number }, ChainKey>(`
    SELECT DISTINCT ${KEY} FROM belfry_notifications n CROSS JOIN belfry_deliveries d ON d.notification_pk = n.pk
    WHERE n.tenant = (SELECT :tenant) AND n.id = (SELECT :id) AND d.chain > :after ORDER BY d.chain LIMIT :limit`);
  const ofDeliveries = prepare<{ readonly ids: readonly string[] }, ChainKey>(`
    SELECT DISTINCT ${KEY} FROM json_each(:ids) e CROSS JOIN belfry_deliveries d ON d.id = e.value`);
  const ofItems = prepare<{ readonly tenant: string; readonly userId: string; readonly ids: readonly string[] }, ChainKey>(`
    SELECT DISTINCT ${KEY} FROM json_each(:ids) e
    CROSS JOIN belfry_notifications n ON n.tenant = (SELECT :tenant) AND n.id = e.value
    CROSS JOIN belfry_deliveries d ON d.tenant = n.tenant AND d.recipient = (SELECT :userId) AND d.notification_pk = n.pk
    WHERE ${OPEN}`);
  const ofRead = prepare<{ readonly tenant: string; readonly userId: string }, ChainKey>(`
    SELECT DISTINCT ${KEY} FROM belfry_deliveries d
    WHERE d.tenant = (SELECT :tenant) AND d.recipient = (SELECT :userId) AND ${OPEN} AND ${IS_ITEM_READ}`);
  const ofDigest = prepare<Omit<Extract<ChainSelection, { kind: "digest" }>, "kind">, ChainKey>(`
    SELECT DISTINCT ${KEY} FROM belfry_digests g CROSS JOIN belfry_digest_entries x ON x.digest_pk = g.pk
    CROSS JOIN belfry_deliveries d ON d.pk = x.delivery_pk WHERE g.id = :id AND g.lease_owner = :owner AND g.fence = :fence`);
  const ofWaiting = prepare<{ readonly at: Date; readonly limit: number }, ChainKey>(`
    SELECT ${KEY} FROM belfry_deliveries d WHERE d.status = 'waiting' AND d.due_at <= :at ORDER BY d.due_at
    LIMIT :limit`);
  return (selection: ChainSelection, at: Date): readonly ChainKey[] => {
    switch (selection.kind) {
      case "send": {
        const { tenant, id, some = { after: -1, limit: -1 } } = selection;
        return ofSend.all({ tenant, id: id.toLowerCase(), ...some });
      }
      case "deliveries":
        return ofDeliveries.all({ ids: selection.ids });
      case "inbox": {
        const { owner, ids } = selection;
        return ids === null ? ofRead.all(owner) : ofItems.all({ ...owner, ids: ids.map((id) => id.toLowerCase()) });
      }
      case "digest":
        return ofDigest.all(selection);
      case "waiting":
        return ofWaiting.all({ at, limit: selection.limit });
    }
  };
}
