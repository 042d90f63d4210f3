import { useRef } from "preact/hooks";
import { type Resource, useResource } from "./resource.ts";

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** The pages of a list that are shown. */
export interface Pages<First> {
  /** The first page, with the items of all shown pages. */
  readonly shown: Resource<First>;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  /** Shows one more page. */
  more(): void;
}

/** Loads the pages of a list. */
interface Source<Item, First extends Page<Item>> {
  first(signal: AbortSignal): Promise<First>;
  after(cursor: string, signal: AbortSignal): Promise<Page<Item>>;
}

/**
 * How many pages a list loads again when something changed. A longer list falls back to this many, and a press shows
 * more: a shorter list is better than an outdated one.
 */
const MAX_RELOADED = 10;

/** Loads the pages of a list one by one, and all of them anew when `revision` changes. `key` is that of {@link useResource}. */
export function usePages<Item, First extends Page<Item>>(key: string, source: Source<Item, First>, revision: number): Pages<First> {
  const wanted = useRef({ key, count: 1 });
  if (wanted.current.key !== key) {
    wanted.current = { key, count: 1 };
  }
  const load = async (signal: AbortSignal) => {
    const { count } = wanted.current;
    wanted.current.count = Math.min(count, MAX_RELOADED);
    const first = await source.first(signal);
    let { items, nextCursor } = first;
    let pageCount = 1;
    while (pageCount < count && nextCursor !== null) {
      const next = await source.after(nextCursor, signal);
      items = [...items, ...next.items];
      ({ nextCursor } = next);
      pageCount += 1;
    }
    return { page: { ...first, items, nextCursor }, pageCount };
  };
  const { value, failure, isLoading, reload } = useResource(key, load, revision);
  return {
    shown: { value: value?.page ?? null, failure, isLoading, reload },
    hasMore: (value?.page.nextCursor ?? null) !== null,
    isLoadingMore: isLoading && value !== null && wanted.current.count > value.pageCount,
    more() {
      wanted.current.count = (value?.pageCount ?? 0) + 1;
      reload();
    },
  };
}
