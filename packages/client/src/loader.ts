import type { Base } from "./base.ts";
import { type Http, resultOf } from "./http.ts";
import { type Counts, type Item, momentOf, positionOf } from "./item.ts";
import type { Loaded, ViewCounts, ViewState } from "./view.ts";

/** The most items of a page. */
const MAX_LIMIT = 100;
/** The most items of a view that are loaded again at once. Older ones come with `fetchMore`. */
const MAX_RELOADED = 1_000;
/** The most filters that are counted at once. */
const MAX_FILTERS = 30;
/** Counts are asked for this long after the first reason: there may be more. */
const COUNT_AFTER_MS = 200;

interface Page<Shown extends Item> {
  readonly items: readonly Shown[];
  readonly top?: readonly Shown[];
  readonly nextCursor: string | null;
  readonly counts: Counts;
}

interface CountsAnswer {
  readonly counts: Counts;
  readonly filtered: readonly ViewCounts[];
}

/** What a {@link Loader} needs besides the base. */
export interface LoaderParts {
  readonly locale: string | undefined;
  /** Is called when something was loaded. */
  changed(): void;
  /** Is called with counts of whatever was loaded. */
  count(counts: Counts): void;
}

/** Loads pages of lists, and counts, from the server. */
export class Loader<Shown extends Item> {
  readonly #base: Base<Shown>;
  readonly #http: Http;
  readonly #parts: LoaderParts;
  /** The loading of each view that is under way. */
  readonly #loading = new Map<ViewState<Shown>, Promise<void>>();
  /** The views that the server has to count. */
  readonly #uncounted = new Set<ViewState<Shown>>();
  #counting: ReturnType<typeof setTimeout> | null = null;
  #isOwed = false;

  constructor(base: Base<Shown>, http: Http, parts: LoaderParts) {
    this.#base = base;
    this.#http = http;
    this.#parts = parts;
  }

  /** Loads a view from its newest item on, as far as it was loaded before. */
  load(view: ViewState<Shown>): Promise<void> {
    view.isStale = true;
    return this.#once(view, async () => {
      const isShown = view.loaded.floor !== Number.POSITIVE_INFINITY;
      view.loaded = { ...view.loaded, status: isShown ? "ready" : "loading", error: null };
      this.#parts.changed();
      while (view.isStale) {
        view.isStale = false;
        await this.#loadPages(view);
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
        this.#parts.changed();
        const loaded = await this.#loadPage(view, { cursor, limit: view.pageSize, to: floor - 1 });
        view.loaded = { ...view.loaded, ...loaded };
      });
    }
  }

  /** Has the server count soon: the inbox, and a view if one is given. */
  recount(view?: ViewState<Shown>): void {
    this.#counting ??= setTimeout(() => void resultOf(this.count()), COUNT_AFTER_MS);
    if (view !== undefined) {
      this.#uncounted.add(view);
    }
  }

  /** Asks nothing by itself until {@link goOn}. */
  rest(): void {
    this.#isOwed ||= this.#counting !== null;
    clearTimeout(this.#counting ?? undefined);
    this.#counting = null;
  }

  /** Has the server count soon if it was to when the client stopped. */
  goOn(): void {
    if (this.#isOwed) {
      this.#isOwed = false;
      this.recount();
    }
  }

  /** Has the server count now. @throws RequestError; what was to be counted is counted with the next counts */
  async count(): Promise<void> {
    const views = [...this.#uncounted].slice(0, MAX_FILTERS);
    this.#counting = null;
    const filters = views.length === 0 ? undefined : JSON.stringify(views.map(({ filter }) => filter));
    const { counts, filtered } = await this.#http.json<CountsAnswer>("/inbox/counts", { query: { filters } });
    this.#parts.count(counts);
    const moment = momentOf(positionOf(counts));
    for (const [index, view] of views.entries()) {
      const counted = filtered[index];
      this.#uncounted.delete(view);
      view.loaded = { ...view.loaded, counted: counted === undefined ? null : { ...counted, moment } };
      // What was told meanwhile is not in it.
      if (this.#base.position !== null && momentOf(this.#base.position) > moment) {
        this.recount(view);
      }
    }
    this.#parts.changed();
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
      const isShown = view.loaded.floor !== Number.POSITIVE_INFINITY;
      // What failed is tried again with the next connection, or by whoever looks.
      view.isStale ||= error !== null;
      view.loaded = { ...view.loaded, status: isShown ? "ready" : "error", isLoadingMore: false, error };
      this.#parts.changed();
      if (!view.isComplete && !view.isWhole && view.loaded.counted === null && isShown) {
        this.recount(view);
      }
    });
    this.#loading.set(view, loading);
    return loading;
  }

  /** Loads the first page, and those after it as far as the view was loaded. */
  async #loadPages(view: ViewState<Shown>): Promise<void> {
    const { floor } = view.loaded;
    const limit = Math.min(Math.max(view.pageSize, view.snapshot.items.length), MAX_LIMIT);
    let loaded: Pick<Loaded, "floor" | "cursor"> = { floor: Number.POSITIVE_INFINITY, cursor: null };
    for (let count = 0; count < MAX_RELOADED; count += limit) {
      loaded = await this.#loadPage(view, { cursor: loaded.cursor ?? undefined, limit, to: loaded.floor - 1 });
      if (loaded.cursor === null || loaded.floor <= Math.min(floor, Number.MAX_SAFE_INTEGER)) {
        break;
      }
    }
    view.loaded = { ...view.loaded, ...loaded };
  }

  /** Loads one page of items up to a number. Answers how far it reaches, and how to go on. */
  async #loadPage(
    view: ViewState<Shown>,
    { cursor, limit, to }: { readonly cursor: string | undefined; readonly limit: number; readonly to: number },
  ): Promise<Pick<Loaded, "floor" | "cursor">> {
    const { filter, isWhole } = view;
    const query = { filter: isWhole ? undefined : JSON.stringify(filter), limit, cursor, locale: this.#parts.locale };
    let floor = to + 1;
    const { nextCursor } = await this.#base.reading(
      () => this.#http.json<Page<Shown>>("/inbox", { query }),
      ({ items, top = [], nextCursor: next, counts }) => {
        this.#parts.count(counts);
        noteMarks(view, items, top);
        floor = next === null ? 0 : Math.min(items.at(-1)?.seq ?? floor, counts.lastSeq + 1);
        this.#base.list({ items: top, counts });
        this.#base.list({ items, counts, range: { filter, from: floor, to } });
      },
    );
    return { floor, cursor: nextCursor };
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
