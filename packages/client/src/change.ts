import { type Filter, isThere, meets } from "./filter.ts";
import type { Item } from "./item.ts";

/** What may happen to items. */
export type ItemChange =
  | "read"
  | "unread"
  | "seen"
  | "unseen"
  | "pinned"
  | "unpinned"
  | "archived"
  | "unarchived"
  | "snoozed"
  | "woken"
  | "deleted";

/** What may happen to the active items of a group. */
export type GroupChange = "read" | "archived" | "snoozed" | "deleted";

/** What may happen to everything. `deleted_read` deletes the active items that are read. */
export type WholeChange = "read" | "seen" | "archived" | "deleted_read";

/** A change as it is asked for: of items, of a group, or of everything. */
export type ChangeRequest =
  | { readonly to: "items"; readonly change: ItemChange; readonly ids: readonly string[]; readonly until?: string }
  | { readonly to: "groups"; readonly change: GroupChange; readonly group: string; readonly until?: string; readonly upTo?: number }
  | { readonly to: "all"; readonly change: WholeChange; readonly filter?: Filter; readonly upTo?: number };

/** A change that the server has not answered yet. */
export type Change = ChangeRequest & {
  /** Its idempotency key. Of one tab, later changes have greater ids. */
  readonly id: string;
  /** When it was asked for, ISO 8601. */
  readonly at: string;
  /** The number of the newest item of that moment. A change of many leaves later ones as they are. */
  readonly lastSeq: number;
};

/** The numbers of changes begin here, so that they have the same length. */
const FIRST_NUMBER = 1_000_000;

/** Makes the change that is asked for. @param number its place among the changes of a tab */
export function newChange(request: ChangeRequest, number: number, lastSeq: number): Change {
  const at = new Date().toISOString();
  return { ...request, id: `${at}-${FIRST_NUMBER + number}-${crypto.randomUUID()}`, at, lastSeq };
}

/** The newest item that a change covers. */
export function lastCovered(change: Change): number {
  return Math.min(change.lastSeq, (change.to === "items" ? undefined : change.upTo) ?? change.lastSeq);
}

/** What a change makes of an item: the same object if it leaves it as it is, null if it deletes it. It is a pure function. */
export function effectOf<Shown extends Item>(change: Change, item: Shown): Shown | null {
  return isMarked(change, item) || !covers(change, item) ? item : changed(change, item);
}

/** Whether it has the mark that many get at once: most items of a long list do. */
function isMarked({ change }: Change, { readAt, isSeen }: Item): boolean {
  return change === "read" ? readAt !== null : change === "seen" && isSeen;
}

function covers(change: Change, item: Item): boolean {
  switch (change.to) {
    case "items":
      return change.ids.includes(item.id) && isFound(change.change, item);
    case "groups":
      return item.group === change.group && item.seq <= lastCovered(change) && isThere(item, {});
    case "all": {
      const { filter = {} } = change;
      const isAnywhere = change.change === "read" || change.change === "seen";
      const named = isAnywhere && filter.archived === undefined && filter.snoozed === undefined;
      return item.seq <= lastCovered(change) && meets(item, filter) && (named || isThere(item, filter));
    }
  }
}

/** Whether a change by its id finds an item where it is. */
function isFound(change: ItemChange, item: Item): boolean {
  switch (change) {
    case "archived":
    case "unarchived":
      return item.snoozedUntil === null;
    case "snoozed":
      return isThere(item, {});
    case "woken":
      return item.snoozedUntil !== null;
    default:
      return true;
  }
}

function changed<Shown extends Item>(change: Change, item: Shown): Shown | null {
  if (change.change === "deleted" || (change.change === "deleted_read" && item.readAt !== null)) {
    return null;
  }
  return change.change === "deleted_read" ? item : { ...item, ...EFFECTS[change.change](item, change) };
}

/** What each change makes of an item that it leaves there. */
const EFFECTS: Readonly<Record<Exclude<ItemChange, "deleted">, (item: Item, change: Change) => Partial<Item>>> = {
  read: ({ readAt }, { at }) => ({ readAt: readAt ?? at, isSeen: true }),
  unread: () => ({ readAt: null }),
  seen: () => ({ isSeen: true }),
  unseen: ({ readAt }) => ({ isSeen: readAt !== null }),
  pinned: ({ pinnedAt }, { at }) => ({ pinnedAt: pinnedAt ?? at }),
  unpinned: () => ({ pinnedAt: null }),
  archived: ({ archivedAt }, { at }) => ({ archivedAt: archivedAt ?? at }),
  unarchived: () => ({ archivedAt: null }),
  snoozed: (_, change) => ({ snoozedUntil: ("until" in change ? change.until : null) ?? null }),
  woken: () => ({ snoozedUntil: null, readAt: null }),
};
