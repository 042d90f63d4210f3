/** True for a text that a header cannot hold: a line break would begin another header, a NUL ends some parsers. */
export function hasLineBreak(text: string): boolean {
  return /[\r\n\0]/.test(text);
}
