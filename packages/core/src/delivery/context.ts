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

/** The parts that operations on deliveries use. */
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
  /** Starts due deliveries in the background. Call it only after the commit. */
  deliverDue(): void;
  /** Tells clients and other processes what changed. Call it only after the commit. */
  publish(signals: readonly InboxSignal[]): void;
}
