import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

interface ViewTitleProps {
  readonly title: string;
  /** The title of the browser's tab. @default the view's title */
  readonly tab?: string;
  readonly children?: ComponentChildren;
}

/** The view's title, which takes the focus when the focused element is gone. */
export function viewTitle(): HTMLElement | null {
  return document.querySelector("h1");
}

let isFirst = true;

/** The title of a view. It takes the focus when a person opens the view from another one. */
export function ViewTitle({ title, tab = title, children }: ViewTitleProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    // On the first view of a new page, the focus stays where the browser put it.
    if (isFirst) {
      isFirst = false;
    } else {
      heading.current?.focus();
    }
  }, []);
  useEffect(() => {
    document.title = `${tab} · Belfry`;
  }, [tab]);
  return (
    <header class="view-head">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children === undefined ? null : <div class="view-actions">{children}</div>}
    </header>
  );
}
