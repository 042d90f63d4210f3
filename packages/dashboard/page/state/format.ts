const whole = new Intl.NumberFormat("en");
// Times are in the reader's own language and zone. A full date names the zone.
const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const dayAndClock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });

/** The reader's time zone, such as Europe/Berlin. */
export const timeZone = clock.resolvedOptions().timeZone;

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

/** "10:32:07 · 2 hr. ago": the time of another day comes with its date, and one more than a week away by itself. */
export function timeAndDistance(date: string, nowMs: number): string {
  const time = new Date(date);
  const distanceMs = time.getTime() - nowMs;
  const isToday = time.toDateString() === new Date(nowMs).toDateString();
  const at = isToday ? clock.format(time) : dayAndClock.format(time);
  return Math.abs(distanceMs) < 7 * DAY_MS ? `${at} · ${distance(distanceMs)}` : at;
}

/** "5 min. ago", "in 2 hr.". */
function distance(distanceMs: number): string {
  const size = Math.abs(distanceMs);
  if (size < 10_000) {
    return relative.format(0, "second");
  }
  if (size < MINUTE_MS) {
    return relative.format(Math.round(distanceMs / 1_000), "second");
  }
  if (size < HOUR_MS) {
    return relative.format(Math.round(distanceMs / MINUTE_MS), "minute");
  }
  return size < DAY_MS
    ? relative.format(Math.round(distanceMs / HOUR_MS), "hour")
    : relative.format(Math.round(distanceMs / DAY_MS), "day");
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
