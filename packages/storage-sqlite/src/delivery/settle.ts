import type { Delivery, DeliveryAttempt } from "@belfry/core";
import type { ChainSelection, Decide, DigestChange, LoadedSend, SettleChanges } from "@belfry/core/storage";
import { loadedOf, NAMED, PLANNED, progressOf, reopened, suppressingTexts, suppressingValues, type TrackingRow } from "@belfry/storage-sql";
import { DIALECT, TABLES } from "../database/sql.ts";
import type { QueryContext } from "../database/statement.ts";
import { prepareAddToSums } from "./attempt-sums.ts";
import { prepareWriteAudit } from "./change-send.ts";
import { type ChainKey, IS_ITEM_READ, prepareHoldsDigest, prepareSelectChains } from "./read-sends.ts";
import { DELIVERY_COLUMNS, type KeyedDeliveryRow, RECORDS } from "./rows.ts";

/** Loads chains, calls `decide` on them, and writes its decisions. */
export function prepareSettle(context: QueryContext) {
  const select = prepareSelectChains(context);
  const holds = prepareHoldsDigest(context);
  const load = prepareLoad(context);
  const save = prepareSave(context);
  return (selection: ChainSelection, at: Date, decide: Decide): void => {
    const loaded = load(select(selection, at));
    if (loaded.length > 0 || holds(selection)) {
      save(loaded, decide(loaded, at), at);
    }
  };
}

/** Loads chains with the trackings of their notifications. */
export function prepareLoad({ prepare }: QueryContext) {
  const chainsOf = prepare<{ readonly keys: readonly (readonly number[])[] }, KeyedDeliveryRow & { readonly isRead: number }>(`
    SELECT ${DELIVERY_COLUMNS}, ${IS_ITEM_READ} AS "isRead"
    FROM (SELECT DISTINCT value ->> 0 AS pk, value ->> 1 AS chain FROM json_each(:keys)) k
    CROSS JOIN belfry_deliveries d ON d.notification_pk = k.pk AND d.chain = k.chain CROSS JOIN belfry_notifications n ON n.pk = d.notification_pk
    ORDER BY d.notification_pk, d.chain, d.is_fallback, d.pk`);
  const trackings = prepare<{ readonly pks: readonly number[] }, TrackingRow & { readonly id: string }>(`
    SELECT n.id, ${RECORDS.tracking} FROM json_each(:pks) k
    CROSS JOIN belfry_trackings t ON t.notification_pk = k.value CROSS JOIN belfry_notifications n ON n.pk = k.value`);
  return (keys: readonly ChainKey[]): readonly LoadedSend[] => {
    const rows = chainsOf.all({ keys: keys.map(({ pk, chain }) => [pk, chain]) });
    const byNotification = Map.groupBy(rows, ({ notificationPk }) => notificationPk);
    return trackings.all({ pks: [...byNotification.keys()] }).map((row) => loadedOf(row, byNotification.get(row.notificationPk) ?? []));
  };
}

/** Writes the changes to loaded chains. */
export function prepareSave(context: QueryContext) {
  const { delivery, attempt, tracking } = RECORDS.fields;
  const named = (key: string) => `:${key}`;
  const saveDelivery = context.prepare<Delivery>(`
    UPDATE belfry_deliveries SET ${delivery.assignments(named, NAMED)} WHERE id = :id AND tenant = :tenant`);
  const saveAttempt = context.prepareRows<DeliveryAttempt, [pk: number]>(`
    INSERT INTO belfry_delivery_attempts (delivery_pk, ${attempt.names})
    SELECT pk, ${attempt.members(named)} FROM belfry_deliveries WHERE id = :deliveryId RETURNING delivery_pk`);
  const saveState = context.prepare<ReturnType<typeof progressOf>>(`
    UPDATE belfry_trackings SET ${tracking.assignments(named, PLANNED)}
    WHERE notification_pk = (SELECT pk FROM belfry_notifications WHERE tenant = :tenant AND id = :id)`);
  const writeAudit = prepareWriteAudit(context);
  const saveDigests = prepareSaveDigests(context);
  const suppress = prepareSuppress(context);
  const addToSums = prepareAddToSums(context);
  return (loaded: readonly LoadedSend[], changes: SettleChanges, at: Date): void => {
    for (const one of changes.deliveries) {
      saveDelivery.run(one);
    }
    const pks = new Map(changes.attempts.map((one) => [one, saveAttempt.get(one)?.[0]]));
    addToSums(changes.attempts, (one) => pks.get(one));
    for (const state of changes.sends) {
      saveState.run(progressOf(state, at));
    }
    saveDigests(changes.digests ?? []);
    suppress(changes.suppressions ?? [], at);
    for (const entry of changes.audit) {
      const of = loaded.find(({ state }) => state.id === entry.notificationId);
      writeAudit(of?.state.tenant ?? "", entry, at);
    }
  };
}

/** Writes what becomes of addresses. */
function prepareSuppress({ prepare }: QueryContext) {
  const statements = suppressingTexts(DIALECT, TABLES).map((text) => prepare<readonly unknown[]>(text));
  return (changes: NonNullable<SettleChanges["suppressions"]>, at: Date): void => {
    if (changes.length > 0) {
      const values = suppressingValues(DIALECT, changes, at);
      for (const statement of statements) {
        statement.all(values);
      }
    }
  };
}

/** Writes digests as they are to be, and ends their leases. */
function prepareSaveDigests(context: QueryContext) {
  const saveDigest = context.prepare<Omit<DigestChange, "places">>(`
    UPDATE belfry_digests AS g SET state = ${reopened(":state", { digests: "belfry_digests", of: "g" })}, closes_at = :closesAt, rendered_at = :renderedAt, closed_at = :closedAt, shown = :shown, total = :total,
      due_at = :dueAt, lease_owner = NULL, lease_until = NULL
    WHERE id = :id`);
  // One by one: SQLite would read all entries there are to update those of a list.
  const savePlace = context.prepare<{ readonly place: number; readonly id: string }>(
    "UPDATE belfry_digest_entries SET place = :place WHERE delivery_pk = (SELECT pk FROM belfry_deliveries WHERE id = :id)",
  );
  return (changes: readonly DigestChange[]): void => {
    for (const { places, ...digest } of changes) {
      saveDigest.run(digest);
      for (const [index, id] of (places ?? []).entries()) {
        savePlace.run({ place: index + 1, id });
      }
    }
  };
}
