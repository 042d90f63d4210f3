import type { Owner } from "../foundation/context.ts";
import type { AcknowledgedFallback, ReadHook } from "../inbox/index.ts";
import { INBOX_CHANNEL } from "../notifications/index.ts";
import { type ChainChange, type Settlement, settleChains } from "./chains.ts";
import { type DeliveryContext, settle } from "./context.ts";
import type { LoadedDelivery, LoadedSend } from "./delivery-storage.ts";
import { isStoppable, settled, stopped } from "./delivery-transitions.ts";

/**
 * Records that a user has these notifications or, with null, everything the user has read. Deliveries over the inbox become
 * `delivered`, and fallbacks that are not under way are stopped. Returns the state of the fallbacks by notification, without
 * those that had arrived before.
 */
async function acknowledge(
  context: DeliveryContext,
  owner: Owner,
  ids: readonly string[] | null,
): Promise<ReadonlyMap<string, AcknowledgedFallback>> {
  const fallbacks = new Map<string, AcknowledgedFallback>();
  await settle(context, { kind: "inbox", owner, ids }, (loaded, now) => {
    fallbacks.clear();
    return acknowledgeChains(loaded, now, {
      userId: owner.userId,
      readOnly: ids === null,
      onChanged: (chain) => fallbacks.set(chain[0]?.notificationId ?? "", fallbackOf(chain)),
    });
  });
  return fallbacks;
}

/** The user who confirms that something arrived. */
export interface Acknowledging {
  readonly userId: string;
  /** Whether only what the user has read counts. */
  readonly readOnly: boolean;
  /** Called for each chain that changes, with its former state. */
  onChanged?(chain: readonly LoadedDelivery[]): void;
}

/** Makes the loaded chains `delivered` whose notification the user has, and stops their fallbacks. */
export function acknowledgeChains(loaded: readonly LoadedSend[], now: Date, by: Acknowledging): Settlement {
  return settleChains(loaded, now, (chain) => {
    const change = acknowledged(chain, by, now);
    if (change !== null) {
      by.onChanged?.(chain);
    }
    return change;
  });
}

/** Updates deliveries over the inbox when users read or acknowledge items. */
export function readHook(context: DeliveryContext): ReadHook {
  return {
    async onRead(owner, ids) {
      try {
        await acknowledge(context, owner, ids);
      } catch (error) {
        context.logger.warn({ error }, "Belfry could not settle deliveries that were read; it does so when the user reads again.");
      }
    },
    async onAcknowledged(owner, id) {
      return (await acknowledge(context, owner, [id])).get(id) ?? "none";
    },
  };
}

function acknowledged(chain: readonly LoadedDelivery[], { userId, readOnly }: Acknowledging, now: Date): ChainChange | null {
  const [primary, ...fallbacks] = chain;
  if (primary === undefined || primary.channel !== INBOX_CHANNEL || primary.recipient !== userId || (readOnly && !primary.isRead)) {
    return null;
  }
  const isOpen = primary.status === "sent" || primary.status === "failed" || primary.status === "pending";
  const isScheduled = primary.status === "pending" && primary.leaseOwner === null && primary.dueAt !== null && primary.dueAt > now;
  if (!isOpen || isScheduled) {
    return null;
  }
  return { chain: [settled(primary, { status: "delivered", now }), ...fallbacks.map((fallback) => stopped(fallback, now))] };
}

function fallbackOf([, ...fallbacks]: readonly LoadedDelivery[]): AcknowledgedFallback {
  if (fallbacks.some(({ status }) => status === "sent" || status === "delivered")) {
    return "sent";
  }
  if (fallbacks.some(({ leaseOwner }) => leaseOwner !== null)) {
    return "in_flight";
  }
  return fallbacks.some(isStoppable) ? "cancelled" : "none";
}
