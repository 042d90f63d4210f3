import type { ReactElement, RefObject } from "react";
import { useCounts } from "../hooks/use-counts.ts";
import { plural } from "../texts/plural.ts";
import { Icon } from "./icon.tsx";
import { useInbox } from "./inbox-context.ts";

const MAX_SHOWN = 99;

/** What the button of a bell needs, to be spread over it. */
export interface BellButtonProps {
  readonly ref: RefObject<HTMLButtonElement | null>;
  readonly type: "button";
  readonly className: string;
  readonly "aria-label": string;
  readonly "aria-haspopup": "dialog";
  readonly "aria-expanded": boolean;
  readonly onClick: () => void;
}

/** What {@link Bell} takes. */
export interface BellProps {
  /** Makes the button: spread the properties over it. `count` is what the badge shows. */
  readonly render?: (button: BellButtonProps, state: { readonly count: number }) => ReactElement;
}

/** The button that opens the inbox. Its accessible name says how many notifications are unread. */
export function Bell({ render }: BellProps) {
  const { texts, badge, bell, isOpen, setOpen } = useInbox();
  const counts = useCounts();
  const unread = counts?.unread ?? 0;
  const count = counts?.[badge] ?? 0;
  const button: BellButtonProps = {
    ref: bell,
    type: "button",
    className: "belfry-bell",
    "aria-label": unread === 0 ? texts.title : plural(texts.locale, texts.bell, unread),
    "aria-haspopup": "dialog",
    "aria-expanded": isOpen,
    onClick: () => setOpen(!isOpen),
  };
  if (render !== undefined) {
    return render(button, { count });
  }
  return (
    <button {...button}>
      <Icon name="bell" />
      {count > 0 && (
        <span className="belfry-badge" aria-hidden="true">
          {count > MAX_SHOWN ? `${MAX_SHOWN}+` : count}
        </span>
      )}
    </button>
  );
}
