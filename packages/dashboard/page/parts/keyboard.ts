/** Moves the focus to `next` if the focused element is gone. A person who has moved on keeps their focus. */
export function keepKeyboard(next: HTMLElement | null | undefined): void {
  if (document.activeElement === null || document.activeElement === document.body) {
    next?.focus();
  }
}
