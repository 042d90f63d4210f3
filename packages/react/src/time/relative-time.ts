const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** From this age on, a time is told as a date. */
const DATE_FROM_MS = 7 * DAY_MS;

/** Formats are costly to make. */
const formats = new Map<string, Intl.DateTimeFormat>();
const relativeFormats = new Map<string, Intl.RelativeTimeFormat>();

function format(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + JSON.stringify(options);
  const made = formats.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(key, made);
  return made;
}

function relativeFormat(locale: string): Intl.RelativeTimeFormat {
  const made = relativeFormats.get(locale) ?? new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "narrow" });
  relativeFormats.set(locale, made);
  return made;
}

/** A time as it is told beside an item: `now`, `5 min. ago`, `2 days ago`, or a date for what is a week old or lies ahead. */
export function relativeTime(time: number, now: number, locale: string): string {
  const age = now - time;
  if (age >= DATE_FROM_MS || age < -MINUTE_MS) {
    const isSameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
    return format(locale, { day: "numeric", month: "short", ...(isSameYear ? {} : { year: "numeric" }) }).format(time);
  }
  const relative = relativeFormat(locale);
  if (age < MINUTE_MS) {
    return relative.format(0, "second");
  }
  if (age < HOUR_MS) {
    return relative.format(-Math.floor(age / MINUTE_MS), "minute");
  }
  return age < DAY_MS ? relative.format(-Math.floor(age / HOUR_MS), "hour") : relative.format(-Math.floor(age / DAY_MS), "day");
}

/** The whole date and the time of day. */
export function absoluteTime(time: number, locale: string): string {
  return format(locale, { dateStyle: "full", timeStyle: "short" }).format(time);
}

/** A time that lies ahead: the time of day, with the date unless that is today. */
export function timeAhead(time: number, now: number, locale: string): string {
  const isToday = new Date(time).toDateString() === new Date(now).toDateString();
  return format(
    locale,
    isToday ? { timeStyle: "short" } : { weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit" },
  ).format(time);
}
