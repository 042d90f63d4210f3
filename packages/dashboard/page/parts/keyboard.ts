/** Gives the keyboard to `next` if what had it is gone; whoever has moved on stays where they are. */
export function keepKeyboard(next: HTMLElement | null | undefined): void {
  if (document.activeElement === null || document.activeElement === document.body) {
    next?.focus();
  }
}
