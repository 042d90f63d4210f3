import type { ItemFilter, ItemPlace, ReadMoment } from "@belfry/core/storage";

/** The rows of the inbox named by the values `tenant` and `userId`, in its items, its counters or its read marks. */
export const OWN = "tenant = :tenant AND user_id = :userId";

/** The same with values by their place. */
export const OWN_IN_PLACE = "tenant = ? AND user_id = ?";

/** The item named by the values `tenant`, `userId` and `seq`. */
export const OWN_ITEM = `${OWN} AND seq = :seq`;

/**
 * The items `i` of the inbox named by the values `tenant` and `userId`. The `+` changes nothing of a value. But SQLite would plan a
 * statement anew for each plain value that its plan may depend on, such as one that it can look up in the statistics of a host.
 */
export const OWN_ITEMS = "i.tenant = +:tenant AND i.user_id = +:userId";

/** Whether a read mark covers the item `i`: one up to the number `readUpToSeq`, made by the change `readRev`. */
function isCovered(readUpToSeq: string, readRev: string): string {
  return `i.seq <= ${readUpToSeq} AND (i.unread_rev IS NULL OR i.unread_rev <= ${readRev})`;
}

const IS_COVERED = isCovered(":readUpToSeq", ":readRev");

const WAS_COVERED = isCovered(":asOfReadUpToSeq", ":asOfReadRev");

/** The item `i` was seen by a mark of everything, or by its own, at the moment of the values. */
const WAS_MARKED_SEEN = "(coalesce(i.seen_mark > 0, false) OR (i.seq <= :asOfSeenUpToSeq AND -coalesce(i.seen_mark, 0) <= :asOfSeenRev))";

/** The item `i`, if it is read or seen, did not become so by its own mark after the moment of the values. */
const IS_NOT_MARKED_SINCE = "coalesce(i.seen_mark, 0) <= :asOfRev";

/** The item `i` is read, in an inbox whose newest read mark is that of the values `readUpToSeq` and `readRev`. */
export const IS_READ = `(i.read_at IS NOT NULL OR ${IS_COVERED})`;

/** The item `i` is unread, in an inbox with nothing unread up to `unreadAfterSeq`. */
export const IS_UNREAD = `(i.seq > +:unreadAfterSeq AND i.read_at IS NULL AND NOT (${IS_COVERED}))`;

/** The same where other conditions bound the numbers from below: SQLite goes by one such bound alone, which may be the lower one. */
export const IS_UNREAD_IN_SPAN = `(i.read_at IS NULL AND NOT (${IS_COVERED}))`;

/** The item `i` is read, beside the counters `c` of its inbox. */
export const IS_READ_BESIDE_COUNTERS = `(i.read_at IS NOT NULL OR ${isCovered("c.read_up_to_seq", "c.read_rev")})`;

/** The item `i` is seen, beside the counters `c` of its inbox. */
export const IS_SEEN_BESIDE_COUNTERS = `(${IS_READ_BESIDE_COUNTERS} OR coalesce(i.seen_mark > 0, false)
  OR coalesce(i.seq <= c.seen_up_to_seq AND -coalesce(i.seen_mark, 0) <= c.seen_rev, false))`;

/** The item `i` is seen, in an inbox whose newest marks are those of the values. */
export const IS_SEEN = `(${IS_READ} OR coalesce(i.seen_mark > 0, false) OR (i.seq <= :seenUpToSeq AND -coalesce(i.seen_mark, 0) <= :seenRev))`;

/** The item `i` has a number above those that a deletion of everything read took. (Nothing at or below it is in any place.) */
const IS_ABOVE_REMOVED = "i.seq > +:removedUpToSeq";

/** The item `i` is active, beside the counters `c` of its inbox. */
export const IS_ACTIVE_BESIDE_COUNTERS = "(i.deleted_at IS NULL AND i.seq > coalesce(c.removed_up_to_seq, 0))";

/** The item `i` is not deleted, beside the counters `c` of its inbox. */
export const IS_THERE_BESIDE_COUNTERS = `(${IS_ACTIVE_BESIDE_COUNTERS} OR i.archived_at IS NOT NULL OR i.snoozed_until IS NOT NULL)`;

/**
 * The items `i` of each place. The `+` keeps SQLite from taking the floor for the bound of a range, where other conditions have a higher
 * one: see {@link IS_UNREAD_IN_SPAN}.
 */
export const IN_PLACE: Readonly<Record<ItemPlace, string>> = {
  active: "(i.deleted_at IS NULL AND +i.seq > :removedUpToSeq)",
  archived: "i.archived_at IS NOT NULL",
  snoozed: "i.snoozed_until IS NOT NULL",
};

/** The same for items with numbers above those that a deletion of everything read took: a second look at each number costs a list a twentieth. */
export const IN_PLACE_ABOVE_REMOVED: Readonly<Record<ItemPlace, string>> = { ...IN_PLACE, active: "i.deleted_at IS NULL" };

/** The item `i` is of the type of the value. */
export const OF_TYPE = "AND i.type = +:type";

/** The item `i` is of the room of the value, which is content of its notification. */
export const OF_ROOM = "AND (SELECT data ->> '$.room_id' FROM belfry_notifications WHERE pk = i.notification_pk) = +:roomId";

/** The priority of the item `i`, which its notification has. */
export const PRIORITY = "(SELECT priority FROM belfry_notifications WHERE pk = i.notification_pk)";

const isIn = (value: string) => `IN (SELECT value FROM json_each(:${value}))`;

/** The conditions of a filter on the item `i`, to append to others. Their values are {@link filterValues}. */
export function filterText({ types, categories, priorities, isRead, isSeen, isPinned, wasSnoozed, group }: ItemFilter = {}): string {
  const conditions = [
    types && `i.type ${isIn("types")}`,
    categories && `(i.category ${isIn("categories")} OR (i.category IS NULL AND i.type ${isIn("typesOfCategories")}))`,
    priorities && `${PRIORITY} ${isIn("priorities")}`,
    isRead === undefined ? undefined : `${isRead ? "" : "NOT "}${IS_READ}`,
    isSeen === undefined ? undefined : `${isSeen ? "" : "NOT "}${IS_SEEN}`,
    isPinned === undefined ? undefined : `i.pinned_at IS ${isPinned ? "NOT " : ""}NULL`,
    wasSnoozed && "i.woken_at IS NOT NULL",
    group === undefined ? undefined : "i.group_name = +:group",
  ];
  return conditions.map((condition) => (condition === undefined ? "" : ` AND ${condition}`)).join("");
}

/** The conditions of a filter that the item `i` has to have met at the moment of the values, too: see `MatchingStep.asOf`. */
export function filterTextAsOf({ isRead, isSeen }: ItemFilter): string {
  const wasRead = `(i.read_at IS NOT NULL OR ${WAS_COVERED})`;
  const conditions = [
    isRead === true && `${IS_NOT_MARKED_SINCE} AND ${wasRead}`,
    isRead === false && "coalesce(i.unread_rev, 0) <= :asOfRev",
    isSeen === true && `${IS_NOT_MARKED_SINCE} AND (${wasRead} OR ${WAS_MARKED_SEEN})`,
    isSeen === false && "-coalesce(i.seen_mark, 0) <= :asOfRev",
  ];
  return conditions.map((condition) => (condition === false ? "" : ` AND ${condition}`)).join("");
}

/** The values of {@link filterTextAsOf}. */
export interface AsOfValues {
  readonly asOfRev: number;
  readonly asOfReadUpToSeq: number;
  readonly asOfReadRev: number;
  readonly asOfSeenUpToSeq: number;
  readonly asOfSeenRev: number;
}

/** The values of a moment's conditions. */
export function asOfValues({ rev, readUpToSeq, readRev, seenUpToSeq, seenRev }: ReadMoment): AsOfValues {
  return { asOfRev: rev, asOfReadUpToSeq: readUpToSeq, asOfReadRev: readRev, asOfSeenUpToSeq: seenUpToSeq, asOfSeenRev: seenRev };
}

/** The values of {@link filterText}. */
export interface FilterValues {
  readonly types: readonly string[] | undefined;
  readonly categories: readonly string[] | undefined;
  readonly typesOfCategories: readonly string[] | undefined;
  readonly priorities: readonly string[] | undefined;
  readonly group: string | undefined;
}

/** The values of a filter's conditions. */
export function filterValues({ types, categories, priorities, group }: ItemFilter = {}): FilterValues {
  return { types, categories: categories?.names, typesOfCategories: categories?.types, priorities, group };
}

/**
 * The table of the items `i` of a place that a filter lets pass, with the index of those that are few: the planner takes the inbox's
 * own key for as good, but that would read all active items, too.
 */
export function itemsOf(place: ItemPlace, { isPinned, wasSnoozed, group }: ItemFilter = {}): string {
  if (group !== undefined) {
    return `${ITEMS} INDEXED BY belfry_inbox_items_grouped`;
  }
  if (place === "active" && !isPinned && !wasSnoozed) {
    return ITEMS;
  }
  const few = isPinned ? "pinned" : "woken";
  return `${ITEMS} INDEXED BY belfry_inbox_items_${place === "active" ? few : place}`;
}

/** The newest items of a place that a filter may let pass, with what conditions read of them. A limit follows. */
export function newestOf({ place, filter }: { readonly place: ItemPlace; readonly filter?: ItemFilter }): string {
  const { isPinned, wasSnoozed, group } = filter ?? {};
  const ofGroup = group === undefined ? {} : { group };
  const few = filterText({ ...(isPinned ? { isPinned } : {}), ...(wasSnoozed ? { wasSnoozed } : {}), ...ofGroup });
  return `SELECT i.seq, i.type, i.category, i.notification_pk, i.read_at, i.unread_rev, i.seen_mark, i.pinned_at, i.woken_at, i.deleted_at,
      i.archived_at, i.snoozed_until, i.group_name
    FROM ${itemsOf(place, filter)} WHERE ${OWN_ITEMS} AND ${IS_ABOVE_REMOVED} AND ${IN_PLACE[place]}${few} ORDER BY i.seq DESC`;
}

/** The table of items `i`. */
export const ITEMS = "belfry_inbox_items i";

/** Joins the counters `c` of the inbox of the item `i`. */
export const JOIN_COUNTERS = "CROSS JOIN belfry_inbox_counters c ON c.tenant = i.tenant AND c.user_id = i.user_id";
