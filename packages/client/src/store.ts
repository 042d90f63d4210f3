import { Base } from "./base.ts";
import type { Change } from "./change.ts";
import type { Counts, Item, Tally } from "./item.ts";
import { type Overlay, overlay } from "./overlay.ts";
import type { ViewState } from "./view.ts";

/** While much happens, listeners are told this often at the most. */
const TOLD_EVERY_MS = 100;

/** What happens to a client besides the snapshots of its views. */
interface StoreEvents {
  /** Counts or pending changes may have changed. */
  changed(): void;
  /** The server has to count. */
  uncounted(): void;
  /** Views that are shown may be wrong. */
  stale(): void;
}

/**
 * The state of one client: what the server said, and the journal of changes that it has not answered yet. All that is shown is
 * the one with the other applied to it. A change that is refused leaves the journal, and with it its effect, and nothing else.
 */
export class Store<Shown extends Item> {
  readonly base = new Base<Shown>();
  /** The changes that the server has not answered, in their order. */
  readonly journal = new Map<string, Change>();
  readonly views = new Map<string, ViewState<Shown>>();
  /** The views that the server has to count. */
  readonly uncounted = new Set<ViewState<Shown>>();
  /** Whether the server has to count. */
  isUncounted = false;
  readonly events: StoreEvents;
  /** Which snapshots were told last. */
  readonly #told = new WeakMap<ViewState<Shown>, object>();
  #overlay: Overlay<Shown> | null = null;
  /** The views whose snapshots are made of the present state. */
  #fresh = new Set<ViewState<Shown>>();
  #toldAtMs = 0;
  #isTelling = false;

  constructor(events: StoreEvents) {
    this.events = events;
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

  /** Shows a change at once. */
  add(change: Change): void {
    this.journal.set(change.id, change);
    this.changed();
  }

  /** Ends a change, and with it its effect on what is shown. */
  end(id: string): Change | undefined {
    const change = this.journal.get(id);
    this.journal.delete(id);
    this.changed();
    return change;
  }

  /** Takes counts. If the numbering began anew, everything does. */
  count(counts: Counts): void {
    if (!this.base.count(counts)) {
      this.base.begin(counts);
      this.recountAll();
      this.reload();
    }
  }

  /** Loads everything again that is shown. */
  reload(): void {
    for (const view of this.views.values()) {
      view.isStale = true;
    }
    this.events.stale();
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

  /** Has the server count soon: the inbox, and a view if one is given. */
  recount(view?: ViewState<Shown>): void {
    if (view !== undefined) {
      this.uncounted.add(view);
    }
    this.isUncounted = true;
    this.events.uncounted();
  }

  /** Has the server count all that it has to count: there may have been changes that nothing told of. */
  recountAll(): void {
    this.recount();
    for (const view of this.views.values()) {
      if (!view.isWhole && !view.isComplete) {
        this.recountIfShown(view);
      }
    }
  }

  /** Has the server count a view that somebody listens to. Others are loaded, and counted, when somebody does. */
  recountIfShown(view: ViewState<Shown>): void {
    if (view.listeners.size > 0) {
      this.recount(view);
    } else {
      view.isStale = true;
      view.loaded = { ...view.loaded, counted: null };
    }
  }

  /** The views that somebody listens to. */
  get looked(): readonly ViewState<Shown>[] {
    return [...this.views.values()].filter(({ listeners }) => listeners.size > 0);
  }

  get #shown(): Overlay<Shown> {
    this.#overlay ??= overlay(this.base, this.journal.values());
    return this.#overlay;
  }

  #tell(): void {
    this.#isTelling = false;
    this.#toldAtMs = Date.now();
    this.events.changed();
    for (const view of this.looked) {
      this.refresh(view);
      if (this.#told.get(view) !== view.snapshot) {
        this.#told.set(view, view.snapshot);
        for (const listener of view.listeners) {
          listener();
        }
      }
    }
  }
}
