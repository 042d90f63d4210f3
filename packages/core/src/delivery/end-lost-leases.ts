import type { Delivery, DeliveryAttempt } from "./delivery.ts";
import type { LoadedDelivery, LoadedSend } from "./delivery-storage.ts";
import { followPrimary } from "./fallbacks.ts";
import { due, type Settlement, settleChains, settled } from "./settle-chains.ts";

/** Which leases are over, and how many attempts a channel makes. */
export interface LostLeases {
  /** Leases of anybody else are over too: this process is the only one. */
  readonly notOwnedBy?: string;
  /** A lease further ahead than this was given before the clock went back: it is over too. */
  readonly leaseMs: number;
  attemptsOf(channel: string): number;
}

/**
 * Takes deliveries back from workers that were lost. Nobody knows whether the recipient was reached: the attempt is
 * kept as `unknown`, and counts, so that a delivery that kills its worker is not tried for ever.
 */
export function endLostLeases(loaded: readonly LoadedSend[], now: Date, leases: LostLeases): Settlement {
  return settleChains(loaded, now, (chain, send) => {
    const lost = chain.filter((delivery) => isLost(delivery, now, leases));
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

function isLost({ leaseOwner, leaseUntil }: Delivery, now: Date, { notOwnedBy, leaseMs }: LostLeases): boolean {
  if (leaseOwner === null || leaseUntil === null) {
    return false;
  }
  const isElsewhere = notOwnedBy !== undefined && leaseOwner !== notOwnedBy;
  return isElsewhere || leaseUntil <= now || leaseUntil.getTime() > now.getTime() + leaseMs;
}

function takenBack(delivery: LoadedDelivery, now: Date, { attemptsOf }: LostLeases): Delivery {
  if (delivery.isRead) {
    return settled(delivery, { status: "delivered", now });
  }
  const isLast = delivery.attempt - delivery.attemptsBefore >= attemptsOf(delivery.channel);
  return isLast ? settled(delivery, { status: "failed", now }) : due(delivery, now);
}

function unknownAttempt(delivery: Delivery, now: Date, { leaseMs }: LostLeases): DeliveryAttempt {
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
