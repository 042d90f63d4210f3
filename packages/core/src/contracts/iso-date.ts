/** Formats a date for every contract: ISO 8601, UTC, milliseconds. */
export function isoDate(date: Date): string {
  return date.toISOString();
}

/** Formats a date as {@link isoDate} does; null stays null. */
export function isoDateOrNull(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}
