import type { Base } from "./base.ts";
import { type Change, effectOf, lastCovered } from "./change.ts";
import { isThere } from "./filter.ts";
import type { Item, Tally } from "./item.ts";

/** What pending changes make of what the server said. */
export interface Overlay<Shown extends Item> {
  /** The items that they change, by number; null for those that they delete. */
  readonly items: ReadonlyMap<number, Shown | null>;
  readonly counts: Tally | null;
}

/** Applies pending changes, in their order, to items and counts. It leaves the base as it is. */
export function overlay<Shown extends Item>(base: Base<Shown>, changes: Iterable<Change>): Overlay<Shown> {
  const items = new Map<number, Shown | null>();
  const shown = (seq: number) => (items.has(seq) ? items.get(seq) : base.items.get(seq)?.item) ?? null;
  let counts: Tally | null = base.counts && sumOf([], base.counts);
  for (const change of changes) {
    for (const seq of targets(base, change)) {
      const before = shown(seq);
      const after = before && effectOf(change, before);
      if (before !== after) {
        items.set(seq, after);
        counts &&= replaced(counts, activeIn([before]), activeIn([after]));
      }
    }
    if (counts !== null && change.to === "all" && change.filter === undefined) {
      const later = [...base.items.keys()].filter((seq) => seq > lastCovered(change)).map(shown);
      counts = afterAll(counts, change.change, sumOf(activeIn(later)));
    }
  }
  return { items, counts };
}

/** The numbers of the items that a change may change. */
export function targets<Shown extends Item>({ items, seqs }: Base<Shown>, change: Change): Iterable<number> {
  return change.to === "items" ? change.ids.flatMap((id) => seqs.get(id) ?? []) : items.keys();
}

/** Those of some items that are active. */
function activeIn(items: readonly (Item | null)[]): readonly Item[] {
  return items.filter((item): item is Item => item !== null && isThere(item, {}));
}

/** Counts with those of some items added, or taken away. */
export function sumOf(items: Iterable<Item>, counts: Tally = { total: 0, unread: 0, unseen: 0 }, sign = 1): Tally {
  let { total, unread, unseen } = counts;
  for (const { readAt, isSeen } of items) {
    total += sign;
    unread += readAt === null ? sign : 0;
    unseen += isSeen ? 0 : sign;
  }
  return { total, unread, unseen };
}

/** Counts after some items took the place of others. */
export function replaced(counts: Tally, before: Iterable<Item>, after: Iterable<Item>): Tally {
  return sumOf(after, sumOf(before, counts, -1));
}

/** Counts after everything changed up to a number: what is not known changed, too. `later` are those that came after it. */
function afterAll({ total, unread, unseen }: Tally, change: string, later: Tally): Tally {
  switch (change) {
    case "read":
      return { total, unread: later.unread, unseen: later.unseen };
    case "seen":
      return { total, unread, unseen: later.unseen };
    case "archived":
      return later;
    default:
      return { total: Math.min(total, unread + later.total - later.unread), unread, unseen };
  }
}
