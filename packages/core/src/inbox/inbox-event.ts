import type { FeedSubscription } from "../foundation/feed-subscription.ts";
import type { Owner } from "../foundation/owner.ts";
import type { InboxItem, InboxPosition } from "./inbox-item.ts";
import type { InboxChange } from "./inbox-signal.ts";

/** Something that happened in an inbox, as its subscribers see it. */
export interface InboxEvent {
  readonly change: InboxChange;
  /** The item after the change; null for `read_all` and `deleted_read`, which concern many. */
  readonly item: InboxItem | null;
  /** How many items changed. */
  readonly count: number;
  /** The item's number; for `read_all` and `deleted_read` the last number the change covers. */
  readonly seq: number;
  readonly epoch: string;
}

/** What a subscriber of an inbox is told. */
export interface InboxListener {
  /** Created items come in the order of their numbers, each once. */
  onEvent(event: InboxEvent): void;
  /**
   * The subscription caught up with the database: after the replay it asked for, or after signals may have been lost.
   *
   * @param recovered false when items were missed that are not replayed: the subscriber has to list anew
   * @param position the last item told or given up: where a subscriber that comes back goes on
   */
  onState(recovered: boolean, position: InboxPosition): void;
  /** Resolves when the subscriber can take more; a replay waits for it before each item. @default at once */
  writable?(): Promise<void>;
}

/** Lets listeners follow inboxes: what an {@link Inbox} subscribes them with. */
export interface FollowInboxes {
  /** Follows an inbox. With `since`, what came after that position is replayed first and the state reported. */
  subscribe(owner: Owner, listener: InboxListener, since?: InboxPosition): FeedSubscription;
}
