import type { BaseContext, Emits } from "../foundation/context.ts";
import type { Owner } from "../foundation/owner.ts";
import type { InboxEvents, InboxSignal } from "../inbox/index.ts";
import type { CreationEvents, NotificationTypes } from "../notifications/index.ts";
import type { BatchQueue } from "../work/batch-queue.ts";
import type { SharedStorage } from "../work/may-take-over.ts";
import type { Channel } from "./channel.ts";
import type { DeliveryStorage, NewSend, SendCreated } from "./delivery-storage.ts";
import type { Directory } from "./directory.ts";
import type { DeliveryEvents } from "./events.ts";

/** What operations on deliveries work with. */
export interface DeliveryContext<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> extends BaseContext {
  readonly storage: SharedStorage;
  readonly deliveries: DeliveryStorage<Tx, Written>;
  readonly sendWriter: BatchQueue<NewSend, SendCreated>;
  /** The host's channels, by name; the inbox is not among them. */
  readonly channels: ReadonlyMap<string, Channel>;
  readonly directory: Directory | null;
  /** Tells whether a user has an open socket or stream, on any instance. */
  readonly presence: { isOnline(owner: Owner): Promise<boolean> };
  readonly types: NotificationTypes;
  readonly events: Emits<DeliveryEvents & CreationEvents & InboxEvents>;
  /** Has what is due delivered, in the background. To be called after commit only. */
  deliverDue(): void;
  /** Tells clients and other processes what changed. To be called after commit only. */
  publish(signals: readonly InboxSignal[]): void;
}
