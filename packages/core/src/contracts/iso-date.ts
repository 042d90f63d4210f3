/** A date as every contract writes it: ISO 8601, UTC, milliseconds. */
export function isoDate(date: Date): string {
  return date.toISOString();
}

/** The same where there may be none. */
export function isoDateOrNull(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}
