import type { Texts } from "./texts.ts";

/** The languages besides English, each in a file of its own that is loaded when it is asked for. */
const LOADERS: Readonly<Record<string, () => Promise<Texts>>> = {
  de: async () => (await import("./locales/de.ts")).de,
  fr: async () => (await import("./locales/fr.ts")).fr,
  es: async () => (await import("./locales/es.ts")).es,
  pt: async () => (await import("./locales/pt.ts")).pt,
  ja: async () => (await import("./locales/ja.ts")).ja,
  zh: async () => (await import("./locales/zh.ts")).zh,
  ar: async () => (await import("./locales/ar.ts")).ar,
};

/**
 * Loads the texts of a language.
 *
 * @param locale a BCP 47 tag; its region counts for times and numbers alone
 * @returns null for English and for languages that Belfry has no texts of
 */
export async function loadTexts(locale: string): Promise<Texts | null> {
  const language = locale.toLowerCase().split("-")[0] ?? "";
  const load = LOADERS[language];
  return load === undefined ? null : { ...(await load()), locale };
}
