import type { Owner } from "../foundation/context.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";
import type { InboxCounts, InboxItem } from "./inbox-item.ts";

/** A group of one inbox that has active items. */
export interface GroupSummary<Item extends InboxItem = InboxItem> {
  /** The `group` that its notifications were created with. */
  readonly group: string;
  /** How many active items it has. */
  readonly total: number;
  /** How many of them are unread. */
  readonly unread: number;
  /** Its newest active item. */
  readonly newest: Item;
  /** The first three different actors of its items in this inbox, those that are gone too, in the order in which they came. */
  readonly actors: readonly string[];
  /** How many different actors its items in this inbox had, those that are gone too; 50 stands for 50 or more. */
  readonly actorCount: number;
}

/** Which groups of an inbox to read. */
export interface GroupListQuery {
  readonly status: "all" | "unread";
  /** Only groups whose newest item has a number below this: the cursor of the previous page. */
  readonly before?: number;
  readonly limit: number;
}

/** A page of groups, the one with the newest item first, with the counts of the same moment. */
export interface GroupsPage {
  readonly groups: readonly GroupSummary[];
  readonly counts: InboxCounts;
}

/** Where items of a group are. `unread` are active ones without a read time of their own. */
export type GroupPlaces = "active" | "archived" | "snoozed" | "unread";

/** Which items of a group to find. */
export interface GroupItemsQuery {
  readonly group: string;
  readonly place: GroupPlaces;
  /** Only items numbered above this. @default all */
  readonly after?: number;
  /** Only items numbered up to this. @default all */
  readonly upTo?: number;
  readonly limit: number;
}

/**
 * The groups of inboxes. A group has one row in each inbox that has items of it, with the number of its newest active item, its
 * counts and its first actors. Every change of an item that has a group keeps that row exact, in the same transaction; an item
 * without one costs nothing. A mark of the whole inbox touches no group's row: the row notes the inbox's newest read mark at the
 * time of its own last change, and once there is a newer mark, nothing of the group is unread. The row goes with the last of its items,
 * deleted ones too.
 */
export interface GroupsStorage {
  /** Returns a page of the inbox's groups that have active items. Its cost does not grow with the number of items in them. */
  groups(owner: Owner, query: GroupListQuery): MaybePromise<GroupsPage>;

  /** Returns the numbers of a group's items, oldest first. */
  groupItems(owner: Owner, query: GroupItemsQuery): MaybePromise<readonly number[]>;
}
