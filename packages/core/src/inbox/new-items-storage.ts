import type { Owner } from "../foundation/context.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";
import type { NewAudience, Notification } from "../notifications/index.ts";
import type { InboxPosition, ItemsChange } from "./inbox-item.ts";

/** A notification to write, with its recipients. */
export interface NewNotification {
  readonly notification: Notification;
  /** Distinct user ids, sorted bytewise. Sorted writes touch each database page of the inboxes only once. */
  readonly recipients: readonly string[];
  /** What is kept of an audience with topics. @default it has none */
  readonly audience?: NewAudience;
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
  /** Whether wanted items may be missing in `items`: who follows an inbox has to look where it stands. @default false */
  readonly isUntold?: boolean;
  /** Why nothing of it could be written; it is left alone for some seconds then. @default it was written */
  readonly failure?: unknown;
}

/** Which chunk is written next, and what is told of it. */
export interface FanOutTurn {
  /** The tenant that had its turn last: now it is the next one's, in bytewise order, and the first one's after the last. @default the first one's */
  readonly after?: string | undefined;
  /**
   * Whose items must be among those answered: it saves reading where the others went. A storage may ignore it; one that does not calls
   * it in the turn of the event loop in which it commits, or answers none and says so. @default everybody's
   */
  readonly isWanted?: ((owner: Owner) => boolean) | undefined;
  /** Whether any items are wanted at all, asked when {@link isWanted} is: if not, no user has to be looked at. @default some may be */
  readonly isAnyWanted?: (() => boolean) | undefined;
  /**
   * Whether the transaction may write further chunks of the notification, as far as it keeps others waiting for some milliseconds only: one
   * for several costs less. A storage may ignore it. @default false
   */
  readonly mayTakeMore?: boolean;
}

/** Writes new items: at once, in a host's transaction, or chunk by chunk. */
export interface NewItemsStorage<Tx, Written extends void | Promise<void>> {
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
  ): MaybePromise<readonly (readonly CreatedItem[] | null)[]>;

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
   * Writes the items of a chunk left by {@link createFanOut} and deletes the chunk, in one transaction: the oldest one of the tenant
   * whose turn it is. The items' creation time is `at`. Returns null when no chunk is left, apart from those that another process
   * holds at this moment, those of notifications that have expired by then, and those that are left alone after a failure.
   *
   * A chunk that cannot be written, for another reason than a database that is out of reach, is answered with its `failure`.
   */
  fanOutNext(at: Date, turn?: FanOutTurn): Promise<FanOutChunk | null>;

  /**
   * Ends fan-outs that are written, or whose notification has expired, and removes some of what they left, as well as of lists
   * that were stored and never used. Returns whether there may be more to remove.
   */
  tidyFanOuts(at: Date): Promise<boolean>;
}
