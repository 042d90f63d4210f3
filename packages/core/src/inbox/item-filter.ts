import type { Issue } from "../foundation/errors.ts";
import { type ChecksOf, requireInput, validationError } from "../foundation/issue-list.ts";
import { type Check, describe, GROUP_RULE, NAME_RULE, oneOf, shown, text, textIssue } from "../foundation/parse-text.ts";
import type { Notification, NotificationTypes } from "../notifications/index.ts";
import type { ItemFilter, ItemTally } from "./filter-storage.ts";
import type { InboxCounts, ItemPlace } from "./inbox-item.ts";

/** Which items of an inbox. All conditions that are given hold for each of them. */
export interface InboxFilter {
  /** Only items of these types, at most 100. */
  readonly types?: readonly string[];
  /**
   * Only items of these categories, at most 100. An item's category is the one that its declared type had when it was created; an
   * item without one counts to the category that its type has now.
   */
  readonly categories?: readonly string[];
  /** Only items of this priority, or of one of these. */
  readonly priority?: Notification["priority"] | readonly Notification["priority"][];
  /** Only items of this group. */
  readonly group?: string;
  /** Only read items, or only unread ones. */
  readonly read?: boolean;
  /** Only seen items, or only unseen ones. A read item is seen. */
  readonly seen?: boolean;
  /** Only pinned items, or only others. */
  readonly pinned?: boolean;
  /** Archived items instead of active ones. @default false */
  readonly archived?: boolean;
  /** Snoozed items instead of active ones. Not together with `archived`. @default false */
  readonly snoozed?: boolean;
}

const MAX_VALUES = 100;
const SWITCH = oneOf([true, false]);
const isPriority = oneOf(["low", "normal", "high", "urgent"] satisfies Notification["priority"][]);

/** Makes the check of a list of values, each with a check of its own. */
function listOf(check: (value: unknown, path: Issue["path"]) => Issue | null): Check {
  return (value, name) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > MAX_VALUES) {
      const is = Array.isArray(value) ? `has ${value.length}` : `is ${typeof value === "string" ? shown(value) : describe(value)}`;
      return { path: [name], type: "list_type", message: `must be a list of 1 to ${MAX_VALUES}, ${is}` };
    }
    for (const [at, one] of value.entries()) {
      const issue = check(one, [name, at]);
      if (issue !== null) {
        return issue;
      }
    }
    return null;
  };
}

const names = listOf((value, path) => textIssue(value, path, NAME_RULE));
const priorities = listOf((value, path) => {
  const issue = isPriority(value, "priority");
  return issue === null ? null : { ...issue, path };
});

/** The checks of the members of a filter. */
export const FILTER_CHECKS: ChecksOf<InboxFilter> = {
  types: names,
  categories: names,
  priority: (value, name) => (Array.isArray(value) ? priorities(value, name) : isPriority(value, name)),
  group: text(GROUP_RULE),
  read: SWITCH,
  seen: SWITCH,
  pinned: SWITCH,
  archived: SWITCH,
  snoozed: SWITCH,
};

/** Checks a filter. @throws BelfryError `VALIDATION_ERROR` for what is no member of one, such as a list's `roomId`, and for a wrong value */
export function requireFilter(filter: InboxFilter): void {
  requireInput("a filter", filter, FILTER_CHECKS);
}

/** The place that a filter names. @throws BelfryError `VALIDATION_ERROR` for two places */
export function placeOf({ archived: isArchived = false, snoozed: isSnoozed = false }: InboxFilter): ItemPlace {
  if (isArchived && isSnoozed) {
    throw validationError([{ path: ["snoozed"], type: "conflict", message: "cannot be given together with archived" }]);
  }
  const away = isArchived ? "archived" : "snoozed";
  return isArchived || isSnoozed ? away : "active";
}

/** The conditions of a filter on the items of a place, as storages take them; null if it has none. Its lists are copies, as it is read later. */
export function itemFilter(
  types: NotificationTypes,
  { types: named, categories, priority, group, ...filter }: InboxFilter,
): ItemFilter | null {
  const { read, seen, pinned } = filter;
  const conditions: ItemFilter = {
    ...(named === undefined ? {} : { types: [...named] }),
    ...(categories === undefined ? {} : { categories: { names: [...categories], types: typesOf(types, categories) } }),
    ...(priority === undefined ? {} : { priorities: typeof priority === "string" ? [priority] : [...priority] }),
    ...(group === undefined ? {} : { group }),
    ...(read === undefined ? {} : { isRead: read }),
    ...(seen === undefined ? {} : { isSeen: seen }),
    ...(pinned === undefined ? {} : { isPinned: pinned }),
  };
  return Object.keys(conditions).length === 0 ? null : conditions;
}

/** The declared types of categories. */
function typesOf(types: NotificationTypes, categories: readonly string[]): readonly string[] {
  const isOf = ([, { category }]: [string, NotificationTypes[string]]) => category !== undefined && categories.includes(category);
  return Object.entries(types)
    .filter(isOf)
    .map(([type]) => type);
}

/** How many items match a filter. */
export interface FilteredCount extends Pick<InboxCounts, "total" | "unread" | "unseen"> {
  /** Whether the place has more than 20,000 items. Then the older ones are not counted. */
  readonly more: boolean;
}

/** How many items of a place are counted one by one at the most, the newest. Storages count one more, to see whether there are more. */
export const COUNTED_ITEMS = 20_000;

/** Counts the tallies that a filter lets pass. */
export function countOf(tallies: readonly ItemTally[], filter: ItemFilter): FilteredCount {
  const matches = matcher(filter);
  const sum = { total: 0, unread: 0, unseen: 0, looked: 0 };
  for (const tally of tallies) {
    sum.looked += tally.count;
    if (matches(tally)) {
      sum.total += tally.count;
      sum.unread += tally.isRead ? 0 : tally.count;
      sum.unseen += tally.isSeen ? 0 : tally.count;
    }
  }
  const { looked, ...counted } = sum;
  return { ...counted, more: looked > COUNTED_ITEMS };
}

function matcher({ types, categories, priorities: wanted, group, isRead, isSeen, isPinned }: ItemFilter): (tally: ItemTally) => boolean {
  const [ofTypes, ofPriorities] = [types && new Set(types), wanted && new Set(wanted)];
  const ofCategories = categories && { names: new Set(categories.names), types: new Set(categories.types) };
  const isOfCategory = ({ category, type }: ItemTally) =>
    ofCategories === undefined || (category === null ? ofCategories.types.has(type) : ofCategories.names.has(category));
  const isInState = (tally: ItemTally) =>
    (isRead ?? tally.isRead) === tally.isRead &&
    (isSeen ?? tally.isSeen) === tally.isSeen &&
    (isPinned ?? tally.isPinned) === tally.isPinned;
  return (tally) =>
    isInState(tally) &&
    (group === undefined || tally.group === group) &&
    (ofTypes?.has(tally.type) ?? true) &&
    (ofPriorities === undefined || (tally.priority !== null && ofPriorities.has(tally.priority))) &&
    isOfCategory(tally);
}
