import type { Settlement } from "./chains.ts";
import type { DeliveryOutcome } from "./channel.ts";
import { short } from "./kept-exchange.ts";
import type { Place, Suppression, SuppressionChange } from "./suppressions-storage.ts";

/** An address where there is nobody for good, and who said so in which words. */
export type HardBounce = Place & Pick<Suppression, "actor" | "detail">;

/** The hard bounce that the outcome of an attempt at `place` is; null for none. */
export function hardBounceOf(outcome: DeliveryOutcome, place: Place | null): HardBounce | null {
  if (place === null || outcome.status !== "failed" || outcome.transient || outcome.isHardBounce !== true) {
    return null;
  }
  return { ...place, actor: short(outcome.provider) ?? "", detail: short(outcome.response ?? outcome.error) };
}

/** Has a settlement suppress the addresses at which its attempts bounced, each once: it is all one transaction. */
export function withHardBounces(settlement: Settlement, bounceAt: (deliveryId: string) => HardBounce | null): Settlement {
  const { deliveries, attempts } = settlement.changes;
  const found = new Map<string, SuppressionChange>();
  for (const { deliveryId } of attempts) {
    const bounce = bounceAt(deliveryId);
    const delivery = bounce && deliveries.find(({ id }) => id === deliveryId);
    if (bounce && delivery) {
      const { tenant, notificationId } = delivery;
      const key = JSON.stringify([tenant, bounce.channel, bounce.address]);
      found.set(key, { ...bounce, kind: "suppress", reason: "hard_bounce", tenant, notificationId });
    }
  }
  return found.size === 0 ? settlement : { ...settlement, changes: { ...settlement.changes, suppressions: [...found.values()] } };
}
