import type { ComponentChildren, TargetedMouseEvent } from "preact";
import { go } from "../state/place.ts";

interface LinkProps {
  /** An address of `placeUrl`. */
  readonly to: string;
  readonly class?: string;
  readonly isCurrent?: boolean;
  readonly children: ComponentChildren;
}

/** A link inside the page. It is a real link: people can open it in another tab, or copy it. */
export function Link({ to, class: className, isCurrent = false, children }: LinkProps) {
  const follow = (event: TargetedMouseEvent<HTMLAnchorElement>) => {
    if (event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      go(to);
    }
  };
  return (
    <a href={to} class={className} aria-current={isCurrent ? "page" : undefined} onClick={follow}>
      {children}
    </a>
  );
}
