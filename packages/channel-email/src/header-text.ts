/** True for a text that a header cannot hold: a line break would begin another header, and some parsers end at a NUL. */
export function hasLineBreak(text: string): boolean {
  return /[\r\n\0]/.test(text);
}
