import { Base, type Move } from "./base.ts";
import { type Change, effectOf } from "./change.ts";
import { type ChangeFrame, type Frame, isOfMany, isUntold, type StateFrame } from "./frame.ts";
import type { Http } from "./http.ts";
import { type Counts, type Item, parsePosition, type Tally } from "./item.ts";
import { Loader } from "./loader.ts";
import { type Overlay, overlay } from "./overlay.ts";
import type { ViewState } from "./view.ts";

/** While much happens, listeners are told this often at the most. */
const TOLD_EVERY_MS = 50;

/** What happens to a client besides its snapshots. */
export interface StoreEvents<Shown extends Item> {
  /** A new item was told of, live. */
  received(item: Shown): void;
  /** Counts or pending changes may have changed. */
  changed(): void;
}

/**
 * The state of one client: what the server said, and the journal of changes that it has not answered yet. All that is shown is
 * the one with the other applied to it. A change that is refused leaves the journal, and with it its effect, and nothing else.
 */
export class Store<Shown extends Item> {
  readonly base = new Base<Shown>((move) => this.#follow(move));
  /** The changes that the server has not answered, in their order. */
  readonly journal = new Map<string, Change>();
  readonly views = new Map<string, ViewState<Shown>>();
  readonly loader: Loader<Shown>;
  readonly #events: StoreEvents<Shown>;
  readonly #isTranslated: boolean;
  /** Which snapshots were told last. */
  readonly #told = new WeakMap<ViewState<Shown>, object>();
  #overlay: Overlay<Shown> | null = null;
  /** The views whose snapshots are made of the present state. */
  #fresh = new Set<ViewState<Shown>>();
  #toldAtMs = 0;
  #isTelling = false;

  constructor(http: Http, locale: string | undefined, events: StoreEvents<Shown>) {
    this.#events = events;
    this.#isTranslated = locale !== undefined;
    this.loader = new Loader(this.base, http, { locale, changed: () => this.changed(), count: (counts) => this.count(counts) });
  }

  /** The counts, with the effect of pending changes; null before they are known. */
  get counts(): Tally | null {
    return this.#shown.counts;
  }

  /** Makes the snapshot of a view, if something has changed. */
  refresh(view: ViewState<Shown>): void {
    if (!this.#fresh.has(view)) {
      this.#fresh.add(view);
      view.refresh(this.base, this.#shown);
    }
  }

  /** Loads what is shown, but is not loaded, or may be wrong. */
  load(): Promise<unknown> {
    this.loader.goOn();
    return Promise.all(this.#looked.filter(({ isStale }) => isStale).map((view) => this.loader.load(view)));
  }

  /** Takes what the server tells. */
  take(frame: Frame<Shown>): void {
    if (this.base.wasTold(frame)) {
      return;
    }
    if (frame.type === "state") {
      this.#takeState(frame);
    } else {
      this.#takeChange(frame);
    }
    this.changed();
  }

  /** Shows a change at once. */
  add(change: Change): void {
    this.journal.set(change.id, change);
    this.changed();
  }

  /** Ends a change: with the counts of the server's answer, its effect stays; without them, it is taken back. */
  settle(id: string, counts?: Counts): Change | undefined {
    const change = this.journal.get(id);
    this.journal.delete(id);
    if (change !== undefined && counts !== undefined) {
      for (const [seq, { item }] of this.base.items) {
        const after = item && effectOf(change, item);
        if (item !== null && after !== item) {
          this.base.settle(seq, after, counts);
        }
      }
      this.count(counts);
    }
    this.changed();
    return change;
  }

  /** Takes counts. If the numbering began anew, everything does. */
  count(counts: Counts): void {
    if (!this.base.count(counts)) {
      this.base.begin(counts);
      this.reload();
    }
  }

  /** Loads everything again that is shown. */
  reload(): void {
    for (const view of this.views.values()) {
      view.isStale = true;
    }
    void this.load();
  }

  /** Notes that something changed, and tells listeners soon: at once, unless much happens. */
  changed(): void {
    this.#overlay = null;
    this.#fresh = new Set();
    if (!this.#isTelling) {
      this.#isTelling = true;
      const waitMs = this.#toldAtMs + TOLD_EVERY_MS - Date.now();
      if (waitMs > 0) {
        setTimeout(() => this.#tell(), waitMs);
      } else {
        queueMicrotask(() => this.#tell());
      }
    }
  }

  /** The views that somebody listens to. */
  get #looked(): readonly ViewState<Shown>[] {
    return [...this.views.values()].filter(({ listeners }) => listeners.size > 0);
  }

  /** Has the server count a view that somebody listens to. Others are loaded, and counted, when somebody does. */
  #recount(view: ViewState<Shown>): void {
    if (view.listeners.size > 0) {
      this.loader.recount(view);
    } else {
      view.isStale = true;
      view.loaded = { ...view.loaded, counted: null };
    }
  }

  get #shown(): Overlay<Shown> {
    this.#overlay ??= overlay(this.base, this.journal.values());
    return this.#overlay;
  }

  #tell(): void {
    this.#isTelling = false;
    this.#toldAtMs = Date.now();
    this.#events.changed();
    for (const view of this.#looked) {
      this.refresh(view);
      if (this.#told.get(view) !== view.snapshot) {
        this.#told.set(view, view.snapshot);
        for (const listener of view.listeners) {
          listener();
        }
      }
    }
  }

  #follow(move: Move<Shown>): void {
    for (const view of this.views.values()) {
      if (view.follow(move)) {
        this.#recount(view);
      }
    }
  }

  #takeState({ recovered, position, counts }: StateFrame): void {
    this.count(counts);
    if (recovered) {
      this.base.moveTo(parsePosition(position));
      void this.load();
    } else {
      this.base.position = parsePosition(position);
      this.reload();
    }
  }

  #takeChange(frame: ChangeFrame<Shown>): void {
    const { change, seq, counts } = frame;
    const item = this.#inLocale(frame);
    const isNew = change === "created" && seq > (this.base.position?.seq ?? 0);
    const isKnown = frame.seqs?.every((one) => this.base.items.get(one)?.told) ?? false;
    if (change === "woken" && item !== null) {
      for (const view of this.views.values()) {
        view.woken.add(item.id);
      }
    }
    if (!this.base.apply({ ...frame, item }) || counts === undefined) {
      this.loader.recount();
    }
    if (isOfMany(frame)) {
      for (const view of this.views.values()) {
        this.#changeMany(frame, view, isKnown);
      }
    }
    if (isNew && item !== null) {
      this.#events.received(item);
    }
  }

  /** The server tells the texts as they are stored. In another language they stay as they were listed, and new ones are listed. */
  #inLocale({ item, seq, change }: ChangeFrame<Shown>): Shown | null {
    if (!this.#isTranslated || item === null) {
      return item;
    }
    const known = this.base.items.get(seq)?.item;
    if (!known || change === "updated") {
      this.reload();
      return item;
    }
    const { title, message } = known;
    return { ...item, title, message };
  }

  /** After a change of many: a view lacks the items that it gained if they were not known. */
  #changeMany(frame: ChangeFrame<Shown>, view: ViewState<Shown>, isKnown: boolean): void {
    const { read, seen, archived } = view.filter;
    const verb = frame.change.split("_")[0];
    const gains = { read: read === true || seen === true, seen: seen === true, archived: archived === true }[verb ?? ""] ?? false;
    if (isUntold(frame) || (gains && !isKnown)) {
      view.isStale = true;
      void this.load();
    } else if (!view.isComplete && !view.isWhole) {
      this.#recount(view);
    }
  }
}
