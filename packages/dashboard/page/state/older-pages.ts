import { useEffect, useState } from "preact/hooks";
import { ApiFailure } from "./api.ts";

/** What follows the first page of a list. */
export interface OlderPages<Item> {
  readonly items: readonly Item[];
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  readonly failure: ApiFailure | null;
  more(): void;
}

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/**
 * Loads the pages after the first one, as they are asked for. The first page may be loaded anew meanwhile: what slid
 * out of it is told by `first`, and stays.
 */
export function useOlderPages<Item>(
  key: string,
  first: Page<Item> | null,
  load: (cursor: string) => Promise<Page<Item>>,
): OlderPages<Item> {
  const [held, setHeld] = useState<{ readonly items: readonly Item[]; readonly cursor: string | null } | null>(null);
  const [isLoading, setLoading] = useState(false);
  const [failure, setFailure] = useState<ApiFailure | null>(null);
  useEffect(() => setHeld(null), [key]);
  const cursor = held === null ? (first?.nextCursor ?? null) : held.cursor;
  const more = () => {
    if (cursor === null || isLoading) {
      return;
    }
    setLoading(true);
    load(cursor)
      .then((page) => {
        // What was the first page until now is kept too: newer items push its end out of it.
        const before = held?.items ?? first?.items ?? [];
        setHeld({ items: [...before, ...page.items], cursor: page.nextCursor });
        setFailure(null);
      })
      .catch((error: unknown) => setFailure(error instanceof ApiFailure ? error : new ApiFailure(String(error), 0)))
      .finally(() => setLoading(false));
  };
  return { items: held?.items ?? [], hasMore: cursor !== null, isLoading, failure, more };
}
