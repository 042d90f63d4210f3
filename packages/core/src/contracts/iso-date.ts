import { setNewest } from "../foundation/bounds.ts";

/**
 * Formats a date for every contract: ISO 8601, UTC, milliseconds.
 *
 * @example
 * ```ts
 * isoDate(new Date(0)); // "1970-01-01T00:00:00.000Z"
 * ```
 */
export function isoDate(date: Date): string {
  return date.toISOString();
}

/**
 * Formats a date as {@link isoDate} does; null stays null.
 *
 * @example
 * ```ts
 * isoDateOrNull(item.readAt); // null for an item that is unread
 * ```
 */
export function isoDateOrNull(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}

const DAY_MS = 86_400_000;
const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, "0"));
const THREE_DIGITS = Array.from({ length: 1_000 }, (_, number) => String(number).padStart(3, "0"));

/** The dates of days that were formatted, by their number. */
const dates = new Map<number, string>();
const MAX_DATES = 1_000;

/** Formats a time in milliseconds since 1970 as {@link isoDate} does, in a third of its time: for lists. */
export function isoTime(atMs: number): string {
  const day = Math.floor(atMs / DAY_MS);
  let date = dates.get(day);
  if (date === undefined) {
    date = new Date(day * DAY_MS).toISOString().slice(0, -"00:00:00.000Z".length);
    setNewest(dates, [day, date], MAX_DATES);
  }
  const ofDayMs = atMs - day * DAY_MS;
  const seconds = Math.floor(ofDayMs / 1_000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const [hour, minute, second] = [TWO_DIGITS[hours], TWO_DIGITS[minutes - hours * 60], TWO_DIGITS[seconds - minutes * 60]];
  return `${date}${hour}:${minute}:${second}.${THREE_DIGITS[ofDayMs - seconds * 1_000]}Z`;
}
