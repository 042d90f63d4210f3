import type { PluralTexts } from "./texts.ts";

/** Both are costly to make. */
const rules = new Map<string, Intl.PluralRules>();
const numbers = new Map<string, Intl.NumberFormat>();

/** A number as it is written in the language `locale`. */
export function numberText(locale: string, count: number): string {
  const made = numbers.get(locale) ?? new Intl.NumberFormat(locale);
  numbers.set(locale, made);
  return made.format(count);
}

/** The text for a number in the language `locale`, with the number in it. */
export function plural(locale: string, texts: PluralTexts, count: number): string {
  const made = rules.get(locale) ?? new Intl.PluralRules(locale);
  rules.set(locale, made);
  const text = texts[made.select(count)] ?? texts.other;
  return text.replace("{n}", numberText(locale, count));
}
