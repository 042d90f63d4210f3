import type { Http } from "./http.ts";
import { type Counts, type Item, momentOf, positionOf } from "./item.ts";
import type { Store } from "./store.ts";
import type { ViewCounts } from "./view.ts";

/** The most filters that are counted at once. */
const MAX_FILTERS = 30;
/** Counts are asked for this long after the first reason: there may be more. */
const COUNT_AFTER_MS = 200;

interface CountsAnswer {
  readonly counts: Counts;
  readonly filtered: readonly ViewCounts[];
}

/** Has the server count what a store cannot count itself. */
export class Counter<Shown extends Item> {
  readonly #http: Http;
  readonly #store: Store<Shown>;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(http: Http, store: Store<Shown>) {
    this.#http = http;
    this.#store = store;
  }

  /** Has the server count soon, if it is to. */
  goOn(): void {
    if (this.#store.isUncounted) {
      // What fails is counted with the next counts.
      this.#timer ??= setTimeout(() => void this.count().catch(() => undefined), COUNT_AFTER_MS);
    }
  }

  /** Asks nothing by itself until {@link goOn}. */
  rest(): void {
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
  }

  /** Has the server count now. @throws RequestError; what was to be counted is counted with the next counts */
  async count(): Promise<void> {
    const { base, uncounted } = this.#store;
    const views = [...uncounted].slice(0, MAX_FILTERS);
    this.#timer = null;
    this.#store.isUncounted = false;
    const filters = views.length === 0 ? undefined : JSON.stringify(views.map(({ filter }) => filter));
    const { counts, filtered } = await this.#http.json<CountsAnswer>("/inbox/counts", { query: { filters } });
    this.#store.count(counts);
    const moment = momentOf(positionOf(counts));
    for (const [index, view] of views.entries()) {
      const counted = filtered[index];
      uncounted.delete(view);
      view.loaded = { ...view.loaded, counted: counted === undefined ? null : { ...counted, moment } };
      // What was told, or answered, meanwhile is not in it.
      if (Math.max(base.toldMoment, base.counts === null ? 0 : momentOf(positionOf(base.counts))) > moment) {
        this.#store.recount(view);
      }
    }
    this.#store.changed();
  }
}
