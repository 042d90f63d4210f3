import { type FocusEvent, type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useFeed } from "./feed.tsx";

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

/** Gives the focus to what comes before a feed, or behind it; where nothing does, to the other. */
function focusAround(feed: HTMLElement, key: "Home" | "End"): void {
  const root = rootOf(feed);
  const all = [...(root?.querySelectorAll<HTMLElement>("button, a[href], input, select, [tabindex='0']") ?? [])];
  const outside = all.filter((element) => element.tabIndex >= 0 && element.offsetHeight > 0 && !feed.contains(element));
  const isBehind = (element: HTMLElement) => feed.compareDocumentPosition(element) === Node.DOCUMENT_POSITION_FOLLOWING;
  const [before, behind] = [outside.findLast((element) => !isBehind(element)), outside.find(isBehind)];
  (key === "End" ? (behind ?? before) : (before ?? behind))?.focus();
}

/** The document, or the shadow root, that an element is in. */
function rootOf(element: Element | null): Document | ShadowRoot | null {
  const root = element?.getRootNode();
  return root instanceof Document || root instanceof ShadowRoot ? root : null;
}

/**
 * The keys of the ARIA pattern of a feed: Page Down and Page Up lead from article to article, Control with Home or End before and behind
 * the feed. When the item with the focus leaves the list, the one in its place gets the focus.
 */
export function useFeedFocus(): FeedFocus {
  const { rows, scroller } = useFeed();
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
    const active = rootOf(scroller.current)?.activeElement ?? null;
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
          focusAround(event.currentTarget, event.key);
        }
      },
    }),
    [index, focused, rows, focusRow],
  );
}
