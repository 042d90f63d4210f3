import type { Base } from "./base.ts";
import { type Change, effectOf, lastCovered } from "./change.ts";
import { type Counts, type Item, type Tally, tallyOf } from "./item.ts";

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
  let counts: Tally | null = base.counts === null ? null : tallyIn(base.counts);
  for (const change of changes) {
    for (const seq of targets(base, change)) {
      const before = shown(seq);
      const after = before && effectOf(change, before);
      if (before !== after) {
        items.set(seq, after);
        counts &&= moved(counts, before, after);
      }
    }
    if (counts !== null && change.to === "all" && change.filter === undefined) {
      const later = [...base.items.keys()].filter((seq) => seq > lastCovered(change)).map(shown);
      counts = afterAll(counts, change.change, sumOf(later));
    }
  }
  return { items, counts };
}

/** The numbers of the items that a change may change. */
function targets<Shown extends Item>({ items, seqs }: Base<Shown>, change: Change): Iterable<number> {
  return change.to === "items" ? change.ids.flatMap((id) => seqs.get(id) ?? []) : items.keys();
}

/** Counts without their moment. */
function tallyIn({ total, unread, unseen }: Counts): Tally {
  return { total, unread, unseen };
}

/** Counts after one item changed. */
export function moved(counts: Tally, before: Item | null, after: Item | null): Tally {
  return sum(sum(counts, before && tallyOf(before), -1), after && tallyOf(after), 1);
}

/** How many items there are, by what each of them adds. @default active ones */
export function sumOf(items: Iterable<Item | null | undefined>, tally = tallyOf): Tally {
  let counts: Tally = { total: 0, unread: 0, unseen: 0 };
  for (const item of items) {
    counts = sum(counts, item ? tally(item) : null, 1);
  }
  return counts;
}

function sum(counts: Tally, added: Tally | null, sign: 1 | -1): Tally {
  if (added === null) {
    return counts;
  }
  const { total, unread, unseen } = added;
  return { total: counts.total + sign * total, unread: counts.unread + sign * unread, unseen: counts.unseen + sign * unseen };
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
