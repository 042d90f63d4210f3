import { useEffect, useState } from "react";
import { en } from "./en.ts";
import { loadTexts } from "./load-texts.ts";
import type { Texts } from "./texts.ts";

/**
 * The texts to show: those that were given, else those of `locale`, which are loaded. Until they are there, and for languages that
 * Belfry has no texts of, English.
 */
export function useTexts(given: Texts | undefined, locale: string | undefined): Texts {
  const [loaded, setLoaded] = useState<Texts | null>(null);
  useEffect(() => {
    let isCurrent = true;
    if (given === undefined && locale !== undefined) {
      loadTexts(locale).then(
        (texts) => isCurrent && setLoaded(texts),
        // The file could not be loaded: English stays.
        () => {},
      );
    }
    return () => {
      isCurrent = false;
    };
  }, [given, locale]);
  return given ?? (loaded?.locale === locale ? (loaded ?? en) : en);
}
