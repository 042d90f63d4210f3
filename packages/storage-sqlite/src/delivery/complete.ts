import type { Delivery, DeliveryAttempt } from "@belfry/core";
import type { ClaimedDelivery, Completed, Completion, DeliveryKeys, SendState } from "@belfry/core/storage";
import { claimedKeys } from "@belfry/storage-sql";
import { type QueryContext, setsOf, stored } from "../database/statement.ts";
import { type CountedPlace, prepareAddToSums } from "./attempt-sums.ts";
import { IS_ITEM_READ } from "./read-sends.ts";

/** What an end writes, as columns and as their values: by their places, since to look each up by its name costs several times as much. */
const DELIVERY = `status = ?, reason = ?, reason_source = ?, attempt = ?, attempts_before = ?, due_at = ?, lease_owner = ?, lease_until = ?,
  settled_at = ?, fence = ?`;
const valuesOfDelivery = (one: Delivery) =>
  [
    one.status,
    one.reason,
    one.reasonSource,
    one.attempt,
    one.attemptsBefore,
    timeOf(one.dueAt),
    one.leaseOwner,
    timeOf(one.leaseUntil),
    timeOf(one.settledAt),
    one.fence,
  ] as const;
const FENCE = 9;

const ATTEMPT = "attempt, status, started_at, finished_at, provider, response, message_id, error, note, is_transient, exchange";
const valuesOfAttempt = (one: DeliveryAttempt) =>
  [
    one.attempt,
    one.status,
    timeOf(one.startedAt),
    timeOf(one.finishedAt),
    one.provider,
    one.response,
    one.messageId,
    one.error,
    one.note,
    one.isTransient ? 1 : 0,
    stored(one.exchange),
  ] as const;

const STATE = `status = ?, pending_chains = ?, sent_chains = ?, delivered_chains = ?, failed_chains = ?, cancelled_chains = ?, skipped_chains = ?,
  attempts = ?, fallback_used = ?, delivered_at = ?, failed_at = ?, updated_at = ?`;
const valuesOfState = ({ status, chains, attempts, fallbackUsed, deliveredAt, failedAt }: SendState, at: Date) =>
  [
    status,
    chains.pending,
    chains.sent,
    chains.delivered,
    chains.failed,
    chains.cancelled,
    chains.skipped,
    attempts,
    fallbackUsed ? 1 : 0,
    timeOf(deliveredAt),
    timeOf(failedAt),
    at.getTime(),
  ] as const;

function timeOf(time: Date | null): number | null {
  return time === null ? null : time.getTime();
}

type Values<Of extends (...args: never) => readonly unknown[]> = [...ReturnType<Of>];
type KeyRow = readonly [id: string, pk: number, notificationPk: number];

const NONE_CLAIMED: readonly ClaimedDelivery[] = [];

/** Writes the results of claimed deliveries whose leases still hold, by sets: most of a batch ended alike. */
export function prepareComplete(context: QueryContext) {
  const { prepareBare } = context;
  const saveDeliveries = prepareBare<[...Values<typeof valuesOfDelivery>, ids: string, owner: string, fence: number], [id: string]>(`
    UPDATE belfry_deliveries AS d SET ${DELIVERY} WHERE d.id IN (SELECT value FROM json_each(?))
      AND d.lease_owner = ? AND d.fence = ? AND NOT ${IS_ITEM_READ} RETURNING id`);
  const saveAttempts = prepareBare<[...Values<typeof valuesOfAttempt>, pks: string]>(`
    INSERT INTO belfry_delivery_attempts (${ATTEMPT}, delivery_pk) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, value FROM json_each(?)`);
  const saveStates = prepareBare<[...Values<typeof valuesOfState>, pks: string]>(`
    UPDATE belfry_trackings SET ${STATE} WHERE notification_pk IN (SELECT value FROM json_each(?))`);
  const findKeys = prepareFindKeys(context);
  const addToSums = prepareAddToSums(context);
  return (owner: string, completion: Completion, at: Date): Completed => {
    const { deliveries, attempts, sends, claimed = NONE_CLAIMED } = completion;
    const keys = findKeys(deliveries, claimedKeys(completion));
    const ids = new Set<string>();
    for (const { values, keys: ended } of setsOf(deliveries, ({ id }) => id, valuesOfDelivery)) {
      for (const [id] of saveDeliveries.all(...values, JSON.stringify(ended), owner, values[FENCE])) {
        ids.add(id);
      }
    }
    const placeOf = placesOf(deliveries, ({ id }) => id);
    const placeOfSend = placesOf(deliveries, ({ notificationId }) => notificationId);
    const keysAt = (place: number | undefined) => (place !== undefined && ids.has(deliveries[place]?.id ?? "") ? keys[place] : undefined);
    const pkOf = ({ deliveryId }: DeliveryAttempt, index: number) => keysAt(placeOf(deliveryId, index))?.pk;
    for (const { values, keys: pks } of setsOf(attempts, pkOf, valuesOfAttempt)) {
      saveAttempts.run(...values, JSON.stringify(pks));
    }
    const notificationOf = ({ id }: SendState, index: number) => keysAt(placeOfSend(id, index))?.notificationPk;
    for (const { values, keys: pks } of setsOf(sends, notificationOf, (state) => valuesOfState(state, at))) {
      saveStates.run(...values, JSON.stringify(pks));
    }
    addToSums(attempts, pkOf, ({ deliveryId }, index) => countedPlace(claimed[placeOf(deliveryId, index) ?? -1], deliveryId));
    return { ids, now: at };
  };
}

/** Finds the keys of deliveries, in their order: the claim has handed out most of them. */
function prepareFindKeys({ prepareRows }: QueryContext) {
  const find = prepareRows<{ readonly ids: readonly string[] }, KeyRow>(
    "SELECT id, pk, notification_pk FROM belfry_deliveries WHERE id IN (SELECT value FROM json_each(:ids))",
  );
  return (deliveries: readonly Delivery[], known: readonly (DeliveryKeys | undefined)[]): readonly (DeliveryKeys | undefined)[] => {
    const unknown = deliveries.filter((_, index) => known[index] === undefined).map(({ id }) => id);
    if (unknown.length === 0) {
      return known;
    }
    const found = new Map(find.all({ ids: unknown }).map(([id, pk, notificationPk]) => [id, { pk, notificationPk }]));
    return deliveries.map(({ id }, index) => known[index] ?? found.get(id));
  };
}

/** Finds the places of names in a list whose order they usually have. */
function placesOf<Member>(
  list: readonly Member[],
  nameOf: (member: Member) => string,
): (name: string, index: number) => number | undefined {
  let places: ReadonlyMap<string, number> | undefined;
  return (name, index) => {
    const member = list[index];
    if (member !== undefined && nameOf(member) === name) {
      return index;
    }
    places ??= new Map(list.map((one, place) => [nameOf(one), place]));
    return places.get(name);
  };
}

/** What the sums count of a delivery. A fallback could go out once its primary had settled, which its claim does not say. */
function countedPlace(claimed: ClaimedDelivery | undefined, id: string): CountedPlace | undefined {
  if (claimed === undefined || claimed.delivery.id !== id || claimed.delivery.isFallback) {
    return undefined;
  }
  const { delivery, notification, scheduledAt } = claimed;
  const { tenant, channel, isFallback } = delivery;
  return { tenant, channel, isFallback, sinceMs: (scheduledAt ?? notification.createdAt).getTime() };
}
