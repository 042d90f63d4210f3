import { type RefObject, useEffect, useId } from "react";
import { isRightToLeft } from "./roving-focus.ts";
import { useMeasure } from "./use-measure.ts";

const GAP_PX = 8;

/** What {@link usePopover} takes. */
export interface PopoverOptions {
  readonly panel: RefObject<HTMLElement | null>;
  /** The button that opens it, beside which it stands. */
  readonly anchor: RefObject<HTMLElement | null>;
  readonly isOpen: boolean;
  /** Called when a click outside or Escape closes it, before the focus goes back to the anchor. */
  onClose(): void;
}

/**
 * Shows a panel above everything else while it is open, beside its anchor. Browsers without popovers or anchor positioning show it at
 * the same place, by a measure of where the anchor is.
 */
export function usePopover({ panel, anchor, isOpen, onClose }: PopoverOptions): void {
  const name = `--belfry-${useId().replace(/\W/g, "")}`;
  // Before the effects of what is inside: only what is on show takes the focus.
  useMeasure(() => {
    const [shown, beside] = [panel.current, anchor.current];
    if (!isOpen || shown === null) {
      return;
    }
    if (beside !== null) {
      beside.style.setProperty("anchor-name", name);
      shown.style.setProperty("position-anchor", name);
    }
    // In the top layer no ancestor cuts it off.
    shown.showPopover?.();
    const stopPlacing =
      beside === null || globalThis.CSS?.supports?.("position-area", "block-end") ? () => {} : placeByMeasure(shown, beside);
    return () => {
      stopPlacing();
      if (shown.isConnected) {
        shown.hidePopover?.();
      }
    };
  }, [panel, anchor, isOpen, name]);
  useEffect(() => (isOpen ? whenLeft({ panel, anchor, onClose }) : undefined), [panel, anchor, isOpen, onClose]);
}

/** Calls `onClose` for a click outside of the panel and its anchor, and for Escape inside. @returns a function that ends that */
function whenLeft({ panel, anchor, onClose }: Omit<PopoverOptions, "isOpen">): () => void {
  const elements = [panel.current, anchor.current].filter((element) => element !== null);
  const onPointerDown = (event: Event) => {
    const path = event.composedPath();
    if (!elements.some((element) => path.includes(element))) {
      onClose();
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      // It closes the innermost panel, and nothing of the host's.
      event.stopPropagation();
      onClose();
      anchor.current?.focus();
    }
  };
  document.addEventListener("pointerdown", onPointerDown);
  for (const element of elements) {
    element.addEventListener("keydown", onKeyDown);
  }
  return () => {
    document.removeEventListener("pointerdown", onPointerDown);
    for (const element of elements) {
      element.removeEventListener("keydown", onKeyDown);
    }
  };
}

/** Puts a panel below its anchor, or above where there is more room, and keeps it there. @returns a function that ends that */
function placeByMeasure(panel: HTMLElement, anchor: HTMLElement): () => void {
  const place = () => {
    const at = anchor.getBoundingClientRect();
    const { innerWidth, innerHeight } = window;
    const [width, height] = [panel.offsetWidth, panel.offsetHeight];
    const left = isRightToLeft(anchor) ? at.left : at.right - width;
    const isAbove = at.bottom + height > innerHeight && at.top > innerHeight - at.bottom;
    const top = isAbove ? at.top - height - 2 * GAP_PX : at.bottom;
    panel.style.setProperty("--b-left", `${Math.max(0, Math.min(left, innerWidth - width))}px`);
    panel.style.setProperty("--b-top", `${Math.max(0, top)}px`);
  };
  place();
  window.addEventListener("resize", place);
  window.addEventListener("scroll", place, true);
  return () => {
    window.removeEventListener("resize", place);
    window.removeEventListener("scroll", place, true);
  };
}
