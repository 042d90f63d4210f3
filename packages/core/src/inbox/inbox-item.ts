import type { Owner } from "../foundation/context.ts";
import type { Notification } from "../notifications/index.ts";

/** A notification in one user's inbox. */
export interface InboxItem extends Notification {
  readonly userId: string;
  /** The item's number in its owner's inbox: 1, 2, 3, … in the order the writes committed. */
  readonly seq: number;
  /** When the owner read it; null while unread. Reading it again keeps the first time. */
  readonly readAt: Date | null;
  /** Whether the owner saw it in a list. A read item is always seen. */
  readonly isSeen: boolean;
  /** When the owner pinned it; null while it is not pinned. */
  readonly pinnedAt: Date | null;
  /** When the owner archived it; null unless it is archived. */
  readonly archivedAt: Date | null;
  /** Until when the owner put it off; null unless it is snoozed. */
  readonly snoozedUntil: Date | null;
}

/** An inbox item as the database keeps it, for those who write it out at once: data as JSON text, times in milliseconds since 1970. */
export interface StoredItem extends Pick<InboxItem, "id" | "userId" | "type" | "title" | "message" | "seq"> {
  readonly dataJson: string;
  readonly createdAtMs: number;
  /** When the owner read it; null while unread. */
  readonly readAtMs: number | null;
}

/** The stored form of `item`. */
export function storedItem({ id, userId, type, title, message, seq, data, createdAt, readAt }: InboxItem): StoredItem {
  const times = { createdAtMs: createdAt.getTime(), readAtMs: readAt === null ? null : readAt.getTime() };
  return { id, userId, type, title, message, seq, dataJson: JSON.stringify(data), ...times };
}

/** Names one item of an inbox: by its notification's id, or by its number in the inbox. */
export type ItemRef = string | { readonly seq: number };

/**
 * What an owner may do to single items, besides reading and deleting them. An archived item leaves the lists and counts of
 * active items until it is unarchived. A woken item was snoozed before: it is active again, and unread. Marking an item unseen outranks an earlier mark of everything; a read item stays seen.
 */
export type ItemMark = "seen" | "unseen" | "pinned" | "unpinned" | "archived" | "unarchived" | "woken";

/** The kinds of change of single items. */
export type ItemChange = "read" | "unread" | "deleted" | "snoozed" | "updated" | ItemMark;

/** The kinds of change of a whole inbox, or of all items that match a filter. */
export type WholeChange = "read_all" | "seen_all" | "deleted_read" | MatchingKind;

/** The kinds of change of all items that match a filter. The log has them as changes of those items. */
export type MatchingKind = "read_matching" | "seen_matching" | "archived_matching";

/** The kinds of change in an inbox. */
export type InboxChange = "created" | ItemChange | WholeChange;

/** Where an item is that is not deleted. It is in one place at a time. */
export type ItemPlace = "active" | "archived" | "snoozed";

/** Which items of an inbox a list shows. */
export type InboxStatus = "all" | "unread" | "read";

/** The state of one inbox, kept in one row and changed in the same transaction as the items. */
export interface InboxCounts {
  /** Active items: those that are neither deleted nor archived nor snoozed. */
  readonly total: number;
  /** Unread active items. */
  readonly unread: number;
  /** Unseen active items. Each of them is unread, too. */
  readonly unseen: number;
  /** The highest number given out so far; 0 for an inbox that never had an item. */
  readonly lastSeq: number;
  /**
   * The random name of this numbering, different in every inbox. It changes when numbers may repeat (a restored backup, a
   * deleted user).
   */
  readonly epoch: string;
  /**
   * Grows by one with each call that changes existing items: read, seen, archived, pinned, deleted, everything read, read
   * ones deleted, a send updated. New items do not change it.
   */
  readonly rev: number;
  /**
   * When the clock changes the inbox for the first time, or earlier: a snoozed item comes back, or one expires. Missing for never.
   * Whoever asks the inbox anything later finds that done.
   */
  readonly dueAt?: Date;
  /**
   * Whether broadcasts wait to be placed in it; missing if none does. Counts and lists that are asked for later place them first, a few
   * hundred at a time.
   */
  readonly isBehind?: boolean;
}

/** The counts of an inbox at one place of its numbering, which they name. */
export type CountsOfPlace = Pick<InboxCounts, "total" | "unread" | "unseen" | "lastSeq" | "epoch" | "rev">;

/** The epoch of an inbox that never had an item. It has no numbers yet, so every item comes after it. */
export const EMPTY_EPOCH = "0";

/** The counts of an inbox that never had an item. */
export const EMPTY_COUNTS: InboxCounts = { total: 0, unread: 0, unseen: 0, lastSeq: 0, epoch: EMPTY_EPOCH, rev: 0 };

/**
 * A place in an inbox's numbering, such as that of the last item that a client has seen; with `rev`, of the last change, too. The
 * counts of an inbox have its last place.
 */
export interface InboxPosition {
  /** The number of an item; 0 for the place before the first one. */
  readonly seq: number;
  /** The name of the numbering. Each epoch counts from the start. */
  readonly epoch: string;
  /** The number of a change: the last one that a client was told of. @default changes are left out: only new items are followed */
  readonly rev?: number;
}

/** The result of marking or removing some items. */
export interface ItemsChange {
  /**
   * The items that were found, in their new state, each once, in the order of the refs. Unknown and deleted items are left
   * out.
   */
  readonly items: readonly InboxItem[];
  /** The numbers of the items that this call changed. An item that was read before is in `items` but not here. */
  readonly changed: ReadonlySet<number>;
  readonly counts: InboxCounts;
  /** Set if nothing was changed because something of the inbox is due, and the mark was to be made `unlessDue`. */
  readonly isDue?: true;
}

/** Builds the new item of `notification` in the inbox of `owner`: unread, unseen and active. */
export function newInboxItem(notification: Notification, { userId }: Owner, seq: number): InboxItem {
  return { ...notification, userId, seq, readAt: null, isSeen: false, pinnedAt: null, archivedAt: null, snoozedUntil: null };
}
