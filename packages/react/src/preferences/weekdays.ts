/** The days of the week, in the order of their names in {@link namesOfDays}. */
export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** A Monday, from which the names of the days are counted. */
const MONDAY = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;

/** The names of the days in a language. */
export function namesOfDays(locale: string, weekday: "short" | "long"): readonly string[] {
  const { format } = new Intl.DateTimeFormat(locale, { weekday, timeZone: "UTC" });
  return DAYS.map((_, index) => format(MONDAY + index * DAY_MS));
}
