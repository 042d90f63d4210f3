import type { Clock } from "../clock.ts";
import type { EventEmitter } from "../events.ts";
import type { Ids } from "../ids.ts";
import type { Logger } from "../logger.ts";
import type { NotificationTypes } from "../model/notification-types.ts";
import type { Storage } from "../storage.ts";
import type { InboxSignal } from "../transport.ts";
import type { GroupCommit } from "./group-commit.ts";

/** What every operation works with. */
export interface Context<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> {
  readonly storage: Storage<Tx, Written>;
  readonly writer: GroupCommit;
  readonly events: EventEmitter;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly types: NotificationTypes;
  /** Resolves once the storage can be used; operations await it first. */
  ready(): Promise<void>;
  /** Has what a large create left to be written, written in the background. */
  fanOut(): void;
  /** Tells clients and other processes what changed. To be called after commit only. */
  publish(signals: readonly InboxSignal[]): void;
}
