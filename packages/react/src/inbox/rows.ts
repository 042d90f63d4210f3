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
  const rows: Row[] = top.map(rowOf);
  const groups = groupsOf(items.filter(({ id, seq }) => !first.has(id) && seq <= newestShown));
  for (const [newest, ...older] of groups) {
    const isUnfolded = newest.group !== null && unfolded.has(newest.group);
    if (older.length === 0) {
      rows.push(rowOf(newest));
      continue;
    }
    rows.push({ item: newest, folded: older, isUnfolded, isMember: false });
    if (isUnfolded) {
      rows.push(...older.map((item) => ({ item, folded: [], isUnfolded: false, isMember: true })));
    }
  }
  return rows;
}

const rowsByItem = new WeakMap<InboxItem, Row>();

/** The row of an item that stands for itself: the same object each time, so that it is not rendered again whenever another one comes. */
function rowOf(item: InboxItem): Row {
  const row = rowsByItem.get(item) ?? { item, folded: [], isUnfolded: false, isMember: false };
  rowsByItem.set(item, row);
  return row;
}

type Group = [InboxItem, ...InboxItem[]];

/** The items of each group together, where its newest one is; an item of no group by itself. */
function groupsOf(items: readonly InboxItem[]): readonly Group[] {
  const groups: Group[] = [];
  const known = new Map<string, Group>();
  for (const item of items) {
    const group = item.group === null ? undefined : known.get(item.group);
    if (group !== undefined) {
      group.push(item);
      continue;
    }
    const begun: Group = [item];
    groups.push(begun);
    if (item.group !== null) {
      known.set(item.group, begun);
    }
  }
  return groups;
}
