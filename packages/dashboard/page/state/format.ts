const whole = new Intl.NumberFormat("en");
const absolute = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** 1234567 → "1,234,567". */
export function number(value: number): string {
  return whole.format(value);
}

/** "1 send", "2 sends". */
export function counted(value: number, one: string, many: string = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`;
}

/** A full date with its time. */
export function dateTime(date: string): string {
  return absolute.format(new Date(date));
}

/** The time of a day, to the second. */
export function timeOfDay(date: string): string {
  return clock.format(new Date(date));
}

/** A day and the time, without seconds. */
export function shortDate(date: string): string {
  return day.format(new Date(date));
}

/** "5 min. ago", "in 2 hr."; the full date if it is more than a week away. */
export function ago(date: string, nowMs: number): string {
  const distanceMs = new Date(date).getTime() - nowMs;
  const size = Math.abs(distanceMs);
  if (size < 10_000) {
    return distanceMs > 0 ? "in a moment" : "just now";
  }
  if (size < MINUTE_MS) {
    return relative.format(Math.round(distanceMs / 1_000), "second");
  }
  if (size < HOUR_MS) {
    return relative.format(Math.round(distanceMs / MINUTE_MS), "minute");
  }
  if (size < DAY_MS) {
    return relative.format(Math.round(distanceMs / HOUR_MS), "hour");
  }
  return size < 7 * DAY_MS ? relative.format(Math.round(distanceMs / DAY_MS), "day") : absolute.format(new Date(date));
}

/** 850 → "850 ms", 1500 → "1.5 s", 90000 → "1.5 min". */
export function duration(ms: number): string {
  if (ms < 1_000) {
    return `${Math.round(ms)} ms`;
  }
  if (ms < MINUTE_MS) {
    return `${rounded(ms / 1_000)} s`;
  }
  return ms < HOUR_MS ? `${rounded(ms / MINUTE_MS)} min` : `${rounded(ms / HOUR_MS)} h`;
}

function rounded(value: number): string {
  return value < 10 ? String(Math.round(value * 10) / 10) : whole.format(Math.round(value));
}
