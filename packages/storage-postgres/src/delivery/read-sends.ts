import { type DeliveryRange, isUuid, type TrackedDelivery } from "@belfry/core";
import type { ChainSelection } from "@belfry/core/storage";
import { type DeliveryRow, toDelivery } from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { namesOfMoving } from "../database/moving-tenants.ts";
import { type JsonRow, statement, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { isRead } from "../inbox/item-row.ts";
import { RECORDS } from "./rows.ts";

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

/** Names a chain: its notification, and its number there. */
export type ChainKey = readonly [pk: number, chain: number];

/** Whether the recipient of delivery `d` has read its inbox item, as SQL. It looks at that item alone, not at all of them at once. */
export function isItemRead({ inboxItems, inboxCounters }: TableNames): string {
  return `(d.channel = 'inbox' AND EXISTS (
    SELECT FROM ${inboxItems} i JOIN ${inboxCounters} c ON c.tenant = i.tenant AND c.user_id = i.user_id
    WHERE i.notification_pk = d.notification_pk AND i.user_id = d.recipient AND ${isRead("c")} OFFSET 0))`;
}

/** Finds the chains that a selection is about, without a lock. */
export function prepareSelectChains(tables: TableNames) {
  const { deliveries, digestEntries, digests, notifications } = tables;
  const open = "d.channel = 'inbox' AND d.status IN ('pending', 'sent', 'failed')";
  const select = (operation: string, rest: string) =>
    statement<ChainKey>(operation, `SELECT DISTINCT d.notification_pk, d.chain FROM ${rest}`);
  const due = (operation: string, where: string, time: string) =>
    statement<ChainKey>(operation, `SELECT d.notification_pk, d.chain FROM ${deliveries} d WHERE ${where} ORDER BY ${time} LIMIT $2`);
  const ofSend = select(
    "chains_of_send",
    `${notifications} n JOIN ${deliveries} d ON d.notification_pk = n.pk
    WHERE n.tenant = $1 AND n.id = $2 AND d.chain > $3 ORDER BY d.notification_pk, d.chain LIMIT $4`,
  );
  const ofDeliveries = select("chains_of_deliveries", `${deliveries} d WHERE d.id = ANY ($1::uuid[])`);
  const ofItems = select(
    "chains_of_items",
    `${notifications} n JOIN ${deliveries} d ON d.tenant = n.tenant AND d.recipient = $2 AND d.notification_pk = n.pk
    WHERE n.tenant = $1 AND n.id = ANY ($3::uuid[]) AND ${open}`,
  );
  const ofRead = select("chains_of_read", `${deliveries} d WHERE d.tenant = $1 AND d.recipient = $2 AND ${open} AND ${isItemRead(tables)}`);
  const ofDigest = select(
    "chains_of_digest",
    `${digests} g JOIN ${digestEntries} x ON x.digest_pk = g.pk JOIN ${deliveries} d ON d.pk = x.delivery_pk
    WHERE g.id = $1 AND g.lease_owner = $2 AND g.fence = $3`,
  );
  // One row of a tenant that moves would be refused, and with it the batch.
  const isStaying = `d.tenant <> ALL (ARRAY(${namesOfMoving(deliveries)}))`;
  const ofWaiting = due("waiting_chains", `d.status = 'waiting' AND d.due_at <= ${timeOf("$1")} AND ${isStaying}`, "d.due_at");
  return async (session: Session, selection: ChainSelection, at: string | null): Promise<readonly ChainKey[]> => {
    switch (selection.kind) {
      case "send": {
        const { tenant, id, some } = selection;
        return isUuid(id) ? session.rows(ofSend, [tenant, id, some?.after ?? -1, some?.limit ?? null]) : [];
      }
      case "deliveries":
        return session.rows(ofDeliveries, [selection.ids.filter(isUuid)]);
      case "inbox": {
        const { owner, ids } = selection;
        const values = [owner.tenant, owner.userId];
        return ids === null ? session.rows(ofRead, values) : session.rows(ofItems, [...values, ids.filter(isUuid)]);
      }
      case "digest":
        return session.rows(ofDigest, [selection.id, selection.owner, selection.fence]);
      case "waiting":
        return session.rows(ofWaiting, [at, selection.limit]);
    }
  };
}
