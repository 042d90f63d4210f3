import { numberText, plural } from "../texts/plural.ts";
import { absoluteTime, relativeTime } from "./relative-time.ts";

/** What makes each of the formats that a list of items needs. */
const MAKERS: readonly ((locale: string) => void)[] = [
  (locale) => plural(locale, { other: "" }, 0),
  (locale) => relativeTime(0, 0, locale),
  (locale) => absoluteTime(0, locale),
  (locale) => numberText(locale, 0),
];

/**
 * Makes the formats of a language, each in a task of its own. The first one of a kind takes a browser 10 ms and more, and the first items
 * of a list would have to wait for all of them. @returns a function that ends that
 */
export function prepareFormats(locale: string): () => void {
  const timers = MAKERS.map((make) => setTimeout(make, 0, locale));
  return () => {
    for (const timer of timers) {
      clearTimeout(timer);
    }
  };
}
