import type { Owner } from "../foundation/owner.ts";
import type { PageBounds } from "../foundation/page-bounds.ts";
import type { Notification } from "../notifications/index.ts";
import type { InboxCounts, InboxItem, InboxPosition, InboxStatus, ItemRef } from "./inbox-item.ts";

/** A notification to write, and who gets it. */
export interface NewNotification {
  readonly notification: Notification;
  /** Distinct user ids, sorted bytewise: sorted writes touch each page of the inbox once. */
  readonly recipients: readonly string[];
}

/** Where one recipient's item went. */
export interface CreatedItem {
  /** Whose inbox it is in. */
  readonly userId: string;
  /** Its number in that inbox. */
  readonly seq: number;
  /** Names the inbox's numbering: other epochs count anew. */
  readonly epoch: string;
}

/** One piece of a large fan-out that was just written. */
export interface FanOutChunk {
  readonly notification: Notification;
  readonly items: readonly CreatedItem[];
}

/** Which part of an inbox to read. */
export interface InboxQuery {
  readonly status: InboxStatus;
  /** Only items of this type. */
  readonly type?: string;
  /** Only items numbered below this: the cursor of the previous page. */
  readonly before?: number;
  /** Skips this many of the newest matching items. Not together with `before`. */
  readonly offset?: number;
  /** How many items at the most, at least 0. */
  readonly limit: number;
}

/** A page of an inbox, newest first, with the counts of the same moment. */
export interface InboxPage {
  readonly items: readonly InboxItem[];
  /** The whole inbox, unfiltered. */
  readonly counts: InboxCounts;
  /** How many items match `status` and `type`, wherever the page starts. */
  readonly matching: number;
}

/** Items after a position, oldest first, with the counts of the same moment. */
export interface InboxTail {
  readonly items: readonly InboxItem[];
  readonly counts: InboxCounts;
}

/** What marking or removing some items did. */
export interface ItemsChange {
  /** The items that were there, as they are now, each once, in the order of the refs; unknown and deleted ones are left out. */
  readonly items: readonly InboxItem[];
  /** The numbers of those that this call changed; an item read before is in `items` and not here. */
  readonly changed: ReadonlySet<number>;
  readonly counts: InboxCounts;
}

/** What a change over a whole inbox did. */
export interface InboxSweep {
  /** How many items it changed. */
  readonly count: number;
  readonly counts: InboxCounts;
}

/** Why an item is not to be had: it was the caller's and is deleted, it was never the caller's, or there is none. */
export type ItemAbsence = "deleted" | "foreign" | "unknown";

/**
 * The inbox part of a storage. Every method is one transaction: it happened whole, with items and counts in step, or it
 * threw and nothing happened. Calls from any number of callers and processes at once give the same result as some
 * order of them one after another.
 *
 * A call that changes items which are there already raises the inbox's `rev` by one; one that changes nothing leaves it.
 *
 * Foreign errors are wrapped once into a `BelfryError`: `STORAGE_UNAVAILABLE` when the same call may succeed later,
 * `STORAGE_FAILED` otherwise, with the driver's error as `cause`.
 */
export interface InboxStorage<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> {
  /**
   * Writes notifications with one inbox item per recipient, and answers where each item went, per entry and in the
   * order of its recipients. All or nothing: if one entry cannot be written, none is.
   *
   * Numbers of one inbox are given out in commit order, without gaps. An entry whose notification id its tenant
   * already has writes nothing and answers with the items it has: a write whose reply was lost may be repeated.
   *
   * With `skipBusy`, an entry for an inbox that another transaction holds at this moment is not waited for: it is
   * answered with null, nothing of it is written, and the others are. A storage with a single writer has no busy inbox.
   */
  createMany(
    entries: readonly NewNotification[],
    options?: { readonly skipBusy?: boolean },
  ): Promise<readonly (readonly CreatedItem[] | null)[]>;

  /**
   * Like {@link createMany} for one entry, through the host's own open transaction. Nothing is visible unless the host
   * commits; once it has, `onCommit` is called with where the items went, outside of the transaction, and never if it
   * rolled back. (A process that dies in between calls nothing; its clients find the items in the database.)
   *
   * Throws `WRONG_TRANSACTION`, before anything is written, for a handle that is not this storage's, or whose
   * transaction is over.
   */
  createWithin(tx: Tx, entry: NewNotification, onCommit: (items: readonly CreatedItem[]) => void): Written;

  /**
   * Makes a notification and its list of recipients durable without writing their items yet; {@link fanOutNext} does
   * that chunk by chunk. For lists too long for one transaction.
   */
  createFanOut(entry: NewNotification, chunkSize: number): Promise<void>;

  /**
   * Writes the items of the oldest chunk left by {@link createFanOut} and forgets the chunk, in one transaction. The
   * items' creation time is `at`. Null when no chunk is left that another process does not hold at this moment.
   */
  fanOutNext(at: Date): Promise<FanOutChunk | null>;

  /** A page of the inbox, newest first. An inbox that never had an item is empty, with {@link EMPTY_COUNTS}. */
  list(owner: Owner, query: InboxQuery): Promise<InboxPage>;

  /**
   * Items with a number above `seq`, oldest first, deleted ones left out, up to the bounds of `page`: what an item counts
   * for its bytes is its title, its message and its data as JSON. What is beyond the bounds is not read into memory.
   */
  listAfter(owner: Owner, seq: number, page: PageBounds): Promise<InboxTail>;

  /** Up to `limit` items of all the tenant's inboxes, newest notification first, deleted ones left out. */
  listTenant(tenant: string, limit: number): Promise<readonly InboxItem[]>;

  /** One item, or null if the owner has none such. Deleted ones only with `includeDeleted`. */
  get(owner: Owner, ref: ItemRef, options?: { readonly includeDeleted?: boolean }): Promise<InboxItem | null>;

  /** Why {@link get} found nothing. By number, what is not deleted is unknown: numbers are the owner's own. */
  absence(owner: Owner, ref: ItemRef): Promise<ItemAbsence>;

  /** The inbox's counts: one row by its key, however large the inbox. */
  counts(owner: Owner): Promise<InboxCounts>;

  /** The last number and the epoch of several inboxes, in the order of `owners`: how lost signals are noticed. */
  positions(owners: readonly Owner[]): Promise<readonly InboxPosition[]>;

  /** Marks items read at `at`; those read before keep their time. Unknown refs are skipped. */
  markRead(owner: Owner, refs: readonly ItemRef[], at: Date): Promise<ItemsChange>;

  /**
   * Marks items unread again, also those that {@link markAllRead} has covered; the next one covers them again. Unknown and
   * deleted refs are skipped, and so are unread items.
   */
  markUnread(owner: Owner, refs: readonly ItemRef[]): Promise<ItemsChange>;

  /**
   * Marks everything read that is in the inbox at this moment; what arrives later stays unread. Its cost does not grow
   * with the number of unread items.
   */
  markAllRead(owner: Owner, at: Date): Promise<InboxSweep>;

  /** Deletes items softly: they leave lists and counts. Unknown and deleted refs are skipped. */
  remove(owner: Owner, refs: readonly ItemRef[], at: Date): Promise<ItemsChange>;

  /** Deletes every read item of the inbox softly. */
  removeRead(owner: Owner, at: Date): Promise<InboxSweep>;

  /**
   * Gives every inbox a new epoch, so that clients that saw numbers of a lost history start over. To be called once
   * after a database was restored from a backup.
   */
  renewEpochs(): Promise<void>;
}
