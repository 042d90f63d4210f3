import { useMemo } from "react";
import { useBelfry } from "./belfry-provider.tsx";
import type { InboxFilter, InboxView, InboxViewState } from "./registered-client.ts";
import { useStore } from "./use-store.ts";

/** What {@link useNotifications} takes. */
export interface UseNotificationsOptions {
  /** Only items that match. A new object with the same members is the same filter. @default active items */
  readonly filter?: InboxFilter | undefined;
  /** How many items are loaded at a time. @default the client's */
  readonly pageSize?: number | undefined;
}

/** A list of items as it is now, and what can be done with it. */
export interface Notifications extends InboxViewState {
  /** Loads older items; does nothing while it loads, and when there are no more. */
  fetchMore(): Promise<void>;
  /** Loads the newest items again. */
  refresh(): Promise<void>;
}

/**
 * The items that match a filter, newest first, kept up to date. All components with equal filters share one list.
 *
 * @example
 * const { items, hasMore, fetchMore } = useNotifications({ filter: { types: ["comment"] } });
 */
export function useNotifications({ filter, pageSize }: UseNotificationsOptions = {}): Notifications {
  const client = useBelfry();
  const key = JSON.stringify(filter ?? {});
  const view: InboxView = useMemo(
    () => client.view(JSON.parse(key) as InboxFilter, pageSize === undefined ? {} : { pageSize }),
    [client, key, pageSize],
  );
  const state = useStore(view, (all) => all);
  return useMemo(() => ({ ...state, fetchMore: () => view.fetchMore(), refresh: () => view.refresh() }), [state, view]);
}
