import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

interface ViewTitleProps {
  readonly title: string;
  /** What the browser's tab says; the title itself if not given. */
  readonly tab?: string;
  readonly children?: ComponentChildren;
}

/** Gives the keyboard to the head of the view: for when what had it is gone. */
export function focusViewTitle(): void {
  document.querySelector("h1")?.focus();
}

let isFirst = true;

/** The head of a view. Whoever comes to the view by the keyboard begins here. */
export function ViewTitle({ title, tab = title, children }: ViewTitleProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    // A page that was just opened leaves the keyboard where browsers put it.
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
