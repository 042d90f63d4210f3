/** The first `maxLength` UTF-16 code units of a text, or one less if the last would be half a character. */
export function cut(text: string, maxLength: number): string {
  if (text.length <= maxLength) {
    return text;
  }
  const head = text.slice(0, maxLength);
  return /[\ud800-\udbff]$/.test(head) ? head.slice(0, -1) : head;
}
