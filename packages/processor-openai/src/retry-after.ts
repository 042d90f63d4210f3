/** The wait that a provider asks for, in milliseconds: `retry-after-ms`, or `Retry-After` as seconds or as a date. */
export function retryAfterMs(headers: Readonly<Record<string, string>>, nowMs: number): number | undefined {
  const milliseconds = headers["retry-after-ms"]?.trim() ?? "";
  if (/^\d{1,10}(?:\.\d{1,10})?$/.test(milliseconds)) {
    return Math.ceil(Number(milliseconds));
  }
  const value = headers["retry-after"]?.trim() ?? "";
  if (/^\d{1,10}(?:\.\d{1,10})?$/.test(value)) {
    return Math.ceil(Number(value) * 1_000);
  }
  // Only HTTP's own date format: `Date.parse` alone would take "-1" for a year.
  const date = /^[A-Z][a-z]{2,8},? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
