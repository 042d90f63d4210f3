import type { BaseContext, Emits } from "../foundation/context.ts";
import type { Owner } from "../foundation/owner.ts";
import type { AcknowledgedFallback } from "./acknowledged.ts";
import type { InboxEvents } from "./events.ts";
import type { InboxSignal } from "./inbox-signal.ts";
import type { InboxStorage } from "./inbox-storage.ts";

/** Whoever has to know that a user has what is in the inbox: deliveries over the inbox, and what would stand in for them. */
export interface ReadHook {
  /** The user has read these notifications or, with null, whatever is read by now. Never rejects: the read stands. */
  onRead(owner: Owner, ids: readonly string[] | null): Promise<void>;
  /** The user says that this notification arrived. */
  onAcknowledged(owner: Owner, id: string): Promise<AcknowledgedFallback>;
}

/** What operations on inboxes work with. */
export interface InboxContext extends BaseContext {
  readonly inbox: InboxStorage;
  readonly events: Emits<InboxEvents>;
  readonly reads: ReadHook;
  /** Tells clients and other processes what changed. To be called after commit only. */
  publish(signals: readonly InboxSignal[]): void;
}
