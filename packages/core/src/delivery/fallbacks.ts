import { type Delivery, INBOX_CHANNEL } from "./delivery.ts";
import type { LoadedSend, SendState } from "./delivery-storage.ts";
import { due, type Settlement, settleChains, settled } from "./settle-chains.ts";

/** Whether a delivery can still be stopped: nobody is delivering it. */
export function isStoppable({ status, leaseOwner }: Delivery): boolean {
  return status === "waiting" || (status === "pending" && leaseOwner === null);
}

/**
 * Lets the fallbacks of a chain follow its primary delivery, which has just settled: delivered ends them; failed starts
 * them, unless they wait for a while whether the user still comes; sent by presence alone leaves nothing to wait for.
 */
export function followPrimary(chain: readonly Delivery[], { fallbackDelayMs }: SendState, now: Date): readonly Delivery[] {
  const [primary, ...fallbacks] = chain;
  if (primary === undefined) {
    return chain;
  }
  return [primary, ...fallbacks.map((fallback) => followOne(fallback, primary, { waitMs: fallbackDelayMs, now }))];
}

function followOne(fallback: Delivery, primary: Delivery, { waitMs, now }: { readonly waitMs: number; readonly now: Date }): Delivery {
  if (primary.status === "delivered" || primary.status === "cancelled") {
    return stopped(fallback, now);
  }
  if (fallback.status !== "waiting") {
    return fallback;
  }
  const isOfInbox = primary.channel === INBOX_CHANNEL;
  if (primary.status === "failed") {
    const mayStillCome = isOfInbox && primary.reason === "offline" && waitMs > 0;
    return mayStillCome ? fallback : due(fallback, now);
  }
  const isDecided = isOfInbox && primary.status === "sent" && waitMs === 0;
  return isDecided ? stopped(fallback, now) : fallback;
}

function stopped(delivery: Delivery, now: Date): Delivery {
  return isStoppable(delivery) ? settled(delivery, { status: "cancelled", now }) : delivery;
}

/** Starts the fallbacks of the loaded chains that have waited long enough. */
export function endWaits(loaded: readonly LoadedSend[], now: Date): Settlement {
  return settleChains(loaded, now, (chain) => {
    const ended = endWait(chain, now);
    return ended === null ? null : { chain: ended };
  });
}

/** Returns the new state of a chain whose fallback has waited long enough; null if the primary was not attempted yet. */
export function endWait(chain: readonly (Delivery & { readonly isRead: boolean })[], now: Date): readonly Delivery[] | null {
  const [primary, ...fallbacks] = chain;
  if (primary === undefined || primary.status === "pending" || primary.status === "waiting") {
    return null;
  }
  if (primary.isRead || primary.status === "delivered" || primary.status === "cancelled") {
    const read = primary.isRead && primary.status !== "delivered" ? settled(primary, { status: "delivered", now }) : primary;
    return [read, ...fallbacks.map((fallback) => stopped(fallback, now))];
  }
  const missed = primary.status === "sent" ? settled(primary, { status: "failed", reason: "no_ack", now }) : primary;
  const isDue = (fallback: Delivery) => fallback.status === "waiting" && (fallback.dueAt === null || fallback.dueAt <= now);
  return [missed, ...fallbacks.map((fallback) => (isDue(fallback) ? due(fallback, now) : fallback))];
}
