import type { LostLease } from "../work/lease-storage.ts";
import type { Delivery, DeliveryAttempt } from "./delivery.ts";
import type { LoadedDelivery, LoadedSend } from "./delivery-storage.ts";
import { followPrimary } from "./fallbacks.ts";
import { due, type Settlement, settleChains, settled } from "./settle-chains.ts";

/** The lost leases, and the number of attempts of each channel. */
export interface LostDeliveries {
  /** By delivery. */
  readonly lost: ReadonlyMap<string, LostLease>;
  readonly leaseMs: number;
  attemptsOf(channel: string): number;
}

/**
 * Takes deliveries back from lost workers. The recipient may or may not have been reached. The attempt is kept as `unknown`
 * and counts, so that a delivery that kills its worker is not retried for ever.
 */
export function endLostLeases(loaded: readonly LoadedSend[], now: Date, leases: LostDeliveries): Settlement {
  return settleChains(loaded, now, (chain, send) => {
    const lost = chain.filter((delivery) => isLost(delivery, leases.lost.get(delivery.id)));
    if (lost.length === 0) {
      return null;
    }
    const changed = chain.map((delivery) => (lost.includes(delivery) ? takenBack(delivery, now, leases) : delivery));
    return {
      chain: changed[0] === chain[0] ? changed : followPrimary(changed, send, now),
      attempts: lost.map((delivery) => unknownAttempt(delivery, now, leases)),
      shownAttempts: Math.max(...lost.map(({ attempt }) => attempt)),
    };
  });
}

/** Whether the lease is still the one that was lost: its holder may have ended or renewed it since. */
function isLost({ leaseOwner, leaseUntil, fence }: Delivery, lease: LostLease | undefined): boolean {
  return lease?.owner === leaseOwner && lease?.fence === fence && lease?.until.getTime() === leaseUntil?.getTime();
}

function takenBack(delivery: LoadedDelivery, now: Date, { attemptsOf }: LostDeliveries): Delivery {
  if (delivery.isRead) {
    return settled(delivery, { status: "delivered", now });
  }
  const isLast = delivery.attempt - delivery.attemptsBefore >= attemptsOf(delivery.channel);
  return isLast ? settled(delivery, { status: "failed", now }) : due(delivery, now);
}

function unknownAttempt(delivery: Delivery, now: Date, { leaseMs }: LostDeliveries): DeliveryAttempt {
  const startedAt = new Date(Math.min(now.getTime(), (delivery.leaseUntil?.getTime() ?? now.getTime()) - leaseMs));
  return {
    deliveryId: delivery.id,
    attempt: delivery.attempt,
    status: "unknown",
    startedAt,
    finishedAt: now,
    provider: "",
    response: null,
    messageId: null,
    error: "The process that made this attempt was lost before it ended.",
    note: null,
    isTransient: true,
  };
}
