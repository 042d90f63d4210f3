import { type FocusEvent, type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useFeed } from "./feed.tsx";
import { useInbox } from "./inbox-context.ts";

const ARTICLE = "article[data-index]";

/** What a feed needs to keep its focus. */
export interface FeedFocus {
  /** The row with the focus, which stays in the document out of sight, with those beside it; -1 for none. */
  readonly kept: number;
  onKeyDown(event: KeyboardEvent<HTMLElement>): void;
  onFocus(event: FocusEvent<HTMLElement>): void;
}

/** The article that an element is, or is in. */
function articleOf(element: EventTarget): HTMLElement | null {
  return element instanceof Element ? element.closest<HTMLElement>(ARTICLE) : null;
}

/**
 * The keys of the ARIA pattern of a feed: Page Down and Page Up lead from article to article, Control with Home or End before and behind
 * the feed. When the item with the focus leaves the list, the one in its place gets the focus.
 */
export function useFeedFocus(): FeedFocus {
  const { rows, scroller } = useFeed();
  const { panel } = useInbox();
  const [focused, setFocused] = useState<string | null>(null);
  // Where the item with the focus was, until it is gone.
  const lastIndex = useRef(0);
  const index = focused === null ? -1 : rows.findIndex(({ item }) => item.id === focused);

  const focusRow = useCallback(
    (target: number) => {
      const article = scroller.current?.querySelector<HTMLElement>(`article[data-index="${target}"]`);
      article?.scrollIntoView({ block: "nearest" });
      article?.focus({ preventScroll: true });
    },
    [scroller],
  );

  useEffect(() => {
    if (index >= 0) {
      lastIndex.current = index;
      return;
    }
    if (focused === null) {
      return;
    }
    setFocused(null);
    const root = scroller.current?.getRootNode();
    const active = root instanceof Document || root instanceof ShadowRoot ? root.activeElement : null;
    // The focus was lost with the item, and has not gone elsewhere.
    if (active === null || active === document.body) {
      focusRow(Math.min(lastIndex.current, rows.length - 1));
    }
  }, [index, focused, rows.length, focusRow, scroller]);

  return useMemo(
    () => ({
      // That of an item that just left is still where the focus goes on.
      kept: focused === null || index >= 0 ? index : lastIndex.current,
      onFocus(event) {
        const article = articleOf(event.target);
        const at = Number(article?.dataset.index);
        setFocused(article === null ? null : (rows[at]?.item.id ?? null));
      },
      onKeyDown(event) {
        const at = Number(articleOf(event.target)?.dataset.index);
        const step = { PageDown: 1, PageUp: -1 }[event.key];
        const target = at + (step ?? 0);
        if (step !== undefined && rows[target] !== undefined) {
          event.preventDefault();
          focusRow(target);
        } else if (event.ctrlKey && (event.key === "Home" || event.key === "End")) {
          event.preventDefault();
          const around = [...(panel.current?.querySelectorAll<HTMLElement>("button, a[href], [tabindex='0']") ?? [])];
          const outside = around.filter((element) => articleOf(element) === null && element.tabIndex >= 0);
          outside.at(event.key === "Home" ? 0 : -1)?.focus();
        }
      },
    }),
    [index, focused, rows, focusRow, panel],
  );
}
