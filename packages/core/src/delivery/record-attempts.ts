import { nextTurn } from "../work/timing.ts";
import type { Settlement } from "./chains.ts";
import { complete, type DeliveryContext, settle } from "./context.ts";
import type { LoadedSend } from "./delivery-storage.ts";
import { endAttempts } from "./end-attempts.ts";
import { type EndedDelivery, isAlone } from "./ended-delivery.ts";
import type { CarriedBundle } from "./settle-bundles.ts";

/**
 * Settles deliveries whose attempts ended, and returns which of the attempts counted. Most deliveries are the only ones of their
 * notifications: what became of them needs no look at others. A digest settles with its entries in a transaction of its own.
 */
export async function recordAttempts(
  context: DeliveryContext,
  owner: string,
  ended: readonly EndedDelivery[],
): Promise<readonly boolean[]> {
  const byId = new Map(ended.map(({ attempt }) => [attempt.deliveryId, attempt]));
  const decide = (loaded: readonly LoadedSend[], now: Date) => endAttempts(loaded, now, { owner, byId });
  const alone = ended.filter(isAlone).map((one) => one.claimed);
  const counted = new Set(alone.length === 0 ? [] : await complete(context, { owner, claimed: alone }, decide));
  if (counted.size === ended.length) {
    return ended.map(() => true);
  }
  const count = (settlement: Settlement | null) => {
    for (const { deliveryId } of settlement?.changes.attempts ?? []) {
      counted.add(deliveryId);
    }
    for (const { id, fence } of settlement?.changes.deliveries ?? []) {
      const attempt = byId.get(id);
      if (attempt !== undefined && "ruling" in attempt && attempt.fence === fence) {
        counted.add(id);
      }
    }
  };
  const ids = ended
    .filter(({ bundle, attempt }) => bundle === null && !counted.has(attempt.deliveryId))
    .map(({ attempt }) => attempt.deliveryId);
  if (ids.length > 0) {
    count(await settle(context, { kind: "deliveries", ids }, decide));
  }
  for (const { claimed, bundle, attempt } of ended) {
    if (bundle !== null) {
      if (await recordDigest(context, { owner, bundle: { ...bundle, carrier: claimed.delivery } }, attempt)) {
        counted.add(attempt.deliveryId);
      }
      // Each may have hundreds of entries: others get their turn between two.
      await nextTurn();
    }
  }
  return ended.map(({ attempt }) => counted.has(attempt.deliveryId));
}

/** Settles a digest whose attempt ended. Returns whether it counted. */
async function recordDigest(
  context: DeliveryContext,
  { owner, bundle }: { readonly owner: string; readonly bundle: CarriedBundle },
  attempt: EndedDelivery["attempt"],
): Promise<boolean> {
  const { id } = bundle.carrier;
  const ended = { owner, byId: new Map([[id, attempt]]), bundles: [bundle] };
  const settlement = await settle(context, { kind: "deliveries", ids: [id, ...bundle.deliveryIds] }, (loaded, now) =>
    endAttempts(loaded, now, ended),
  );
  return settlement !== null && settlement.changes.deliveries.length > 0;
}
