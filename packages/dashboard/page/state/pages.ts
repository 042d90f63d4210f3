import { useRef, useState } from "preact/hooks";
import { ApiFailure } from "./api.ts";
import { type Resource, useResource } from "./resource.ts";

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** The pages of a list that are shown. */
export interface Pages<Item, First extends Page<Item>> {
  /** The first page, with the items of all shown pages. */
  readonly shown: Resource<First>;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  /** Whether so much is new that it does not join what is shown; {@link restart} shows it. */
  readonly hasGap: boolean;
  /** Shows one more page: loads that page alone. */
  more(): void;
  /** Shows the newest page alone. */
  restart(): void;
  /** Replaces items on show by what `change` makes of them, and drops those of which it makes null. */
  change(change: (item: Item) => Item | null): void;
}

/** Loads the pages of a list. */
interface Source<Item, First extends Page<Item>> {
  first(signal: AbortSignal): Promise<First>;
  after(cursor: string, signal?: AbortSignal): Promise<Page<Item>>;
  /** Tells an item from the others. */
  keyOf(item: Item): string;
  /** How many of the pages on show are loaded again when something changed. Older ones stay as they are. @default 1 */
  readonly reloaded?: number;
}

/** Newest pages, and how many they are. */
interface Head<First> {
  readonly page: First;
  readonly pageCount: number;
}

/** What is on show. */
interface List<First> extends Head<First> {
  readonly key: string;
  /** The newest page, which does not join the others; null if it does. */
  readonly apart: First | null;
}

/** A page that is asked for behind a list, or could not be loaded. */
interface Asked {
  readonly key: string;
  readonly failure: ApiFailure | null;
}

/**
 * Loads the pages of a list one by one. When `revision` changes it loads the first ones anew and joins them to those that follow, which
 * stay on show as they are. `key` is that of {@link useResource}.
 */
export function usePages<Item, First extends Page<Item>>(key: string, source: Source<Item, First>, revision: number): Pages<Item, First> {
  const known = useRef<List<First> | null>(null);
  const asked = useRef<Asked | null>(null);
  const [, setShown] = useState(0);
  const show = () => setShown((before) => before + 1);
  if (known.current !== null && known.current.key !== key) {
    known.current = null;
    asked.current = null;
  }
  const loaded = useResource(
    key,
    async (signal) => {
      const head = await loadHead(source, Math.min(known.current?.pageCount ?? 1, source.reloaded ?? 1), signal);
      signal.throwIfAborted();
      const isGrowing = asked.current !== null;
      known.current = joined(known.current, { key, ...head }, { keyOf: source.keyOf, isGrowing });
    },
    revision,
  );
  const list = known.current;
  const more = async () => {
    const question: Asked = { key, failure: null };
    asked.current = question;
    show();
    const outcome = await source.after(list?.page.nextCursor ?? "").catch(ApiFailure.of);
    // Another list may be on show by now.
    if (asked.current === question && known.current !== null) {
      const isFailure = outcome instanceof ApiFailure;
      asked.current = isFailure ? { key, failure: outcome } : null;
      known.current = isFailure ? known.current : longer(known.current, outcome, source.keyOf);
      show();
    }
  };
  const older = asked.current;
  return {
    shown: {
      value: list?.page ?? null,
      failure: loaded.failure ?? older?.failure ?? null,
      isLoading: loaded.isLoading,
      reload: older !== null && older.failure !== null ? () => void more() : loaded.reload,
    },
    hasMore: (list?.page.nextCursor ?? null) !== null,
    isLoadingMore: older !== null && older.failure === null,
    hasGap: (list?.apart ?? null) !== null,
    more: () => void more(),
    restart() {
      asked.current = null;
      known.current = list?.apart ? { key, page: list.apart, pageCount: 1, apart: null } : list;
      show();
    },
    change(change) {
      const now = known.current;
      const items = now?.page.items.flatMap((item) => change(item) ?? []) ?? [];
      if (now !== null && (items.length < now.page.items.length || items.some((item, place) => item !== now.page.items[place]))) {
        known.current = { ...now, page: { ...now.page, items } };
        show();
      }
    },
  };
}

/** Loads up to `count` pages from the first one on. */
async function loadHead<Item, First extends Page<Item>>(
  source: Source<Item, First>,
  count: number,
  signal: AbortSignal,
): Promise<Head<First>> {
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
}

/** A list with its newest pages replaced. What follows the last item that both have stays, if it was shown or is about to grow. */
function joined<Item, First extends Page<Item>>(
  before: List<First> | null,
  { key, page, pageCount }: Omit<List<First>, "apart">,
  { keyOf, isGrowing }: { readonly keyOf: (item: Item) => string; readonly isGrowing: boolean },
): List<First> {
  if (before === null || page.nextCursor === null || (before.pageCount <= pageCount && !isGrowing)) {
    return { key, page, pageCount, apart: null };
  }
  const head = new Set(page.items.map(keyOf));
  const last = before.page.items.findLastIndex((item) => head.has(keyOf(item)));
  if (last === -1) {
    return { ...before, apart: page };
  }
  const rest = before.page.items.slice(last + 1);
  const { nextCursor } = rest.length === 0 ? page : before.page;
  return { key, page: { ...page, items: [...page.items, ...rest], nextCursor }, pageCount: before.pageCount, apart: null };
}

/** A list with one more page. The page may begin with items that the list has by now. */
function longer<Item, First extends Page<Item>>(
  list: List<First>,
  { items, nextCursor }: Page<Item>,
  keyOf: (item: Item) => string,
): List<First> {
  const has = new Set(list.page.items.map(keyOf));
  const added = items.filter((item) => !has.has(keyOf(item)));
  return { ...list, page: { ...list.page, items: [...list.page.items, ...added], nextCursor }, pageCount: list.pageCount + 1 };
}
