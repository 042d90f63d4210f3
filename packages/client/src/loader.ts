import { Again } from "./again.ts";
import { reaches } from "./frame-ring.ts";
import type { Http } from "./http.ts";
import { type Counts, type Item, positionOf } from "./item.ts";
import { resultOf } from "./result.ts";
import type { Store } from "./store.ts";
import { type Loaded, NOWHERE, type ViewState } from "./view.ts";

/** The most items of a page. */
const MAX_LIMIT = 100;
/** The most items of a view that are loaded again at once. Older ones come with `fetchMore`. */
const MAX_RELOADED = 1_000;

interface Page<Shown extends Item> {
  readonly items: readonly Shown[];
  readonly top?: readonly Shown[];
  readonly nextCursor: string | null;
  readonly counts: Counts;
}

/** How far a view is loaded, and how to go on. */
type Reach = Pick<Loaded, "floor" | "cursor">;

/** Loads pages of lists, and counts, from the server. */
export class Loader<Shown extends Item> {
  readonly #http: Http;
  readonly #store: Store<Shown>;
  readonly #locale: string | undefined;
  readonly #again = new Again(() => this.loadStale());
  /** The loading of each view that is under way. */
  readonly #loading = new Map<ViewState<Shown>, Promise<void>>();

  constructor(http: Http, store: Store<Shown>, locale: string | undefined) {
    this.#http = http;
    this.#store = store;
    this.#locale = locale;
  }

  /** The server can be reached: loads what is shown, but is not loaded, or may be wrong, and again if that fails. */
  hurry(): void {
    this.#again.hurry();
  }

  /** Loads nothing by itself that failed. */
  rest(): void {
    this.#again.rest();
  }

  /** Loads what is shown, but is not loaded, or may be wrong. */
  loadStale(): void {
    for (const view of this.#store.looked) {
      if (view.isStale) {
        void this.load(view);
      }
    }
  }

  /** Loads a view from its newest item on, as far as it was loaded before. */
  load(view: ViewState<Shown>): Promise<void> {
    view.isStale = true;
    return this.#once(view, async () => {
      view.loaded = { ...view.loaded, status: view.isLoaded ? "ready" : "loading", error: null };
      this.#store.changed();
      while (view.isStale) {
        view.isStale = false;
        const limit = Math.min(Math.max(view.pageSize, view.snapshot.items.length), MAX_LIMIT);
        await this.#loadDown(view, { cursor: null, floor: NOWHERE }, { limit, until: view.loaded.floor });
      }
    });
  }

  /** Loads the next page of older items. */
  async fetchMore(view: ViewState<Shown>): Promise<void> {
    await this.#loading.get(view);
    const { cursor, floor } = view.loaded;
    if (view.isStale) {
      await this.load(view);
    } else if (cursor !== null) {
      await this.#once(view, async () => {
        view.loaded = { ...view.loaded, isLoadingMore: true, error: null };
        this.#store.changed();
        await this.#loadDown(view, { cursor, floor }, { limit: view.pageSize, until: floor });
      });
    }
  }

  /** Does one thing to a view at a time, and notes how it ended. */
  #once(view: ViewState<Shown>, work: () => Promise<void>): Promise<void> {
    const running = this.#loading.get(view);
    if (running !== undefined) {
      return running;
    }
    const loading = resultOf(work()).then((result) => {
      this.#loading.delete(view);
      const error = result.ok ? null : result.error;
      view.isStale ||= error !== null;
      this.#again.ended(error);
      view.loaded = { ...view.loaded, status: view.isLoaded ? "ready" : "error", isLoadingMore: false, error };
      this.#store.changed();
      if (!view.isComplete && !view.isWhole && view.loaded.counted === null && view.isLoaded) {
        this.#store.recount(view);
      }
    });
    this.#loading.set(view, loading);
    return loading;
  }

  /** Loads one page after another, until they reach down to a number, or to the end. */
  async #loadDown(
    view: ViewState<Shown>,
    from: Reach,
    { limit, until }: { readonly limit: number; readonly until: number },
  ): Promise<void> {
    let reach = from;
    let count = 0;
    do {
      reach = await this.#loadPage(view, reach, limit);
      count += limit;
    } while (reach.cursor !== null && reach.floor > Math.min(until, Number.MAX_SAFE_INTEGER) && count < MAX_RELOADED);
    view.loaded = { ...view.loaded, ...reach };
  }

  /** Loads the page below what was loaded. Answers how far that reaches then. */
  async #loadPage(view: ViewState<Shown>, reach: Reach, limit: number): Promise<Reach> {
    const { filter, isWhole } = view;
    const cursor = reach.cursor ?? undefined;
    const query = { filter: isWhole ? undefined : JSON.stringify(filter), limit, cursor, locale: this.#locale };
    const { base } = this.#store;
    base.listing += 1;
    try {
      const { items, top = [], nextCursor, counts } = await this.#http.json<Page<Shown>>("/inbox", { query });
      this.#store.count(counts);
      if (base.position !== null && !reaches(base.position, positionOf(counts))) {
        // Once the changes are told that it knows of already, nothing says what they did to counts.
        this.#store.recountAll();
      }
      noteMarks(view, items, top);
      const floor = nextCursor === null ? 0 : Math.min(items.at(-1)?.seq ?? reach.floor, counts.lastSeq + 1);
      base.list({ items: top, counts });
      base.list({ items, counts, range: { filter, from: floor, to: reach.floor - 1 } });
      return { floor, cursor: nextCursor };
    } finally {
      base.listing -= 1;
      if (base.listing === 0) {
        base.recent = [];
      }
    }
  }
}

/** Notes what only the server knows of the items of a page. */
function noteMarks<Shown extends Item>({ placed, woken }: ViewState<Shown>, items: readonly Shown[], top: readonly Shown[]): void {
  for (const { id } of items.filter(({ category }) => category === null)) {
    placed.add(id);
  }
  for (const { id } of top.filter(({ pinnedAt }) => pinnedAt === null)) {
    woken.add(id);
  }
}
