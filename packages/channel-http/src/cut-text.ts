/** Cuts a text to at most `length` UTF-16 code units, with an ellipsis at its end, and never inside a character. */
export function cutText(text: string, length: number, ellipsis = "…"): string {
  return text.length <= length ? text : `${text.slice(0, length - ellipsis.length).replace(/[\ud800-\udbff]$/, "")}${ellipsis}`;
}
