import { type ReactNode, useCallback, useEffect } from "react";
import { useBelfry } from "../hooks/belfry-provider.tsx";
import { useCounts } from "../hooks/use-counts.ts";
import { Feed } from "./feed.tsx";
import { useInbox } from "./inbox-context.ts";
import { usePopover } from "./use-popover.ts";

/** How long what is on show has to be there until it counts as seen. */
const SEEN_AFTER_MS = 500;

/** Marks what is in the inbox as seen while the inbox is on show. */
function useMarkSeen(): void {
  const client = useBelfry();
  const { isOpen } = useInbox();
  const unseen = useCounts()?.unseen ?? 0;
  useEffect(() => {
    if (!isOpen || unseen === 0) {
      return;
    }
    const timer = setTimeout(() => {
      if (document.visibilityState === "visible") {
        void client.markAllSeen();
      }
    }, SEEN_AFTER_MS);
    return () => clearTimeout(timer);
  }, [client, isOpen, unseen]);
}

/** What {@link Popover} and {@link Page} take. */
export interface PanelProps {
  readonly children?: ReactNode;
}

/** The inbox above the page, beside its bell: a dialog that gets the focus when it opens, and gives it back on Escape. */
export function Popover({ children }: PanelProps) {
  const { id, panel, bell, isOpen, setOpen } = useInbox();
  const close = useCallback(() => setOpen(false), [setOpen]);
  usePopover({ panel, anchor: bell, isOpen, onClose: close });
  useEffect(() => {
    if (isOpen) {
      panel.current?.focus();
    }
  }, [isOpen, panel]);
  return (
    <section
      ref={panel}
      className="belfry-panel"
      popover="manual"
      role="dialog"
      aria-labelledby={`${id}-title`}
      tabIndex={-1}
      data-open={isOpen}
    >
      {isOpen && <Shown>{children}</Shown>}
    </section>
  );
}

/** The inbox as a part of the page. It fills the height of its place. */
export function Page({ children }: PanelProps) {
  const { id, panel } = useInbox();
  return (
    <section ref={panel} className="belfry-panel" aria-labelledby={`${id}-title`}>
      <Shown>{children}</Shown>
    </section>
  );
}

function Shown({ children }: PanelProps) {
  useMarkSeen();
  return <Feed>{children}</Feed>;
}
