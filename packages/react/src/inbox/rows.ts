import type { InboxItem } from "../hooks/registered-client.ts";

/** One row of the list: an item, and what it stands for. */
export interface Row {
  readonly item: InboxItem;
  /** Older items of the same group that are folded behind this one. */
  readonly folded: readonly InboxItem[];
  /** Whether the items of its group are shown below it. */
  readonly isUnfolded: boolean;
  /** Whether it is an older item of a group that was unfolded. */
  readonly isMember: boolean;
}

/** What the rows are made of. */
export interface RowsInput {
  readonly items: readonly InboxItem[];
  /** Items to show before the others. */
  readonly top: readonly InboxItem[];
  /** Newer items wait behind the pill. */
  readonly newestShown: number;
  /** The groups whose items are shown one by one. */
  readonly unfolded: ReadonlySet<string>;
}

/** Puts items into rows: those of the top first, then by number, with the items of a group behind its newest one. */
export function rowsOf({ items, top, newestShown, unfolded }: RowsInput): readonly Row[] {
  const first = new Set(top.map(({ id }) => id));
  const { newest, older } = grouped(items.filter(({ id, seq }) => !first.has(id) && seq <= newestShown));
  const rows: Row[] = top.map(rowOf);
  for (const item of newest) {
    const { group } = item;
    const folded = older.get(group) ?? [];
    const isUnfolded = group !== null && unfolded.has(group);
    rows.push(folded.length === 0 ? rowOf(item) : { item, folded, isUnfolded, isMember: false });
    if (isUnfolded) {
      rows.push(...folded.map((one) => ({ item: one, folded: [], isUnfolded: false, isMember: true })));
    }
  }
  return rows;
}

/** The newest item of each group, with those of no group, and the older ones. A list may be long, so nothing is made for an item of no group. */
function grouped(items: readonly InboxItem[]) {
  const newest: InboxItem[] = [];
  const older = new Map<string | null, InboxItem[]>();
  for (const item of items) {
    const folded = older.get(item.group);
    (folded ?? newest).push(item);
    if (folded === undefined && item.group !== null) {
      older.set(item.group, []);
    }
  }
  return { newest, older };
}

const rowsByItem = new WeakMap<InboxItem, Row>();

/** The row of an item that stands for itself: the same object each time, so that it is not rendered again whenever another one comes. */
function rowOf(item: InboxItem): Row {
  const known = rowsByItem.get(item);
  if (known !== undefined) {
    return known;
  }
  const row = { item, folded: [], isUnfolded: false, isMember: false };
  rowsByItem.set(item, row);
  return row;
}
