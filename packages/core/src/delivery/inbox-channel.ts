import { type CreatedItem, createdSignal } from "../inbox/index.ts";
import { compareBytewise } from "../notifications/index.ts";
import { Coalesced } from "../work/coalesced.ts";
import type { DeliveryOutcome } from "./channel.ts";
import type { DeliveryContext } from "./context.ts";
import type { UnreachedReason } from "./delivery.ts";
import type { ClaimedDelivery } from "./delivery-storage.ts";

const PROVIDER = "websocket";

/** The result of a delivery over the inbox. */
export interface InboxOutcome {
  readonly outcome: DeliveryOutcome;
  readonly reason: UnreachedReason | null;
}

/**
 * The channel that is the inbox itself. The item stays in the inbox whatever happens: a delivery is `sent` when the user
 * has an open socket or stream, on any instance, and has failed when there is none.
 */
export class InboxChannel {
  readonly #context: DeliveryContext;
  readonly #placed: Coalesced<ClaimedDelivery, true>;

  constructor(context: DeliveryContext) {
    this.#context = context;
    this.#placed = new Coalesced((claimed) => this.#placeAll(claimed));
  }

  async deliver(claimed: ClaimedDelivery): Promise<InboxOutcome> {
    const { tenant, recipient } = claimed.delivery;
    // A scheduled send has no items yet. Other sends got their items when they were created.
    if (claimed.scheduledAt !== null) {
      await this.#placed.get(claimed);
    }
    const isOnline = await this.#context.presence.isOnline({ tenant, userId: recipient });
    return isOnline
      ? { outcome: { status: "sent", provider: PROVIDER }, reason: null }
      : {
          outcome: { status: "failed", transient: false, provider: PROVIDER, error: "The user has no open connection." },
          reason: "offline",
        };
  }

  async #placeAll(claimed: readonly ClaimedDelivery[]): Promise<readonly true[]> {
    const byNotification = Map.groupBy(claimed, ({ delivery }) => delivery.notificationId);
    for (const group of byNotification.values()) {
      await this.#place(group);
    }
    return claimed.map(() => true);
  }

  async #place(group: readonly ClaimedDelivery[]): Promise<void> {
    const [first] = group;
    if (first === undefined) {
      return;
    }
    const at = new Date(this.#context.clock.now());
    const users = [...new Set(group.map(({ delivery }) => delivery.recipient))].sort(compareBytewise);
    const items: readonly CreatedItem[] = await this.#context.deliveries.placeItems(first.notification, users, at);
    this.#context.publish(items.map((item) => createdSignal({ ...first.notification, createdAt: at }, item)));
  }
}
