import { compareBytewise } from "../foundation/compare-bytewise.ts";
import { announceAlso, createdSignal } from "../inbox/index.ts";
import { Coalesced } from "../work/batch-queue.ts";
import type { DeliveryContext } from "./context.ts";
import type { ClaimedDelivery } from "./delivery-storage.ts";
import type { EndedAttempt } from "./end-attempts.ts";

const PROVIDER = "websocket";

/**
 * The channel that is the inbox itself. A delivery is `sent` once the user has the item. Where it needs a connection, too, the
 * item stays in the inbox all the same, and the delivery fails if the user has no open socket or stream on any instance.
 */
export class InboxChannel {
  readonly #context: DeliveryContext;
  readonly #placed: Coalesced<ClaimedDelivery, true>;

  constructor(context: DeliveryContext) {
    this.#context = context;
    this.#placed = new Coalesced((claimed) => this.#placeAll(claimed));
  }

  async deliver(claimed: ClaimedDelivery): Promise<Pick<EndedAttempt, "outcome" | "reason">> {
    const { tenant, recipient } = claimed.delivery;
    // A scheduled send has no items yet. Other sends got their items when they were created.
    if (claimed.scheduledAt !== null) {
      await this.#placed.get(claimed);
    }
    if (claimed.state.inboxNeeds === "item" || (await this.#context.presence.isOnline({ tenant, userId: recipient }))) {
      return { outcome: { status: "sent", provider: PROVIDER }, reason: null };
    }
    const error = "The user has no open connection.";
    return { outcome: { status: "failed", transient: false, provider: PROVIDER, error }, reason: "offline" };
  }

  async #placeAll(claimed: readonly ClaimedDelivery[]): Promise<readonly true[]> {
    const { deliveries, clock, publish } = this.#context;
    const notifications = new Map(claimed.map(({ notification }) => [notification.id, notification]));
    const byNotification = Map.groupBy(claimed, ({ delivery }) => delivery.notificationId);
    for (const [id, notification] of notifications) {
      const at = new Date(clock.now());
      const recipients = byNotification.get(id)?.map(({ delivery }) => delivery.recipient);
      const items = await deliveries.placeItems(notification, [...new Set(recipients)].sort(compareBytewise), at);
      publish(items.map((item) => createdSignal({ ...notification, createdAt: at }, item)));
      announceAlso(this.#context, items);
    }
    return claimed.map(() => true);
  }
}
