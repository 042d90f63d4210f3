import type { PluralTexts } from "./texts.ts";

/** The text for a number in the language `locale`, with the number in it. */
export function plural(locale: string, texts: PluralTexts, count: number): string {
  const text = texts[new Intl.PluralRules(locale).select(count)] ?? texts.other;
  return text.replace("{n}", new Intl.NumberFormat(locale).format(count));
}
