import type { Item } from "./item.ts";

/** Which items. All conditions that are given hold for each of them. */
export interface Filter<Shown extends Item = Item> {
  /** Only items of these types. */
  readonly types?: readonly Shown["type"][];
  /** Only items of these categories. */
  readonly categories?: readonly string[];
  /** Only items of this priority, or of one of these. */
  readonly priority?: Item["priority"] | readonly Item["priority"][];
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

/** Whether an item meets the conditions of a filter, wherever it is, as far as the client can see. */
export function meets(item: Item, { types, categories, priority, group, read, seen, pinned }: Filter): boolean {
  return (
    (types?.includes(item.type) ?? true) &&
    // A server may place an item without a category in the one that its type has now. The view knows what the server listed.
    (categories?.includes(item.category ?? "") ?? true) &&
    (priority === undefined || [priority].flat().includes(item.priority)) &&
    (group ?? item.group) === item.group &&
    (read ?? item.readAt !== null) === (item.readAt !== null) &&
    (seen ?? item.isSeen) === item.isSeen &&
    (pinned ?? item.pinnedAt !== null) === (item.pinnedAt !== null)
  );
}

/** Whether an item is where the filter looks. */
export function isThere({ archivedAt, snoozedUntil }: Item, { archived = false, snoozed = false }: Filter): boolean {
  return (archivedAt !== null) === archived && (snoozedUntil !== null) === snoozed;
}

/** A text that equal filters share. */
export function filterKey(filter: Filter): string {
  return JSON.stringify(
    Object.entries(filter)
      .filter(([name, value]) => value !== undefined && !(value === false && (name === "archived" || name === "snoozed")))
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
}
