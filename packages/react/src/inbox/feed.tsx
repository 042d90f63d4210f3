import { createContext, type ReactNode, type RefObject, useCallback, useContext, useMemo, useRef, useState } from "react";
import type { InboxItem } from "../hooks/registered-client.ts";
import { type Notifications, useNotifications } from "../hooks/use-notifications.ts";
import { useInbox } from "./inbox-context.ts";
import { type Row, rowsOf } from "./rows.ts";

/** The list of the tab on show, as its parts see it. */
export interface FeedValue {
  readonly notifications: Notifications;
  readonly rows: readonly Row[];
  /** How many new items wait until the reader is at the top again. */
  readonly waiting: number;
  /** The number of the newest item on show, up to which "mark all" counts. */
  readonly newest: number;
  readonly scroller: RefObject<HTMLDivElement | null>;
  setAtTop(isAtTop: boolean): void;
  /** Shows the items of a group one by one, or folds them again. */
  toggleGroup(group: string): void;
}

const FeedContext = /* @__PURE__ */ createContext<FeedValue | null>(null);

/** The list of the tab on show. @throws Error outside of a popover or a page */
export function useFeed(): FeedValue {
  const feed = useContext(FeedContext);
  if (feed === null) {
    throw new Error("@belfry/react: this part of an inbox belongs into an <Inbox.Popover> or an <Inbox.Page>.");
  }
  return feed;
}

const NO_ITEMS: readonly InboxItem[] = [];

/** Loads the list of the tab on show, and holds new items back while the reader is further down. */
export function Feed({ children }: { readonly children?: ReactNode }) {
  const { tab } = useInbox();
  const notifications = useNotifications({ filter: tab.filter });
  const { items, top } = notifications;
  const scroller = useRef<HTMLDivElement>(null);
  // The newest item when the reader left the top; null at the top.
  const [held, setHeld] = useState<{ readonly tab: string; readonly seq: number } | null>(null);
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const newestItem = items[0]?.seq ?? 0;
  const newest = held?.tab === tab.id ? held.seq : newestItem;
  const setAtTop = useCallback(
    (isAtTop: boolean) => {
      const here = { tab: tab.id, seq: newestItem };
      setHeld((before) => (isAtTop ? null : before?.tab === tab.id ? before : here));
    },
    [tab, newestItem],
  );
  const value = useMemo((): FeedValue => {
    const toggleGroup = (group: string) =>
      setUnfolded((before) => new Set(before.has(group) ? [...before].filter((one) => one !== group) : [...before, group]));
    const isWhole = tab.filter === undefined;
    const rows = rowsOf({ items, top: isWhole ? top : NO_ITEMS, newestShown: newest, unfolded });
    const first = items.findIndex(({ seq }) => seq <= newest);
    const waiting = first < 0 ? items.length : first;
    return { notifications, rows, waiting, newest, scroller, setAtTop, toggleGroup };
  }, [notifications, items, top, newest, unfolded, tab, setAtTop]);
  return <FeedContext.Provider value={value}>{children}</FeedContext.Provider>;
}
