import { type ReactNode, useEffect } from "react";
import { useNow } from "../time/now.ts";
import { useFeed } from "./feed.tsx";
import { useInbox } from "./inbox-context.ts";
import { Item } from "./item.tsx";
import type { Row } from "./rows.ts";
import { Empty, Failed, Loading } from "./states.tsx";
import { useFeedFocus } from "./use-feed-focus.ts";
import { useWindow } from "./use-window.ts";

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
  // In a browser the size of the list says how many rows there are, but for the moment in which it takes a server's page over.
  const isPlaced = useNow() !== null;
  const focus = useFeedFocus();
  const loadIfNear = () => {
    const box = scroller.current;
    if (box !== null && hasMore && !isLoadingMore && box.scrollHeight - box.scrollTop - box.clientHeight < AHEAD_PX) {
      void fetchMore();
    }
  };
  const onScroll = () => {
    setAtTop((scroller.current?.scrollTop ?? 0) <= TOP_PX);
    loadIfNear();
  };
  const { shown, tops, list } = useWindow({ scroller, rows, kept: focus.kept, onScroll });
  // The rows may not fill the list, or have become fewer.
  useEffect(loadIfNear);
  const places = isPlaced ? shown : [...rows.keys()].slice(0, SERVER_ROWS);
  return (
    <div
      ref={list}
      role="feed"
      aria-label={tab.label}
      aria-busy={isLoadingMore || notifications.status === "loading"}
      style={isPlaced ? { position: "relative", height: tops.at(-1) } : undefined}
      onKeyDown={focus.onKeyDown}
      onFocusCapture={focus.onFocus}
    >
      {places.map((index) => {
        const row = rows[index];
        return (
          row && (
            <div
              key={row.item.id}
              data-row={index}
              style={isPlaced ? { position: "absolute", width: "100%", top: tops[index] } : undefined}
            >
              {children ? children(row, index) : <Item row={row} index={index} />}
            </div>
          )
        );
      })}
    </div>
  );
}
