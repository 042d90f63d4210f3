import type { FeedSubscription, Owner } from "../foundation/context.ts";
import { type MembersOf, requireFunctions, requireMembers, requireNone } from "../foundation/issue-list.ts";
import { numberIssue, stringIssue } from "../foundation/parse-text.ts";
import type { Notification } from "../notifications/index.ts";
import type { CountsOfPlace, InboxChange, InboxCounts, InboxItem, InboxPosition, MatchingKind, WholeChange } from "./inbox-item.ts";
import type { CreatedItem } from "./new-items-storage.ts";

const MATCHING: readonly string[] = ["read_matching", "seen_matching", "archived_matching"] satisfies readonly MatchingKind[];
const WHOLE: readonly string[] = [...(["read_all", "seen_all", "deleted_read"] satisfies readonly WholeChange[]), ...MATCHING];

/** Whether it changes a whole inbox, and so shows no item. */
export function isWholeChange(change: InboxChange): change is WholeChange {
  return WHOLE.includes(change);
}

/** Whether it changes all items that match a filter: those who know only some changes have to look at the inbox again. */
export function isMatchingChange(change: InboxChange): change is MatchingKind {
  return MATCHING.includes(change);
}

/**
 * Says that something changed in one inbox. It is a hint, not the truth: a transport may lose it. The receiver reads missing
 * fields (`notification`, `item`) from the database.
 */
export interface InboxSignal extends Owner, InboxPosition {
  readonly change: InboxChange;
  /** The item's number; for a change of the whole inbox, the last number it covers. */
  readonly seq: number;
  /** The id of the item that changed. */
  readonly id?: string;
  /** The number of active items that changed. @default 1 for a change of a single item */
  readonly count?: number;
  /** The number of the change; missing for created items, and where an older version sent the signal. */
  readonly rev?: number;
  /** How many numbers the change has, up to its `rev`: it was made in that many steps. @default 1 */
  readonly revs?: number;
  /** The inbox's last number when it changed. Set with `rev`. */
  readonly lastSeq?: number;
  /** The number of signals that the change has, one for each item. Set with `rev`. */
  readonly of?: number;
  /** The counts after the change, at its `lastSeq` and `rev`. Set for the last item of a change, unless an older version sent the signal. */
  readonly counts?: Pick<InboxCounts, "total" | "unread" | "unseen">;
  /** When it changed, in milliseconds since 1970. Set for changes of a whole inbox that have a `rev`. */
  readonly atMs?: number;
  /** The created notification. Set for `created`, and only in the process that created it. */
  readonly notification?: Notification;
  /** The item after the change. Set for changes of single items, and only in the process that changed it. */
  readonly item?: InboxItem;
}

/** Builds the signal for one recipient's new item. */
export function createdSignal(notification: Notification, { userId, seq, epoch }: CreatedItem): InboxSignal {
  const { tenant, id } = notification;
  return { tenant, userId, change: "created", seq, epoch, id, notification };
}

/** Something that happened in an inbox, as its subscribers see it. */
export interface InboxEvent<Item = InboxItem> extends InboxPosition {
  readonly change: InboxChange;
  /**
   * The item after the change; null for a change of the whole inbox. For who resumed with a `rev`, it is also null for an item that
   * is gone for good; others get {@link InboxListener.onState} instead.
   */
  readonly item: Item | null;
  /** The number of active items that changed: 0 for a change of an archived or snoozed item. */
  readonly count: number;
  /** The item's number; for a change of the whole inbox, the last number it covers. */
  readonly seq: number;
  /**
   * The number of the change, the last one if it has several because it took several steps; missing for a new item, and if an older
   * version made the change.
   */
  readonly rev?: number;
  /** How many more events of the same change follow. When none does, its `rev` is the one to resume from. @default 0 */
  readonly left?: number;
  /** When a whole inbox was changed: its items were read then. Missing for other changes. */
  readonly at?: Date;
  /**
   * The numbers of the items that `deleted_read` deleted, or that a change of what matches a filter changed. Those of `deleted_read` may
   * have items among them that were deleted before. They are missing if there are very many: then the inbox is to be listed again.
   */
  readonly seqs?: readonly number[];
  /**
   * The counts after the event, and all that was told before it. The `lastSeq` and `rev` in them say of which place they are: an answer
   * that has neither a lower `lastSeq` nor a lower `rev` is newer. They are missing while more events of the same change follow, in a
   * replay, and where they are not known: if a signal was lost, or an older version made the change. Then {@link InboxListener.onState} or
   * a later event has them; who cannot wait asks the inbox.
   */
  readonly counts?: CountsOfPlace;
}

/** The functions that a subscriber of an inbox passes in. */
export interface InboxListener<Item = InboxItem> {
  /**
   * Called for each event. Created items come in the order of their numbers, each once. For who asked to resume with a `rev`, the
   * changes come in the order of theirs, each after the items that were there before it. An item comes as it is by now: what came
   * between shows already.
   */
  onEvent(event: InboxEvent<Item>): void;
  /**
   * Called when the subscription has caught up with the database: after the requested replay, or after signals may have been
   * lost.
   *
   * @param recovered false when items were missed and are not replayed: the subscriber must list the inbox again
   * @param position the last item and change that were sent or skipped: the place to resume from
   * @param counts after a replay that began at a `rev`, the counts after what it told, with the `lastSeq` and `rev` that they are
   *   of; else null
   */
  onState(recovered: boolean, position: InboxPosition, counts: InboxCounts | null): void;
  /**
   * Resolves when the subscriber can take more; undefined if it can now. A replay asks before each item, and reads what is
   * left again after a long wait.
   *
   * @default it can
   */
  writable?(): Promise<void> | undefined;
}

/** Lets listeners follow inboxes. {@link Inbox} uses it to subscribe. */
export interface FollowInboxes {
  /** Follows an inbox. With `since`, it first replays what came after that position and reports the state. */
  subscribe(owner: Owner, listener: InboxListener, since?: InboxPosition): FeedSubscription;
}

const POSITION: MembersOf<InboxPosition> = { seq: true, epoch: true, rev: true };

/** Checks what a subscriber passed in. @throws BelfryError `VALIDATION_ERROR` */
export function requireListener(listener: object, since: InboxPosition | undefined): void {
  requireFunctions("a listener of an inbox", listener, ["onEvent", "onState"]);
  if (since !== undefined) {
    // Of a position that cannot be, nothing can be replayed, and onState says so.
    requirePosition(since);
  }
}

/** Checks a position that a caller passed as `since`. It need not be one that can be. @throws BelfryError `VALIDATION_ERROR` */
export function requirePosition(since: InboxPosition): void {
  requireMembers("since", since, POSITION);
  requireNone([
    numberIssue(since.seq, "seq"),
    stringIssue(since.epoch, "epoch"),
    since.rev === undefined ? null : numberIssue(since.rev, "rev"),
  ]);
}
