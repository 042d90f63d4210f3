import type { PageBounds } from "../foundation/bounds.ts";
import type { Owner } from "../foundation/context.ts";
import type { ErasureStep, ExportStep, StepRange, SweepStep } from "../foundation/json.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";
import type { Notification } from "../notifications/index.ts";
import type { FilterStorage, ItemFilter } from "./filter-storage.ts";
import type { GroupsStorage } from "./groups-storage.ts";
import type { InboxCounts, InboxItem, InboxPosition, InboxStatus, ItemMark, ItemPlace, ItemRef, StoredItem } from "./inbox-item.ts";
import type { ChangeLogStorage } from "./logged-change.ts";

/** A notification to write, with its recipients. */
export interface NewNotification {
  readonly notification: Notification;
  /** Distinct user ids, sorted bytewise. Sorted writes touch each database page of the inboxes only once. */
  readonly recipients: readonly string[];
}

/** The place of one recipient's item. */
export interface CreatedItem extends InboxPosition {
  /** The user whose inbox it is in. */
  readonly userId: string;
  /** What it changed beside itself: the items that it replaced, and those of its snoozed group that it woke. @default nothing */
  readonly also?: readonly AlsoChanged[];
}

/** A change of items because another one came. */
export interface AlsoChanged extends ItemsChange {
  readonly change: "deleted" | "woken";
}

/** One piece of a large fan-out that was just written. */
export interface FanOutChunk {
  readonly notification: Notification;
  readonly items: readonly CreatedItem[];
}

/** Which part of an inbox to read. */
export interface InboxQuery {
  readonly status: InboxStatus;
  /** Where the items are. @default "active" */
  readonly place?: ItemPlace;
  /** Only items of this type. */
  readonly type?: string;
  /** Only items whose data has this text as `room_id`. */
  readonly roomId?: string;
  /** Only items that meet these conditions. They are counted among the newest 20,001 of the place alone. */
  readonly filter?: ItemFilter;
  /** Only items numbered below this: the cursor of the previous page. */
  readonly before?: number;
  /** Skips this many of the newest matching items. Not together with `before`. */
  readonly offset?: number;
  /** The most items to return, at least 0. */
  readonly limit: number;
}

/** A page of an inbox, newest first, with the counts of the same moment. */
export interface InboxPage<Item = InboxItem> {
  readonly items: readonly Item[];
  /** The counts of the whole inbox, without filters. */
  readonly counts: InboxCounts;
  /** The number of items that match the filters, on this page or not. */
  readonly matching: number;
  /** With a `filter`: whether the place has more than 20,000 items, so that `matching` may be too low. */
  readonly more?: boolean;
}

/** Items after a position, oldest first, with the counts of the same moment. */
export type InboxTail = Pick<InboxPage, "items" | "counts">;

/** What happens to items, and when. A snoozed item comes back at `until`. */
export type ItemMarking = MarkingPlace &
  (
    | { readonly mark: ItemMark | "read" | "unread" | "deleted" | "expired"; readonly at: Date }
    | { readonly mark: "snoozed"; readonly at: Date; readonly until: Date }
  );

/** Where a mark finds its items. */
export interface MarkingPlace {
  /**
   * The places that it looks in.
   *
   * @default active and archived ones for `archived` and `unarchived`, snoozed ones for `woken`, active ones for all else
   */
  readonly places?: readonly ItemPlace[];
}

/** Which items {@link InboxStorage.get} returns. */
export interface GetOptions {
  /** Where the item may be. @default ["active"] */
  readonly places?: readonly ItemPlace[];
  /** Returns an item wherever it is, deleted ones too. @default false */
  readonly includeDeleted?: boolean;
}

/** An inbox with snoozed items, the first of which comes back at `dueAt` or later. */
export interface DueInbox extends Owner {
  readonly dueAt: Date;
}

/** A notification that expires, and whose items have not been taken out of their inboxes. */
export interface ExpiringNotification extends Pick<Notification, "tenant" | "id"> {
  readonly expiresAt: Date;
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
}

/** The result of a change to a whole inbox. */
export interface WholeInboxChange {
  /** The number of active items it changed. */
  readonly count: number;
  /** Whether it changed any item, an active, archived or snoozed one. */
  readonly isChange: boolean;
  readonly counts: InboxCounts;
}

/** An item as an export shows it, deleted or not. */
export interface ExportedItem extends InboxItem {
  /** When it was deleted; null while it is active, archived or snoozed. */
  readonly deletedAt: Date | null;
}

/** The times that items have to have come before, to be swept. */
export interface SweptBefore {
  /** For items that are read, and for those that were archived, snoozed or deleted in their inbox. */
  readonly readBefore: Date;
  readonly unreadBefore: Date;
}

/** Which items a sweep of inboxes removes. */
export interface InboxRetention extends SweptBefore {
  /** The time of the sweep. */
  readonly at: Date;
  /** By the type of their notification, instead of the general times. */
  readonly types: Readonly<Record<string, SweptBefore>>;
}

/** The reason an item is absent: it was the owner's and is deleted, it was never the owner's, or it does not exist. */
export type ItemAbsence = "deleted" | "foreign" | "unknown";

/** What the clock changes in inboxes. */
export interface DueItemsStorage {
  /** Returns up to `limit` inboxes with snoozed items, those first that are due first. */
  dueInboxes(limit: number): Promise<readonly DueInbox[]>;

  /**
   * Wakes up to 1,000 of the inbox's snoozed items whose time has come at `at`, and finds when the next one is due. Reads call it, so
   * it does not wait: it answers null, and changes nothing, if another transaction holds the inbox at this moment.
   */
  wakeDue(owner: Owner, at: Date): Promise<ItemsChange | null>;

  /** Returns up to `limit` notifications that {@link noteExpired} is still to be told of, those first that expire first. */
  expiring(limit: number): Promise<readonly ExpiringNotification[]>;

  /** Returns up to `limit` users in whose inboxes the notification's item is active. */
  activeUsersOf(tenant: string, id: string, limit: number): Promise<readonly string[]>;

  /** Notes that an expired notification was taken out of all inboxes. Answers false, and notes nothing, while items are active or to come. */
  noteExpired(tenant: string, id: string, at: Date): Promise<boolean>;
}

/**
 * The inbox part of a storage. Every method is one transaction. It either takes effect in full, with items and counts in
 * step, or it throws and changes nothing. Concurrent calls from any number of callers and processes give the same result as
 * the same calls in some order, one after another.
 *
 * A method that may answer with no promise, and throw, is one that many requests wait for: a database in this process has no
 * need of one.
 *
 * A call that changes existing items raises the inbox's `rev` by one, and logs the change under that number: see
 * {@link ChangeLogStorage}. A call that changes nothing leaves both.
 *
 * Errors of the driver are wrapped once into a `BelfryError`: `STORAGE_UNAVAILABLE` when the same call may succeed later,
 * `STORAGE_FAILED` otherwise, with the driver's error as `cause`.
 */
export interface InboxStorage<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>>
  extends DueItemsStorage,
    FilterStorage,
    ChangeLogStorage,
    GroupsStorage {
  /**
   * Writes notifications with one inbox item per recipient. Returns the place of each item, per entry and in the order of
   * its recipients. All or nothing: if one entry cannot be written, none is.
   *
   * Numbers of one inbox are given out in commit order, without gaps. If the tenant already has an entry's notification id,
   * nothing is written for that entry, and the result holds its existing items. So a write whose reply was lost can be
   * repeated.
   *
   * A notification with a `replaceKey` removes the unread active items of that key from its recipients' inboxes, as {@link remove} does.
   * One with a group wakes the group's items where it has snoozed ones and no active one, as {@link mark} does. Both are part of the
   * same transaction, however the items are written, and told by `also`. Of concurrent writes of one key, one item is left.
   *
   * With `skipBusy`, the call does not wait for an entry whose inbox another transaction holds at this moment. The result
   * for that entry is null and nothing of it is written. All other entries are written. In a storage with a single writer no
   * inbox is busy.
   */
  createMany(
    entries: readonly NewNotification[],
    options?: { readonly skipBusy?: boolean },
  ): Promise<readonly (readonly CreatedItem[] | null)[]>;

  /**
   * Writes one entry as {@link createMany} does, through the host's own open transaction. Nothing is visible unless the host
   * commits. After the commit, `onCommit` is called with the places of the items, outside of the transaction. It is never
   * called after a rollback. (If the process dies in between, it is not called; clients find the items in the database.)
   *
   * Throws `WRONG_TRANSACTION`, before it writes anything, when the handle does not belong to this storage or its
   * transaction has ended.
   */
  createWithin(tx: Tx, entry: NewNotification, onCommit: (items: readonly CreatedItem[]) => void): Written;

  /**
   * The number of recipients in a chunk of a fan-out. Larger chunks cost less for each item, but a transaction of one holds the
   * database, or the event loop, for longer.
   */
  readonly fanOutChunk: number;

  /**
   * Stores a notification and its list of recipients durably, without their items. {@link fanOutNext} writes the items chunk
   * by chunk. Use it for lists that are too long for one transaction.
   */
  createFanOut(entry: NewNotification, chunkSize: number): Promise<void>;

  /** Does the same through the host's own open transaction, in chunks of {@link fanOutChunk}: see {@link createWithin}. */
  createFanOutWithin(tx: Tx, entry: NewNotification, onCommit: () => void): Written;

  /**
   * Writes the items of the oldest chunk left by {@link createFanOut} and deletes the chunk, in one transaction. The items'
   * creation time is `at`. Returns null when no chunk is left, apart from those that another process holds at this moment, and
   * those of notifications that have expired by then.
   *
   * @param isWanted whose items must be among those answered, where nobody else asks: it saves reading where the others went. A storage
   * may ignore it; one that does not calls it in the turn of the event loop in which it commits. @default everybody's
   */
  fanOutNext(at: Date, isWanted?: (owner: Owner) => boolean): Promise<FanOutChunk | null>;

  /**
   * Ends fan-outs that are written, or whose notification has expired, and removes some of what they left, as well as of lists
   * that were stored and never used. Returns whether there may be more to remove.
   */
  tidyFanOuts(at: Date): Promise<boolean>;

  /** Returns a page of the inbox, newest first. An inbox that never had an item is empty, with {@link EMPTY_COUNTS}. */
  list(owner: Owner, query: InboxQuery): MaybePromise<InboxPage>;

  /** Returns the same page as {@link list}, with the items as they are stored. */
  listStored(owner: Owner, query: InboxQuery): MaybePromise<InboxPage<StoredItem>>;

  /**
   * Returns active items with a number above `seq`, oldest first, up to the bounds of `page`. The size of an
   * item in bytes is its title, its message, and its data and actions as JSON. Items beyond the bounds are not read into memory.
   */
  listAfter(owner: Owner, seq: number, page: PageBounds): Promise<InboxTail>;

  /** Returns up to `limit` items of all the tenant's inboxes, newest notification first, without deleted ones. */
  listTenant(tenant: string, limit: number): Promise<readonly InboxItem[]>;

  /** Returns one item, or null if the owner does not have it in one of the places. */
  get(owner: Owner, ref: ItemRef, options?: GetOptions): Promise<InboxItem | null>;

  /**
   * Returns the reason why {@link get} found nothing. A number that is not a deleted item's is unknown, because numbers are
   * the owner's own.
   */
  absence(owner: Owner, ref: ItemRef): Promise<ItemAbsence>;

  /** Returns the inbox's counts. It reads one row by its key, whatever the size of the inbox. */
  counts(owner: Owner): MaybePromise<InboxCounts>;

  /** Returns the number of active unread items alone, as {@link counts} has it. It is asked for most. */
  unread(owner: Owner): MaybePromise<number>;

  /**
   * Returns the last number, the last change and the epoch of several inboxes, in the order of `owners`. Belfry uses it to notice
   * lost signals.
   */
  positions(owners: readonly Owner[]): Promise<readonly Required<InboxPosition>[]>;

  /** Marks active items read at `at`. Items that were read before keep their time. Unknown refs are skipped. */
  markRead(owner: Owner, refs: readonly ItemRef[], at: Date): Promise<ItemsChange>;

  /**
   * Marks items unread again, even those that {@link markAllRead} covered. The next call of it covers them again. Unknown
   * refs, deleted items and unread items are skipped.
   */
  markUnread(owner: Owner, refs: readonly ItemRef[], at: Date): Promise<ItemsChange>;

  /**
   * Marks everything read that is in the inbox at this moment, archived and snoozed items too. Later items stay unread. Its cost does not
   * grow with the number of unread items.
   */
  markAllRead(owner: Owner, at: Date): Promise<WholeInboxChange>;

  /**
   * Changes items. What they have already stays as it is; read items that are to be unseen stay, too. Woken items are unread.
   * Deleting leaves an item in the result as it was. `expired` deletes items, too: the log knows that the clock did it.
   */
  mark(owner: Owner, refs: readonly ItemRef[], marking: ItemMarking): Promise<ItemsChange>;

  /** Marks everything seen that is in the inbox at this moment, archived and snoozed items too, as {@link markAllRead} marks it read. */
  markAllSeen(owner: Owner, at: Date): Promise<WholeInboxChange>;

  /** Deletes active items softly: they leave lists and counts. Unknown refs, archived, snoozed and deleted items are skipped. */
  remove(owner: Owner, refs: readonly ItemRef[], at: Date): Promise<ItemsChange>;

  /** Deletes every read item that is active softly. */
  removeRead(owner: Owner, at: Date): Promise<WholeInboxChange>;

  /**
   * Gives every inbox a new epoch, so that clients that saw numbers of a lost history start over. Call it once after you
   * restore a database from a backup.
   */
  renewEpochs(): Promise<void>;

  /**
   * Removes an inbox for good, up to `limit` rows a call: the owner's name in fan-outs that are still to be written, all
   * items, deleted ones too, the read marks, and last the counts. A notification that nothing else refers to is removed
   * with its last item. After every step the counts match the items that are left. The next item after the end starts a
   * new inbox with another epoch. You may repeat a step; for an inbox that never had an item it does nothing.
   */
  erase(owner: Owner, limit: number): Promise<ErasureStep>;

  /** The inbox's items, oldest first, deleted ones too. Read marks show in the items' read times. */
  export(owner: Owner, range: StepRange): Promise<ExportStep<ExportedItem>>;

  /**
   * Looks at items of all inboxes of all tenants, those of older notifications first, and removes for good those that came before
   * their time in `kept`. The walk ends where items are too new. The item with the inbox's last number stays. A notification that nothing else refers to is removed with its last item. The counts
   * match the items that are left; a step that takes items out of an inbox's lists raises its `rev`, also for archived and snoozed ones.
   */
  sweep(kept: InboxRetention, range: StepRange): Promise<SweepStep>;
}
