import type { BaseContext, Emits } from "../foundation/context.ts";
import type { GroupCommit, InboxSignal, InboxStorage } from "../inbox/index.ts";
import type { CreationEvents, NotificationTypes } from "../notifications/index.ts";

/** What creating notifications works with. */
export interface CreatingContext<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> extends BaseContext {
  readonly inbox: InboxStorage<Tx, Written>;
  readonly writer: GroupCommit;
  readonly types: NotificationTypes;
  readonly events: Emits<CreationEvents>;
  /** Has what a large create left to be written, written in the background. */
  fanOut(): void;
  /** Tells clients and other processes what changed. To be called after commit only. */
  publish(signals: readonly InboxSignal[]): void;
}
