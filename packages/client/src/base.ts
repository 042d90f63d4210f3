import { type Filter, isThere, meets } from "./filter.ts";
import { type ChangeFrame, effectOfMany, type Frame, isOfMany } from "./frame.ts";
import { type Counts, type Item, momentOf, type Position, positionOf } from "./item.ts";

/** The epoch of an inbox that never had an item. */
const EMPTY_EPOCH = "0";

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
  /** The moment of what told of it: see {@link momentOf}. */
  readonly moment: number;
  readonly source: "created" | "changed" | "listed";
}

/** A part of a list, as the server answered it. */
export interface Listed<Shown extends Item> {
  readonly items: readonly Shown[];
  readonly counts: Counts;
  /** The range of numbers of which the items are all that match the filter. */
  readonly range?: { readonly filter: Filter; readonly from: number; readonly to: number };
}

/** A change of many items, up to a number of the inbox. */
interface ChangeOfMany {
  readonly rev: number;
  readonly seq: number;
  readonly effect: <Shown extends Item>(item: Shown) => Shown | null;
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
  readonly #onMove: (move: Move<Shown>) => void;
  /** The items that own changes changed, which are not told yet. */
  readonly #own = new Set<number>();
  /** The items that are gone. */
  readonly #gone = new Set<number>();
  #reading = 0;
  /** The changes of many that came while a list was asked for: its answer may not have them. */
  #recent: ChangeOfMany[] = [];

  /** @param onMove is called for each item that changes */
  constructor(onMove: (move: Move<Shown>) => void) {
    this.#onMove = onMove;
  }

  /** The number of the newest item. */
  get lastSeq(): number {
    return Math.max(this.position?.seq ?? 0, this.counts?.lastSeq ?? 0);
  }

  /** Whether frames have not told what the server knew at the moment of these counts. */
  isBehind(counts: Counts | null): boolean {
    return counts !== null && this.position !== null && momentOf(positionOf(counts)) > momentOf(this.position);
  }

  /** Whether a frame was told before: two tabs may tell of the same while one takes over from the other. */
  wasTold(frame: Frame<Shown>): boolean {
    const { position } = this;
    if (frame.type === "state" || position === null || frame.epoch !== position.epoch) {
      return false;
    }
    return frame.change === "created" ? frame.seq <= position.seq : frame.rev !== undefined && frame.rev <= position.rev;
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
    this.#own.clear();
    this.#recent = [];
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

  /** Asks for a part of a list, and takes the answer. What happens until then is kept in mind. */
  async reading<Answer>(ask: () => Promise<Answer>, take: (answer: Answer) => void): Promise<Answer> {
    this.#reading += 1;
    try {
      const answer = await ask();
      take(answer);
      return answer;
    } finally {
      this.#reading -= 1;
      this.#tidy();
    }
  }

  /** Takes a part of a list, which may be older or newer than what was followed. */
  list({ items, counts, range }: Listed<Shown>): void {
    const { rev, lastSeq } = counts;
    const source = { moment: momentOf({ seq: lastSeq, rev }), source: "listed" } as const;
    for (const item of items) {
      if (this.#isOlder(item.seq, rev)) {
        this.#put(item.seq, item, { rev, ...source });
        for (const change of this.#recent) {
          this.#changeOfMany(change, item.seq);
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
        this.#put(seq, null, { rev, ...source });
      }
    }
  }

  /** Takes the next frame. False if it is of another numbering. */
  apply(frame: ChangeFrame<Shown>): boolean {
    const { change, seq, epoch, rev, left = 0, counts } = frame;
    const at = this.position ?? { epoch, seq: 0, rev: 0 };
    if (epoch !== at.epoch && at.epoch !== EMPTY_EPOCH) {
      return false;
    }
    if (isOfMany(frame)) {
      this.#applyMany({ rev: rev ?? at.rev, seq, effect: effectOfMany(frame) });
    } else {
      this.#applyOne(frame, at);
    }
    if (change === "created") {
      this.position = { ...at, epoch, seq: Math.max(seq, at.seq) };
    } else if (rev !== undefined && left === 0) {
      this.position = { ...at, epoch, rev: Math.max(rev, at.rev) };
    }
    this.#confirm();
    return counts === undefined || this.count(counts);
  }

  /** Goes to a position up to which everything was told. */
  moveTo(position: Position): void {
    this.position = position;
    this.#confirm();
  }

  /** Keeps what this client's own change made of an item until the server tells of it. */
  settle(seq: number, after: Shown | null, { lastSeq, rev }: Counts): void {
    const known = this.items.get(seq);
    if (known !== undefined && rev > (this.position?.rev ?? 0)) {
      this.#own.add(seq);
      this.#set(seq, { ...known, item: after, ownRev: rev }, { moment: momentOf({ seq: lastSeq, rev }), source: "changed" });
    }
  }

  /** Whether a list of this change is newer than what is known. */
  #isOlder(seq: number, rev: number): boolean {
    const known = this.items.get(seq);
    return known === undefined || (rev >= known.rev && rev >= known.ownRev);
  }

  #applyMany(change: ChangeOfMany): void {
    if (this.#reading > 0) {
      this.#recent.push(change);
    }
    for (const seq of this.items.keys()) {
      this.#changeOfMany(change, seq);
    }
  }

  #applyOne({ change, seq, item, rev }: ChangeFrame<Shown>, at: Position): void {
    const known = this.items.get(seq);
    const isCreated = change === "created";
    // A list that did not have it any more may be newer than this change: it moved. If it is gone, a later frame says so.
    const isBack = known?.told === null && item !== null && !isCreated;
    // A change without a number was made by an older version.
    if (known === undefined || isBack || (rev === undefined ? !isCreated : rev > known.rev)) {
      const moment = momentOf({ seq: isCreated ? seq : at.seq, rev: rev ?? at.rev });
      const source = isCreated ? "created" : "changed";
      this.#put(seq, change === "deleted" ? null : item, { rev: rev ?? at.rev, moment, source });
    }
  }

  #changeOfMany({ rev, seq: lastSeq, effect }: ChangeOfMany, seq: number): void {
    const known = this.items.get(seq);
    if (known?.told && known.rev < rev) {
      const told = effect(known.told);
      const item = rev >= known.ownRev ? told : known.item && effect(known.item);
      this.#set(seq, { ...known, item, told, rev }, { moment: momentOf({ seq: lastSeq, rev }), source: "changed" });
    }
  }

  /** Own changes that the server has told of by now need no keeping. */
  #confirm(): void {
    const { rev, seq: lastSeq } = this.position ?? { rev: 0, seq: 0 };
    for (const seq of this.#own) {
      const known = this.items.get(seq);
      if (known === undefined || known.ownRev <= rev) {
        this.#own.delete(seq);
        if (known !== undefined) {
          this.#set(seq, { ...known, item: known.told, ownRev: 0 }, { moment: momentOf({ seq: lastSeq, rev }), source: "changed" });
        }
      }
    }
    this.#tidy();
  }

  #put(seq: number, item: Shown | null, { rev, ...told }: Pick<Move<Shown>, "moment" | "source"> & { readonly rev: number }): void {
    const ownRev = this.items.get(seq)?.ownRev ?? 0;
    this.#set(seq, { item, told: item, rev, ownRev }, told);
  }

  #set(seq: number, known: Known<Shown>, told: Pick<Move<Shown>, "moment" | "source">): void {
    const before = this.items.get(seq)?.item;
    const { item } = known;
    this.items.set(seq, known);
    if (item !== null) {
      this.seqs.set(item.id, seq);
    } else if (before) {
      this.seqs.delete(before.id);
    }
    if (item === null) {
      this.#gone.add(seq);
    }
    if (item !== before) {
      this.#onMove({ seq, before, after: item, ...told });
    }
  }

  /** Forgets which items are gone, once no answer is under way that may still have them. */
  #tidy(): void {
    if (this.#reading > 0) {
      return;
    }
    this.#recent = [];
    for (const seq of this.#gone) {
      const { told, rev = 0 } = this.items.get(seq) ?? {};
      if (told !== null) {
        this.#gone.delete(seq);
      } else if (rev <= (this.position?.rev ?? 0)) {
        this.#gone.delete(seq);
        this.items.delete(seq);
      }
    }
  }
}
