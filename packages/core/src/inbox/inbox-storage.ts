import type { PageBounds } from "../foundation/bounds.ts";
import type { Owner } from "../foundation/context.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";
import type { Notification } from "../notifications/index.ts";
import type { InboxVersion } from "./content-cache.ts";
import type { FilterStorage, ItemFilter } from "./filter-storage.ts";
import type { GroupsStorage } from "./groups-storage.ts";
import type {
  InboxCounts,
  InboxItem,
  InboxPosition,
  InboxStatus,
  ItemMark,
  ItemPlace,
  ItemRef,
  ItemsChange,
  StoredItem,
} from "./inbox-item.ts";
import { COUNTED_ITEMS } from "./item-filter.ts";
import type { KeptItemsStorage } from "./kept-items-storage.ts";
import type { ChangeKey, ChangeLogStorage, StepOfCall } from "./logged-change.ts";
import type { NewItemsStorage } from "./new-items-storage.ts";

/** Which part of an inbox to read. */
export interface InboxQuery {
  readonly status: InboxStatus;
  /** Where the items are. @default "active" */
  readonly place?: ItemPlace;
  /** Only items of this type. */
  readonly type?: string;
  /** Only items whose data has this text as `room_id`. */
  readonly roomId?: string;
  /**
   * Only items that meet these conditions. They are counted among the newest 20,001 of the place alone, or a few more; if that has more,
   * they are also looked for among 20,001 numbers alone, or where they are counted.
   */
  readonly filter?: ItemFilter;
  /** Only items numbered below this: the cursor of the previous page. */
  readonly before?: number;
  /** Skips this many of the newest matching items. Not together with `before`. */
  readonly offset?: number;
  /** The most items to return, at least 0. */
  readonly limit: number;
  /**
   * Whether the last item of `limit` is only to tell that more follow. A storage that knows that by its counts may leave it out, and set
   * {@link InboxPage.rest} to the number of the item before it. @default false
   */
  readonly looksAhead?: boolean;
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
  /** Set if it did not look at all items, or not ahead: those with numbers below this are left, which go on as the next page. */
  readonly rest?: number;
}

/** Where a filtered page of a large inbox stops looking: the least number that it looks at. */
export function leastLookedAt(
  { before = Number.MAX_SAFE_INTEGER }: Pick<InboxQuery, "before">,
  { lastSeq }: Pick<InboxCounts, "lastSeq">,
): number {
  return Math.max(0, Math.min(before, lastSeq + 1) - COUNTED_ITEMS - 1);
}

/** Items after a position, oldest first, with the counts of the same moment. */
export type InboxTail = Pick<InboxPage, "items" | "counts">;

/** What happens to items, and when. A snoozed item comes back at `until`. */
export type ItemMarking = MarkingPlace &
  StepOfCall &
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
  /** Changes nothing if something of the inbox is due at the time of the mark: see {@link ItemsChange.isDue}. @default false */
  readonly unlessDue?: boolean;
}

/** Which items {@link InboxStorage.get} returns. */
export interface GetOptions {
  /** Where the item may be. @default ["active"] */
  readonly places?: readonly ItemPlace[];
  /** Returns an item wherever it is, deleted ones too. @default false */
  readonly includeDeleted?: boolean;
}

/** An inbox that the clock changes at `dueAt` for the first time, or later. */
export interface DueInbox extends Owner {
  readonly dueAt: Date;
}

/** A notification that expires, and whose items have not been taken out of their inboxes. */
export interface ExpiringNotification extends Pick<Notification, "tenant" | "id"> {
  readonly expiresAt: Date;
}

/** Where an inbox stands. */
export interface KnownPosition extends Required<InboxPosition> {
  /** Whether broadcasts wait to be placed in it. @default false */
  readonly lacksBroadcasts?: boolean;
}

/** How a whole inbox is marked. */
export interface WholeMarking extends Pick<ItemMarking, "key"> {
  /** Changes nothing if something of the inbox is due at the time of the mark: see {@link WholeInboxChange.isDue}. @default false */
  readonly unlessDue?: boolean;
}

/** The result of a change to a whole inbox. */
export interface WholeInboxChange {
  /** The number of active items it changed. */
  readonly count: number;
  /** Whether it changed any item, an active, archived or snoozed one. */
  readonly isChange: boolean;
  readonly counts: InboxCounts;
  /** Set if nothing was changed because something of the inbox is due, and the mark was to be made `unlessDue`. */
  readonly isDue?: true;
}

/** What the clock changed in an inbox: each part is a change of its own. */
export interface DueChange {
  /** The items that it took out, as they were. */
  readonly expired: ItemsChange;
  readonly woken: ItemsChange;
  /** The counts after both, with the exact `dueAt`. */
  readonly counts: InboxCounts;
}

/** The reason an item is absent: it was the owner's and is deleted, it was never the owner's, or it does not exist. */
export type ItemAbsence = "deleted" | "foreign" | "unknown";

/** Some of the users who have a notification in their inboxes. */
export interface NotificationOwners {
  readonly users: readonly string[];
  /** The last user whose item was looked at, after whom the next call goes on; null at the end. */
  readonly next: string | null;
}

/** What the clock changes in inboxes. */
export interface DueItemsStorage {
  /** Returns up to `limit` inboxes that the clock is to change, those first that are due first. */
  dueInboxes(limit: number): Promise<readonly DueInbox[]>;

  /**
   * Deletes up to 1,000 of the inbox's items whose notification has expired at `at`, wherever they are, then wakes up to 1,000 of the
   * snoozed ones whose time has come, and finds when something is due next. Reads call it, so it does not wait: it answers null, and
   * changes nothing, if another transaction holds the inbox at this moment.
   */
  applyDue(owner: Owner, at: Date): Promise<DueChange | null>;

  /** Returns up to `limit` notifications that {@link noteExpired} is still to be told of, those first that expire first. */
  expiring(limit: number): Promise<readonly ExpiringNotification[]>;

  /**
   * Looks at the next `limit` items of a notification, by user, and names the users in whose inboxes they are: active, archived or snoozed.
   * Many may be deleted, so one call after another looks at all of them in short steps.
   *
   * @param options.after the user after whom it looks; an empty text for the first call
   */
  ownersOf(tenant: string, id: string, options: { readonly after: string; readonly limit: number }): Promise<NotificationOwners>;

  /** Whether items of a notification are still to come, because a fan-out or an audience has users left. Once none are, none will be. */
  isComing(tenant: string, id: string): Promise<boolean>;

  /** Notes that an expired notification was taken out of all inboxes, and that no items of it are to come. */
  noteExpired(tenant: string, id: string, at: Date): Promise<void>;
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
 * {@link ChangeLogStorage}. A call that changes nothing leaves both, and notes no {@link ChangeKey}.
 *
 * Errors of the driver are wrapped once into a `BelfryError`: `STORAGE_UNAVAILABLE` when the same call may succeed later,
 * `STORAGE_FAILED` otherwise, with the driver's error as `cause`.
 */
export interface InboxStorage<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>>
  extends NewItemsStorage<Tx, Written>,
    DueItemsStorage,
    FilterStorage,
    ChangeLogStorage,
    GroupsStorage,
    KeptItemsStorage {
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

  /**
   * Returns the counts as {@link counts} does, and the tenant's content token of the same moment. Whatever changes the content of a
   * notification has replaced the token when it commits, also statements that are not Belfry's own. It reads two rows by their keys.
   */
  version(owner: Owner): MaybePromise<InboxVersion>;

  /**
   * Returns the number of active unread items alone, as {@link counts} has it. It is asked for most. Null if something of the inbox is
   * due at `at`, if broadcasts wait to be placed in it, or if it has not begun.
   */
  unread(owner: Owner, at: Date): MaybePromise<number | null>;

  /**
   * Returns the last number, the last change and the epoch of several inboxes, in the order of `owners`. Belfry uses it to notice
   * lost signals.
   */
  positions(owners: readonly Owner[]): Promise<readonly KnownPosition[]>;

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
  markAllRead(owner: Owner, at: Date, marking?: WholeMarking): Promise<WholeInboxChange>;

  /**
   * Changes items. What they have already stays as it is; read items that are to be unseen stay, too. Woken items are unread.
   * Deleting leaves an item in the result as it was. `expired` deletes items, too: the log knows that the clock did it.
   */
  mark(owner: Owner, refs: readonly ItemRef[], marking: ItemMarking): Promise<ItemsChange>;

  /** Marks everything seen that is in the inbox at this moment, archived and snoozed items too, as {@link markAllRead} marks it read. */
  markAllSeen(owner: Owner, at: Date, marking?: WholeMarking): Promise<WholeInboxChange>;

  /** Deletes active items softly: they leave lists and counts. Unknown refs, archived, snoozed and deleted items are skipped. */
  remove(owner: Owner, refs: readonly ItemRef[], at: Date): Promise<ItemsChange>;

  /**
   * Gives every inbox a new epoch, so that clients that saw numbers of a lost history start over. Call it once after you
   * restore a database from a backup.
   */
  renewEpochs(): Promise<void>;
}
