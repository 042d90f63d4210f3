import type { KeyboardEvent } from "react";

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

/** Whether texts run from right to left there, and so arrows point the other way. */
export function isRightToLeft(element: Element): boolean {
  return getComputedStyle(element).direction === "rtl";
}

/** The element among `elements` that a key leads to from the focused one, round the ends; null for other keys. */
export function focusTarget(event: KeyboardEvent<HTMLElement>, elements: readonly HTMLElement[]): HTMLElement | null {
  const isSideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
  const index = elements.indexOf(event.target as HTMLElement);
  if (event.key === "Home" || event.key === "End") {
    return elements.at(event.key === "Home" ? 0 : -1) ?? null;
  }
  const step = STEPS[event.key];
  if (step === undefined || elements.length === 0) {
    return null;
  }
  const forward = isSideways && isRightToLeft(event.currentTarget) ? -step : step;
  // From outside of the elements, a step forward leads to the first.
  const next = index < 0 && forward < 0 ? -1 : index + forward;
  return elements.at(next % elements.length) ?? null;
}
