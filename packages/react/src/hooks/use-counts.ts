import type { Tally } from "@belfry/client";
import { useMemo } from "react";
import { useBelfry } from "./belfry-provider.tsx";
import type { InboxFilter } from "./registered-client.ts";
import { useStore } from "./use-store.ts";

/** What {@link useCounts} takes. */
export interface UseCountsOptions {
  /** Counts only what matches. The first items of the filter are loaded, too. @default all active items */
  readonly filter?: InboxFilter | undefined;
}

/**
 * How many items there are, how many are unread and how many are unseen, kept up to date; null until that is known.
 *
 * @example
 * const counts = useCounts();
 * <span>{counts?.unread ?? 0}</span>
 */
export function useCounts({ filter }: UseCountsOptions = {}): Tally | null {
  const client = useBelfry();
  const key = filter && JSON.stringify(filter);
  const store = useMemo(() => (key === undefined ? client : client.view(JSON.parse(key) as InboxFilter)), [client, key]);
  return useStore<{ readonly counts: Tally | null }, Tally | null>(store, ({ counts }) => counts);
}
