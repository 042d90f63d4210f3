import type { Base } from "./base.ts";
import { type Filter, filterKey, isThere, meets } from "./filter.ts";
import type { Item, Position, Tally } from "./item.ts";
import { type Overlay, replaced, sumOf } from "./overlay.ts";
import type { ClientError } from "./result.ts";

/** How many items of a view there are. */
export interface ViewCounts extends Tally {
  /** Whether there are so many that older ones were not counted. */
  readonly more: boolean;
}

/** A view at one moment. It is immutable, and the same object until something changes. */
export interface ViewSnapshot<Shown extends Item = Item> {
  /** The items that match, newest first, down to the oldest one that was loaded. */
  readonly items: readonly Shown[];
  /** The items to show above them: pinned ones, then unread ones that were put off and came back. For a view without a filter. */
  readonly top: readonly Shown[];
  /** `idle` before it was loaded. After `error`, the items are those that were known. */
  readonly status: "idle" | "loading" | "ready" | "error";
  /** Whether there are older items that `fetchMore` loads. */
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  /** How many items match; null before they were counted. */
  readonly counts: ViewCounts | null;
  /** Why the last loading failed. */
  readonly error: ClientError | null;
}

/** The number from which on nothing is known. */
export const NOWHERE = Number.POSITIVE_INFINITY;

/** How far a view was loaded, and what the server counted. */
export interface Loaded {
  readonly status: ViewSnapshot["status"];
  /** All items that match are known from this number on. */
  readonly floor: number;
  /** Leads to the next page; null at the end. */
  readonly cursor: string | null;
  readonly isLoadingMore: boolean;
  readonly error: ClientError | null;
  /** The counts that the server gave, and the place of that moment; kept up with what changed since. */
  readonly counted: (ViewCounts & Pick<Position, "seq" | "rev">) | null;
}

/** The state of one view: which of the known items it has, and how many there are. */
export class ViewState<Shown extends Item> {
  readonly filter: Filter;
  readonly key: string;
  readonly pageSize: number;
  readonly listeners = new Set<() => void>();
  /** The items without a category that the server says are in one of the filter's. */
  readonly placed = new Set<string>();
  /** The items that were put off and came back. */
  readonly woken = new Set<string>();
  /** Whether what it shows may be wrong, so that it is loaded again when somebody looks. */
  isStale = true;
  loaded: Loaded = {
    ...{ status: "idle", floor: NOWHERE, cursor: null, isLoadingMore: false, error: null, counted: null },
  };
  #snapshot: ViewSnapshot<Shown> = {
    ...{ items: [], top: [], status: "idle", hasMore: false, isLoadingMore: false, counts: null, error: null },
  };

  constructor(filter: Filter, pageSize: number) {
    this.filter = filter;
    this.key = filterKey(filter);
    this.pageSize = pageSize;
  }

  /** Whether it shows all active items. */
  get isWhole(): boolean {
    return this.key === "[]";
  }

  /** Whether it was loaded, and has something to show. */
  get isLoaded(): boolean {
    return this.loaded.floor !== NOWHERE;
  }

  /** Whether it knows every item that matches, so that it counts them itself. */
  get isComplete(): boolean {
    return this.loaded.floor === 0;
  }

  get snapshot(): ViewSnapshot<Shown> {
    return this.#snapshot;
  }

  /** Whether it shows an item, if that is known. */
  matches(item: Item): boolean {
    const { filter } = this;
    const known = this.placed.has(item.id) && filter.categories !== undefined ? { ...filter, categories: [""] } : filter;
    return isThere(item, filter) && meets(item, known);
  }

  /** Those of some items that it shows. */
  own(items: readonly (Shown | null | undefined)[]): readonly Shown[] {
    return items.filter((item): item is Shown => Boolean(item && this.matches(item)));
  }

  /** Makes the snapshot. It stays the same object if nothing is different. */
  refresh(base: Base<Shown>, { items: changed, counts }: Overlay<Shown>): void {
    const { status, floor, cursor, isLoadingMore, error } = this.loaded;
    const shown: Shown[] = [];
    for (const [seq, known] of base.items) {
      const item = changed.has(seq) ? changed.get(seq) : known.item;
      if (item && this.matches(item)) {
        shown.push(item);
      }
    }
    shown.sort((one, other) => other.seq - one.seq);
    const items = shown.filter(({ seq }) => seq >= floor);
    const next = {
      ...{ items, top: this.isWhole ? this.#top(shown) : [], status, hasMore: cursor !== null, isLoadingMore, error },
      counts: this.isWhole ? counts && { ...counts, more: false } : this.#counts(base, changed, items),
    };
    this.#snapshot = isEqual(next, this.#snapshot) ? this.#snapshot : next;
  }

  /** Pinned items, then unread ones that came back. */
  #top(items: readonly Shown[]): readonly Shown[] {
    const isWoken = ({ id, pinnedAt, readAt }: Shown) => pinnedAt === null && readAt === null && this.woken.has(id);
    return [...items.filter(({ pinnedAt }) => pinnedAt !== null), ...items.filter(isWoken)];
  }

  #counts(base: Base<Shown>, changed: Overlay<Shown>["items"], items: readonly Shown[]): ViewCounts | null {
    const { counted } = this.loaded;
    if (this.isComplete) {
      return { ...sumOf(items), more: false };
    }
    if (counted === null) {
      return null;
    }
    const before = [...changed.keys()].map((seq) => base.items.get(seq)?.item);
    return { ...replaced(counted, this.own(before), this.own([...changed.values()])), more: counted.more };
  }
}

/** Whether two JSON values are equal. */
export function isEqual(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one === other || (one.length === other.length && one.every((value, index) => isEqual(value, other[index])));
  }
  if (one === other || !isRecord(one) || !isRecord(other)) {
    return one === other;
  }
  // A long list may have as many pairs to compare as it has items, so nothing is made for each of them.
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => isEqual(one[name], other[name]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
