import type { Owner } from "../foundation/owner.ts";
import type { InboxItem } from "../inbox/inbox-item.ts";
import { getItem } from "../inbox/read-item.ts";
import type { Context } from "../service/context.ts";
import { announce } from "./announce.ts";
import { INBOX_CHANNEL } from "./delivery.ts";
import type { ChainSelection, LoadedDelivery } from "./delivery-storage.ts";
import { isStoppable } from "./fallbacks.ts";
import { type ChainChange, type Settlement, settleChains, settled } from "./settle-chains.ts";

/** What an acknowledgement did to what would stand in: nothing does, it was stopped, it is on its way, or it is out. */
export type AcknowledgedFallback = "none" | "cancelled" | "in_flight" | "sent";

/**
 * Takes the user's word that these notifications arrived, or, with null, that whatever they have read did: deliveries
 * over the inbox become `delivered`, and fallbacks that are not under way are stopped. Returns what became of the
 * fallbacks, by notification; those that had arrived before are left out.
 */
export async function acknowledge(
  context: Context,
  owner: Owner,
  ids: readonly string[] | null,
): Promise<ReadonlyMap<string, AcknowledgedFallback>> {
  const selection: ChainSelection = { kind: "inbox", owner, ids };
  let settlement: Settlement | null = null;
  const fallbacks = new Map<string, AcknowledgedFallback>();
  await context.deliveries.settle(selection, new Date(context.clock.now()), (loaded, now) => {
    fallbacks.clear();
    settlement = settleChains(loaded, now, (chain) => {
      const change = acknowledged(chain, { userId: owner.userId, readOnly: ids === null, now });
      if (change !== null) {
        fallbacks.set(chain[0]?.notificationId ?? "", fallbackOf(chain));
      }
      return change;
    });
    return settlement.changes;
  });
  if (settlement !== null) {
    announce(context, settlement);
  }
  return fallbacks;
}

/** An item that was acknowledged, and what became of what would have stood in. */
export interface Acknowledged {
  readonly item: InboxItem;
  readonly fallback: AcknowledgedFallback;
}

/** Acknowledges one item; throws `NOT_FOUND` or `FORBIDDEN` when it is not in the inbox. */
export async function acknowledgeItem(context: Context, owner: Owner, id: string): Promise<Acknowledged> {
  const item = await getItem(context, owner, id);
  const fallbacks = await acknowledge(context, owner, [item.id]);
  return { item, fallback: fallbacks.get(item.id) ?? "none" };
}

/** {@link acknowledge} for what was just read: the read stands, even if this fails, and the next one makes up for it. */
export async function acknowledgeRead(context: Context, owner: Owner, ids: readonly string[] | null): Promise<void> {
  try {
    await acknowledge(context, owner, ids);
  } catch (error) {
    context.logger.warn({ error }, "Belfry could not settle deliveries that were read; it does so when the user reads again.");
  }
}

function acknowledged(
  chain: readonly LoadedDelivery[],
  { userId, readOnly, now }: { readonly userId: string; readonly readOnly: boolean; readonly now: Date },
): ChainChange | null {
  const [primary, ...fallbacks] = chain;
  if (primary === undefined || primary.channel !== INBOX_CHANNEL || primary.recipient !== userId || (readOnly && !primary.isRead)) {
    return null;
  }
  const isOpen = primary.status === "sent" || primary.status === "failed" || primary.status === "pending";
  const isScheduled = primary.status === "pending" && primary.leaseOwner === null && primary.dueAt !== null && primary.dueAt > now;
  if (!isOpen || isScheduled) {
    return null;
  }
  const stopped = fallbacks.map((fallback) => (isStoppable(fallback) ? settled(fallback, { status: "cancelled", now }) : fallback));
  return { chain: [settled(primary, { status: "delivered", now }), ...stopped] };
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
