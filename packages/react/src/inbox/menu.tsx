import { type KeyboardEvent, type RefObject, useEffect, useRef, useState } from "react";
import { Icon, type IconName } from "./icon.tsx";
import { focusTarget, isRightToLeft } from "./roving-focus.ts";
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
  // The place of the line that gets the focus when it opens; null while it is closed.
  const [opened, setOpened] = useState<number | null>(null);
  const isOpen = opened !== null;
  const button = useRef<HTMLButtonElement>(null);
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpened(event.key === "ArrowDown" ? 0 : -1);
    }
  };
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
        onClick={() => setOpened(isOpen ? null : 0)}
        onKeyDown={onKeyDown}
      >
        <Icon name="more" />
      </button>
      {isOpen && <OpenMenu button={button} label={label} entries={entries()} first={opened} close={() => setOpened(null)} />}
    </>
  );
}

/** What {@link OpenMenu} takes. */
interface OpenMenuProps extends Pick<LinesProps, "entries" | "first"> {
  readonly button: RefObject<HTMLButtonElement | null>;
  readonly label: string;
  close(): void;
}

/** A menu while it is open. A list has many menus, so they cost nothing while they are closed. */
function OpenMenu({ button, label, entries, first, close }: OpenMenuProps) {
  const panel = useRef<HTMLDivElement>(null);
  usePopover({ panel, anchor: button, isOpen: true, onClose: close });
  const leave = (then?: () => void) => {
    close();
    button.current?.focus();
    then?.();
  };
  return (
    <div ref={panel} className="belfry-menu" popover="manual" role="menu" aria-label={label} data-open={true}>
      <Lines entries={entries} first={first} leave={leave} />
    </div>
  );
}

interface LinesProps {
  readonly entries: readonly MenuEntry[];
  /** The place of the line that gets the focus first; -1 is the last one. */
  readonly first: number;
  /** Closes the menu, then does what was chosen. */
  leave(then?: () => void): void;
  /** Goes back to the lines that these stand in the place of, if there are any. */
  back?(): void;
}

function linesIn(list: HTMLElement | null): readonly HTMLElement[] {
  return [...(list?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
}

function Lines({ entries, first, leave, back }: LinesProps) {
  const [inner, setInner] = useState<readonly MenuEntry[] | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const current = useRef(first);
  useEffect(() => {
    if (inner === null) {
      linesIn(list.current).at(current.current)?.focus();
    }
  }, [inner]);
  const open = (index: number) => {
    current.current = index;
    setInner(entries[index]?.entries ?? null);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    // Keys of the menu are none of the list around it. Escape goes to the panel.
    if (event.key !== "Escape") {
      event.stopPropagation();
    }
    const lines = linesIn(event.currentTarget);
    const [inwards, outwards] = isRightToLeft(event.currentTarget) ? ["ArrowLeft", "ArrowRight"] : ["ArrowRight", "ArrowLeft"];
    if (event.key === "Tab") {
      leave();
    } else if (event.key === inwards) {
      open(lines.indexOf(event.target as HTMLElement));
    } else if (event.key === outwards) {
      back?.();
    } else {
      const target = focusTarget(event, lines);
      if (target) {
        event.preventDefault();
        target.focus();
      }
    }
  };
  if (inner !== null) {
    // Lines of their own, so that the first of them gets the focus.
    return <Lines key="inner" entries={inner} first={0} leave={leave} back={() => setInner(null)} />;
  }
  return (
    <div ref={list} role="none" onKeyDown={onKeyDown}>
      {entries.map((entry, index) => (
        <button
          key={entry.label}
          type="button"
          role="menuitem"
          tabIndex={-1}
          aria-haspopup={entry.entries && "menu"}
          className="belfry-menu-line"
          onClick={() => (entry.entries === undefined ? leave(entry.onSelect) : open(index))}
        >
          {entry.icon && <Icon name={entry.icon} />}
          <span>{entry.label}</span>
          {entry.hint && <span className="belfry-hint">{entry.hint}</span>}
        </button>
      ))}
    </div>
  );
}
