import { EMPTY_EPOCH, type Move } from "./base.ts";
import { type Change, effectOf } from "./change.ts";
import type { Emit } from "./events.ts";
import { type ChangeFrame, effectOfMany, type Frame, isOfMany, isUntold, type StateFrame } from "./frame.ts";
import { type Counts, type Item, momentOf, type Position, positionOf } from "./item.ts";
import { replaced, targets } from "./overlay.ts";
import { parsePosition } from "./position-text.ts";
import type { Store } from "./store.ts";
import type { ViewState } from "./view.ts";

/** Keeps a store up with what the server tells. */
export class Follower<Shown extends Item> {
  readonly #store: Store<Shown>;
  readonly #emit: Emit<Shown>;
  /** The items that are gone. */
  readonly #gone = new Set<number>();

  constructor(store: Store<Shown>, emit: Emit<Shown>) {
    this.#store = store;
    this.#emit = emit;
    const { base, views } = store;
    base.onMove = (move) => this.#follow(move);
    for (const [seq, { item }] of base.items) {
      if (item === null) {
        this.#gone.add(seq);
      }
    }
    // What was listed before is not in the counts that came with the page.
    for (const view of views.values()) {
      const { counted } = view.loaded;
      if (counted !== null && base.counts !== null && momentOf(positionOf(base.counts)) > momentOf(counted)) {
        store.recountIfShown(view);
      }
    }
  }

  /** Takes what the server tells. */
  take(frame: Frame<Shown>): void {
    if (wasTold(frame, this.#store.base.position)) {
      return;
    }
    if (frame.type === "state") {
      this.#takeState(frame);
    } else {
      this.#takeChange(frame);
    }
    this.#store.changed();
  }

  /** Keeps what a change that the server answered made of items until it tells of it. */
  settle(change: Change, counts: Counts): void {
    const { base } = this.#store;
    const { rev } = counts;
    const isTold = rev <= (base.position?.rev ?? 0);
    for (const seq of isTold ? [] : targets(base, change)) {
      const known = base.items.get(seq);
      const after = known?.item && effectOf(change, known.item);
      if (known !== undefined && after !== known.item) {
        base.own.add(seq);
        base.set(seq, { ...known, item: after ?? null, ownRev: rev }, { rev, source: "changed" });
      }
    }
    this.#store.count(counts);
  }

  #follow(move: Move<Shown>): void {
    if (move.after === null) {
      this.#gone.add(move.seq);
    }
    for (const view of this.#store.views.values()) {
      if (keepCounted(view, move)) {
        this.#store.recountIfShown(view);
      }
    }
  }

  #takeState({ recovered, position, counts }: StateFrame): void {
    const { base } = this.#store;
    this.#store.count(counts);
    if (recovered) {
      base.position = parsePosition(position);
      this.#confirm();
      this.#store.events.stale();
    } else {
      base.position = parsePosition(position);
      this.#store.recountAll();
      this.#store.reload();
    }
  }

  #takeChange(frame: ChangeFrame<Shown>): void {
    const { base, views } = this.#store;
    const { change, seq, item, counts } = frame;
    const isNew = change === "created" && seq > (base.position?.seq ?? 0);
    const isKnown = frame.seqs?.every((one) => base.items.get(one)?.told) ?? false;
    if (change === "woken" && item !== null) {
      for (const view of views.values()) {
        view.woken.add(item.id);
      }
    }
    if (!this.#apply(frame) || counts === undefined) {
      this.#store.recount();
    }
    if (isOfMany(frame)) {
      for (const view of views.values()) {
        this.#changeMany(frame, view, isKnown);
      }
    }
    if (isNew && item !== null) {
      this.#emit("received", item);
    }
  }

  /** After a change of many: a view lacks the items that it gained if they were not known. */
  #changeMany(frame: ChangeFrame<Shown>, view: ViewState<Shown>, isKnown: boolean): void {
    const { read, seen, archived } = view.filter;
    const verb = frame.change.split("_")[0];
    const gains = { read: read === true || seen === true, seen: seen === true, archived: archived === true }[verb ?? ""] ?? false;
    if (isUntold(frame) || (gains && !isKnown)) {
      view.isStale = true;
      this.#store.events.stale();
    } else if (!view.isComplete && !view.isWhole) {
      this.#store.recountIfShown(view);
    }
  }

  /** Takes the next frame. False if it is of another numbering. */
  #apply(frame: ChangeFrame<Shown>): boolean {
    const { base } = this.#store;
    const { change, seq, epoch, rev, left = 0, counts } = frame;
    const at = base.position ?? { epoch, seq: 0, rev: 0 };
    if (epoch !== at.epoch && at.epoch !== EMPTY_EPOCH) {
      return false;
    }
    if (isOfMany(frame)) {
      this.#applyMany(rev ?? at.rev, effectOfMany(frame));
    } else {
      this.#applyOne(frame, at);
    }
    if (change === "created") {
      base.position = { ...at, epoch, seq: Math.max(seq, at.seq) };
    } else if (rev !== undefined && left === 0) {
      base.position = { ...at, epoch, rev: Math.max(rev, at.rev) };
    }
    this.#confirm();
    return counts === undefined || base.count(counts);
  }

  #applyMany(rev: number, effect: ReturnType<typeof effectOfMany>): void {
    const { base } = this.#store;
    const apply = (seq: number) => {
      const known = base.items.get(seq);
      if (known?.told && known.rev < rev) {
        const told = effect(known.told);
        const item = rev >= known.ownRev ? told : known.item && effect(known.item);
        base.set(seq, { ...known, item, told, rev }, { rev, source: "changed" });
      }
    };
    base.recent.push(apply);
    for (const seq of base.items.keys()) {
      apply(seq);
    }
  }

  #applyOne({ change, seq, item, rev }: ChangeFrame<Shown>, at: Position): void {
    const { base } = this.#store;
    const known = base.items.get(seq);
    const isCreated = change === "created";
    // A list that did not have it any more may be newer than this change: it moved. If it is gone, a later frame says so.
    const isBack = known?.told === null && item !== null && !isCreated;
    // A change without a number was made by an older version.
    if (known === undefined || isBack || (rev === undefined ? !isCreated : rev > known.rev)) {
      base.put(seq, change === "deleted" ? null : item, { rev: rev ?? at.rev, source: isCreated ? "created" : "changed" });
    }
  }

  /** Own changes that the server has told of by now need no keeping. */
  #confirm(): void {
    const { base } = this.#store;
    const rev = base.position?.rev ?? 0;
    for (const seq of base.own) {
      const known = base.items.get(seq);
      if (known === undefined || known.ownRev <= rev) {
        base.own.delete(seq);
        if (known !== undefined) {
          // Counts that the server gave after the change never had what was kept of it here.
          base.set(seq, { ...known, item: known.told, ownRev: 0 }, { rev: known.ownRev, source: "changed" });
        }
      }
    }
    if (base.listing === 0) {
      base.recent = [];
      this.#tidy();
    }
  }

  /** Forgets which items are gone, when no answer is under way that may still have them. */
  #tidy(): void {
    const { base } = this.#store;
    for (const seq of this.#gone) {
      const { told, rev = 0 } = base.items.get(seq) ?? {};
      if (told !== null) {
        this.#gone.delete(seq);
      } else if (rev <= (base.position?.rev ?? 0)) {
        this.#gone.delete(seq);
        base.items.delete(seq);
      }
    }
  }
}

/** Whether a frame was told before: two tabs may tell of the same while one takes over from the other. */
function wasTold(frame: Frame, position: Position | null): boolean {
  if (frame.type === "state" || position === null || frame.epoch !== position.epoch) {
    return false;
  }
  return frame.change === "created" ? frame.seq <= position.seq : frame.rev !== undefined && frame.rev <= position.rev;
}

/** Keeps the counts of a view up with a change of one item. True if the server has to count again. */
function keepCounted<Shown extends Item>(view: ViewState<Shown>, { seq, before, after, rev, source }: Move<Shown>): boolean {
  const { counted, floor } = view.loaded;
  if (counted === null || view.isComplete || view.isWhole || (source === "listed" && before === undefined)) {
    return false;
  }
  if (source === "created" ? seq <= counted.seq : rev <= counted.rev) {
    return false;
  }
  if (before === undefined && source === "changed" && seq < floor) {
    return true;
  }
  view.loaded = { ...view.loaded, counted: { ...counted, ...replaced(counted, view.own([before]), view.own([after])) } };
  return false;
}
