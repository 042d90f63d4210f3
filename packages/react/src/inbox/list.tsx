import { type ReactNode, useEffect, useRef } from "react";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import { useNow } from "../time/now.ts";
import { useFeed } from "./feed.tsx";
import { useInbox } from "./inbox-context.ts";
import { Item } from "./item.tsx";
import type { Row } from "./rows.ts";
import { Empty, Failed, Loading } from "./states.tsx";
import { useFeedFocus } from "./use-feed-focus.ts";

/** How far from the end older items are asked for. */
const AHEAD_PX = 800;
/** The reader counts as being at the top within this distance. */
const TOP_PX = 8;

/** How many rows a server renders. */
const SERVER_ROWS = 20;

/** What {@link List} takes. */
export interface ListProps {
  /** Makes one row. @default `<Inbox.Item row={row} index={index} />` */
  readonly children?: ((row: Row, index: number) => ReactNode) | undefined;
}

/** The items of the tab on show, of which only those in sight are in the document, after the pattern of a feed. */
export function List({ children }: ListProps) {
  const { id, tab, tabs } = useInbox();
  const { notifications, rows, scroller } = useFeed();
  const { status } = notifications;
  const panel = tabs.length < 2 ? {} : { role: "tabpanel", "aria-labelledby": `${id}-tab-${tab.id}` };
  // Each tab scrolls by itself, and begins at its top.
  return (
    <div key={tab.id} ref={scroller} id={`${id}-list`} className="belfry-scroll" tabIndex={-1} {...panel}>
      {rows.length === 0 && status === "error" && <Failed />}
      {rows.length === 0 && status === "ready" && <Empty />}
      {rows.length === 0 && (status === "loading" || status === "idle") && <Loading />}
      {rows.length > 0 && <Rows>{children}</Rows>}
      {rows.length > 0 && notifications.isLoadingMore && <Loading />}
    </div>
  );
}

function Rows({ children }: ListProps) {
  const { tab } = useInbox();
  const { notifications, rows, scroller, setAtTop } = useFeed();
  const { hasMore, isLoadingMore, fetchMore } = notifications;
  const virtualizer = useRef<VirtualizerHandle>(null);
  // In a browser the size of the list says how many rows there are, but for the moment in which it takes a server's page over.
  const serverRows = useNow() === null ? Math.min(rows.length, SERVER_ROWS) : 0;
  const focus = useFeedFocus(virtualizer);
  const loadIfNear = () => {
    const list = virtualizer.current;
    if (list !== null && hasMore && !isLoadingMore && list.scrollSize - list.scrollOffset - list.viewportSize < AHEAD_PX) {
      void fetchMore();
    }
  };
  // The rows may not fill the list, or have become fewer.
  useEffect(loadIfNear);
  const onScroll = (offset: number) => {
    setAtTop(offset <= TOP_PX);
    loadIfNear();
  };
  return (
    <div
      role="feed"
      aria-label={tab.label}
      aria-busy={isLoadingMore || notifications.status === "loading"}
      onKeyDown={focus.onKeyDown}
      onFocus={focus.onFocus}
    >
      <Virtualizer
        ref={virtualizer}
        scrollRef={scroller}
        data={rows}
        ssrCount={serverRows}
        keepMounted={focus.keepMounted}
        onScroll={onScroll}
      >
        {(row: Row, index: number) => <div key={row.item.id}>{children ? children(row, index) : <Item row={row} index={index} />}</div>}
      </Virtualizer>
    </div>
  );
}
