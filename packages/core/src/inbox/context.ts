import type { BaseContext, Emits } from "../foundation/context.ts";
import type { Owner } from "../foundation/owner.ts";
import type { AcknowledgedFallback } from "./acknowledged.ts";
import type { InboxEvents } from "./events.ts";
import type { InboxSignal } from "./inbox-signal.ts";
import type { InboxStorage } from "./inbox-storage.ts";

/** The part of Belfry that must know when a user has read or received an item: deliveries over the inbox, and their fallbacks. */
export interface ReadHook {
  /**
   * Called when the user has read these notifications or, with null, everything up to now. It never rejects: the items stay
   * read.
   */
  onRead(owner: Owner, ids: readonly string[] | null): Promise<void>;
  /** Called when the user confirms that this notification arrived. */
  onAcknowledged(owner: Owner, id: string): Promise<AcknowledgedFallback>;
}

/** The parts that operations on inboxes use. */
export interface InboxContext extends BaseContext {
  readonly inbox: InboxStorage;
  readonly events: Emits<InboxEvents>;
  readonly reads: ReadHook;
  /** Tells clients and other processes what changed. Call it only after the commit. */
  publish(signals: readonly InboxSignal[]): void;
}
