import { type KeyboardEvent, useCallback, useEffect, useId, useRef, useState } from "react";
import { Icon, type IconName } from "./icon.tsx";
import { focusTarget } from "./roving-focus.ts";
import { usePopover } from "./use-popover.ts";

/** A line of a menu: something to do, or more lines in its place. */
export interface MenuEntry {
  readonly label: string;
  readonly icon?: IconName;
  /** What stands at the end of the line, such as a time. */
  readonly hint?: string;
  readonly onSelect?: () => void;
  readonly entries?: readonly MenuEntry[];
}

/** What {@link Menu} takes. */
interface MenuProps {
  readonly label: string;
  /** Makes the lines, when it is open. */
  readonly entries: () => readonly MenuEntry[];
}

/** A button and its menu, after the pattern of ARIA: arrows, Home and End; Escape and Tab leave it. */
export function Menu({ label, entries }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = useCallback(() => setOpen(false), []);
  usePopover({ panel, anchor: button, isOpen, onClose: close });
  const leave = useCallback((then?: () => void) => {
    setOpen(false);
    button.current?.focus();
    then?.();
  }, []);
  return (
    <>
      <button
        ref={button}
        type="button"
        className="belfry-tool"
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="more" />
      </button>
      <div ref={panel} id={id} className="belfry-menu" popover="manual" role="menu" aria-label={label} data-open={isOpen}>
        {isOpen && <Lines entries={entries()} leave={leave} />}
      </div>
    </>
  );
}

interface LinesProps {
  readonly entries: readonly MenuEntry[];
  /** Closes the menu, then does what was chosen. */
  leave(then?: () => void): void;
}

function Lines({ entries, leave }: LinesProps) {
  const [inner, setInner] = useState<readonly MenuEntry[] | null>(null);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => list.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus(), []);
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    // Keys of the menu are none of the list around it.
    event.stopPropagation();
    if (event.key === "Tab") {
      leave();
      return;
    }
    const target = focusTarget(event, [...event.currentTarget.querySelectorAll<HTMLElement>("[role=menuitem]")]);
    if (target) {
      event.preventDefault();
      target.focus();
    }
  };
  if (inner !== null) {
    // Lines of their own, so that the first of them gets the focus.
    return <Lines key="inner" entries={inner} leave={leave} />;
  }
  return (
    <div ref={list} role="none" onKeyDown={onKeyDown}>
      {entries.map((entry) => (
        <button
          key={entry.label}
          type="button"
          role="menuitem"
          tabIndex={-1}
          aria-haspopup={entry.entries && "menu"}
          className="belfry-menu-line"
          onClick={() => (entry.entries === undefined ? leave(entry.onSelect) : setInner(entry.entries))}
        >
          {entry.icon && <Icon name={entry.icon} />}
          <span>{entry.label}</span>
          {entry.hint && <span className="belfry-hint">{entry.hint}</span>}
        </button>
      ))}
    </div>
  );
}
