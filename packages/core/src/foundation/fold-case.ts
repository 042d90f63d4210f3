/**
 * `text` as it is compared without regard to case: in lower case, and with one form of sigma. Lower-casing alone makes
 * another letter of a sigma at the end of a word, so that a part of a word would not be found in the whole.
 */
export function foldCase(text: string): string {
  return text.toLowerCase().replaceAll("ς", "σ");
}
