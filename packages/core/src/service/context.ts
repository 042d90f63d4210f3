import type { Channel } from "../delivery/channel.ts";
import type { DeliveryStorage, NewSend, SendCreated } from "../delivery/delivery-storage.ts";
import type { Directory } from "../delivery/directory.ts";
import type { Clock } from "../foundation/clock.ts";
import type { Ids } from "../foundation/ids.ts";
import type { Logger } from "../foundation/logger.ts";
import type { HubEvent } from "../hub/hub-model.ts";
import type { HubStorage } from "../hub/hub-storage.ts";
import type { GroupCommit } from "../inbox/group-commit.ts";
import type { NotificationTypes } from "../notifications/notification-types.ts";
import type { Presence } from "../realtime/presence.ts";
import type { Signal } from "../realtime/transport.ts";
import type { BatchQueue } from "../work/batch-queue.ts";
import type { EventEmitter } from "./events.ts";
import type { Storage } from "./storage.ts";

/** What every operation works with. */
export interface Context<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> {
  readonly storage: Storage<Tx, Written>;
  readonly deliveries: DeliveryStorage<Tx, Written>;
  readonly hub: HubStorage;
  readonly writer: GroupCommit;
  readonly sendWriter: BatchQueue<NewSend, SendCreated>;
  /** Answers how many handlers an event has. */
  readonly eventWriter: BatchQueue<HubEvent, number>;
  /** The host's channels, by name; the inbox is not among them. */
  readonly channels: ReadonlyMap<string, Channel>;
  readonly directory: Directory | null;
  readonly presence: Presence;
  readonly events: EventEmitter;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly types: NotificationTypes;
  /** Resolves once the storage can be used; operations await it first. */
  ready(): Promise<void>;
  /** Has what a large create left to be written, written in the background. */
  fanOut(): void;
  /** Has what is due delivered, in the background. To be called after commit only. */
  deliverDue(): void;
  /** Has handlers run over what came in, in the background. To be called after commit only. */
  processDue(): void;
  /** Tells clients and other processes what changed. To be called after commit only. */
  publish(signals: readonly Signal[]): void;
}
