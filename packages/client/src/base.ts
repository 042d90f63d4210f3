import { type Filter, isThere, meets } from "./filter.ts";
import { type Counts, type Item, momentOf, type Position, positionOf } from "./item.ts";

/** The epoch of an inbox that never had an item. */
export const EMPTY_EPOCH = "0";

/** What a base knows, as JSON. */
export interface BaseState<Shown extends Item> {
  readonly position: Position | null;
  readonly counts: Counts | null;
  /** Items, each with the number of the change as of which it is known. */
  readonly items: readonly (readonly [item: Shown, rev: number])[];
}

/** What is known of one number of the inbox. */
export interface Known<Shown extends Item> {
  /** The item with the effect of own changes that were answered, but are not told yet; null if it is gone. */
  readonly item: Shown | null;
  /** The item as the server told it last. */
  readonly told: Shown | null;
  /** The number of the change as of which it is known. */
  readonly rev: number;
  /** The number of this client's own last change of it that was answered; 0 for none. What is older does not have it yet. */
  readonly ownRev: number;
}

/** What became of one item. */
export interface Move<Shown extends Item> {
  readonly seq: number;
  /** Undefined if it was not known; null if it was known to be gone. */
  readonly before: Shown | null | undefined;
  readonly after: Shown | null;
  /** The number of the change as of which it is known. A new item has its own number alone. */
  readonly rev: number;
  readonly source: "created" | "changed" | "listed";
}

/** A part of a list, as the server answered it. */
export interface Listed<Shown extends Item> {
  readonly items: readonly Shown[];
  readonly counts: Counts;
  /** The range of numbers of which the items are all that match the filter. */
  readonly range?: { readonly filter: Filter; readonly from: number; readonly to: number };
}

/**
 * What the server said of the inbox: items, counts, and how far it was followed. Nothing older ever takes the place of something newer,
 * in whatever order frames and answers arrive.
 */
export class Base<Shown extends Item> {
  readonly items = new Map<number, Known<Shown>>();
  /** The numbers of items by their ids. */
  readonly seqs = new Map<string, number>();
  counts: Counts | null = null;
  /** Up to where frames were applied; null before the first answer. */
  position: Position | null = null;
  /** The items that own changes changed, which are not told yet. */
  readonly own = new Set<number>();
  /** What changes of many that came while a list was asked for do to an item: its answer may not have them. */
  recent: ((seq: number) => void)[] = [];
  /** Is called for each item that changes. */
  onMove: (move: Move<Shown>) => void = () => undefined;
  /** How many lists are being asked for. */
  listing = 0;

  /** The number of the newest item. */
  get lastSeq(): number {
    return Math.max(this.position?.seq ?? 0, this.counts?.lastSeq ?? 0);
  }

  /** Takes counts, unless newer ones are known. False if their numbering is another one than that of the items. */
  count(counts: Counts): boolean {
    const known = this.counts;
    if (known !== null && known.epoch !== counts.epoch && known.epoch !== EMPTY_EPOCH) {
      return false;
    }
    if (known === null || momentOf(positionOf(counts)) >= momentOf(positionOf(known))) {
      this.counts = counts;
    }
    this.position ??= positionOf(counts);
    return true;
  }

  /** Forgets everything, and begins at a place of another numbering. */
  begin(counts: Counts): void {
    this.items.clear();
    this.seqs.clear();
    this.own.clear();
    this.recent = [];
    this.counts = counts;
    this.position = positionOf(counts);
  }

  /** Begins with what another client knew. */
  restore({ position, counts, items }: BaseState<Shown>): void {
    this.position = position;
    this.counts = counts;
    for (const [item, rev] of items) {
      this.items.set(item.seq, { item, told: item, rev, ownRev: 0 });
      this.seqs.set(item.id, item.seq);
    }
  }

  /** Takes a part of a list, which may be older or newer than what was followed. */
  list({ items, counts, range }: Listed<Shown>): void {
    const { rev, lastSeq } = counts;
    const told = { rev, source: "listed" } as const;
    for (const item of items) {
      if (this.#isOlder(item.seq, rev)) {
        this.put(item.seq, item, told);
        for (const change of this.recent) {
          change(item.seq);
        }
      }
    }
    if (range === undefined) {
      return;
    }
    const listed = new Set(items.map(({ seq }) => seq));
    for (const [seq, { item }] of this.items) {
      const isCovered = seq >= range.from && seq <= Math.min(range.to, lastSeq) && !listed.has(seq);
      if (isCovered && item !== null && isThere(item, range.filter) && meets(item, range.filter) && this.#isOlder(seq, rev)) {
        this.put(seq, null, told);
      }
    }
  }

  /** Takes what was told of an item; null if it is gone. */
  put(seq: number, item: Shown | null, told: Pick<Move<Shown>, "rev" | "source">): void {
    const ownRev = this.items.get(seq)?.ownRev ?? 0;
    this.set(seq, { item, told: item, rev: told.rev, ownRev }, told);
  }

  /** Notes what is known of an item. */
  set(seq: number, known: Known<Shown>, told: Pick<Move<Shown>, "rev" | "source">): void {
    const before = this.items.get(seq)?.item;
    const { item } = known;
    this.items.set(seq, known);
    if (item !== null) {
      this.seqs.set(item.id, seq);
    } else if (before) {
      this.seqs.delete(before.id);
    }
    if (item !== before) {
      this.onMove({ seq, before, after: item, ...told });
    }
  }

  /** Whether a list of this change is newer than what is known. */
  #isOlder(seq: number, rev: number): boolean {
    const known = this.items.get(seq);
    return known === undefined || (rev >= known.rev && rev >= known.ownRev);
  }
}
