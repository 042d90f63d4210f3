import { Again } from "./again.ts";
import { reaches } from "./frame-ring.ts";
import type { Http } from "./http.ts";
import { type Counts, type Item, type Position, positionOf } from "./item.ts";
import { resultOf } from "./result.ts";
import type { Store } from "./store.ts";
import type { ViewCounts, ViewState } from "./view.ts";

/** The most filters that are counted at once. */
const MAX_FILTERS = 30;
/** Counts are asked for this long after the first reason: there may be more. Each time that they do not fit, it is twice as long, up to 8 times. */
const COUNT_AFTER_MS = 200;
const MAX_DOUBLINGS = 3;

interface CountsAnswer {
  readonly counts: Counts;
  readonly filtered: readonly ViewCounts[];
}

/**
 * Has the server count what a store cannot count itself.
 *
 * Counts of a view are kept up with what is told of its items from their place on. That is right only if the items were known as of the same
 * place: an item may be known as of a later one, since what is told of a change has its item as it is by then. So counts fit if the
 * client had been told of exactly as much when it asked, and had learned of nothing more when it was answered. Others are shown, but asked for
 * again once everything was told that the client knows of.
 */
export class Counter<Shown extends Item> {
  readonly #http: Http;
  readonly #store: Store<Shown>;
  readonly #again = new Again(() => this.goOn());
  /** The views whose counts may not fit. */
  readonly #unfit = new Set<ViewState<Shown>>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #doublings = 0;

  constructor(http: Http, store: Store<Shown>) {
    this.#http = http;
    this.#store = store;
  }

  /** Has the server count soon, if it is to. */
  goOn(): void {
    if (this.#store.isUncounted) {
      this.#timer ??= setTimeout(() => void this.#countOrTryAgain(), COUNT_AFTER_MS * 2 ** this.#doublings);
    }
  }

  /** The server can be reached: what is to be counted is asked for soon, and again if that fails. */
  hurry(): void {
    this.#again.hurry();
  }

  /** Asks nothing by itself until {@link goOn}. */
  rest(): void {
    this.#again.rest();
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
  }

  /** Has the server count again what did not fit, if everything is told by now. */
  fit(): void {
    const { position, counts } = this.#store.base;
    if (this.#unfit.size > 0 && position !== null && counts !== null && reaches(position, positionOf(counts))) {
      for (const view of this.#unfit) {
        this.#store.recountIfShown(view);
      }
      this.#unfit.clear();
    }
  }

  /** Has the server count now. @throws RequestError; what was to be counted is still to be */
  async count(): Promise<void> {
    const { base, uncounted } = this.#store;
    const views = [...uncounted].slice(0, MAX_FILTERS);
    const before = base.position;
    this.#timer = null;
    this.#store.isUncounted = false;
    for (const view of views) {
      uncounted.delete(view);
    }
    const { counts, filtered } = await this.#ask(views);
    this.#store.count(counts);
    const place = positionOf(counts);
    const isFit = [before ?? place, base.position, base.counts && positionOf(base.counts)].every((known) => isAt(known, place));
    for (const [index, view] of views.entries()) {
      const counted = filtered[index];
      view.loaded = { ...view.loaded, counted: counted === undefined ? null : { ...counted, ...place } };
      if (!isFit) {
        this.#unfit.add(view);
      }
    }
    this.#doublings = isFit || views.length === 0 ? 0 : Math.min(this.#doublings + 1, MAX_DOUBLINGS);
    if (uncounted.size > 0) {
      this.#store.recount();
    }
    this.fit();
    this.#store.changed();
  }

  async #ask(views: readonly ViewState<Shown>[]): Promise<CountsAnswer> {
    const filters = views.length === 0 ? undefined : JSON.stringify(views.map(({ filter }) => filter));
    try {
      return await this.#http.json<CountsAnswer>("/inbox/counts", { query: { filters } });
    } catch (thrown) {
      for (const view of views) {
        this.#store.uncounted.add(view);
      }
      this.#store.isUncounted = true;
      throw thrown;
    }
  }

  async #countOrTryAgain(): Promise<void> {
    const result = await resultOf(this.count());
    this.#again.ended(result.ok ? null : result.error);
  }
}

function isAt(known: Position | null, place: Position): boolean {
  return known !== null && reaches(known, place) && reaches(place, known);
}
