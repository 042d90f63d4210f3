import type { TopicsStorage } from "../audiences/index.ts";
import type { PreferencesReader } from "../decisions/index.ts";
import type { BaseContext, Emits, Owner } from "../foundation/context.ts";
import type { GroupCommit, InboxEvents, InboxSignal, InboxStorage } from "../inbox/index.ts";
import type { CreationEvents, NotificationTypes } from "../notifications/index.ts";
import type { InboxesSignal } from "../realtime/index.ts";

/** The parts that creating notifications uses. */
export interface CreatingContext<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> extends BaseContext {
  readonly inbox: InboxStorage<Tx, Written>;
  readonly topics: TopicsStorage;
  readonly writer: GroupCommit;
  /** What users chose, where a type lets them switch off its inbox items. */
  readonly preferences: PreferencesReader;
  readonly types: NotificationTypes;
  /** The language of what is stored, as a BCP 47 tag. */
  readonly locale: string;
  readonly events: Emits<CreationEvents & InboxEvents>;
  /** Whether anybody is to hear of a user's new items; missing where others than this process's subscribers may be. */
  readonly follows?: ((owner: Owner) => boolean) | undefined;
  /** Whether anybody is to hear of any; missing where {@link follows} is. */
  readonly followsAny?: (() => boolean) | undefined;
  /** Starts writing the chunks of large creates in the background. */
  fanOut(): void;
  /** Does what the clock changes in inboxes, in the background. */
  dueItems(): void;
  /** Tells clients and other processes what changed. Call it only after the commit. */
  publish(signals: readonly (InboxSignal | InboxesSignal)[]): void;
}
