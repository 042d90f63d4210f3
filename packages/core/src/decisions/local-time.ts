import { Temporal } from "temporal-polyfill";
import type { Frequency } from "./choice.ts";

/** The days of a week as settings name them, Monday first. */
export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** A day of the week. */
export type Weekday = (typeof WEEKDAYS)[number];

/** A span of local time in which nothing may be delivered, on the days on which it begins. */
export interface QuietHours {
  /** An IANA time zone. @default the user's, else the tenant's, else UTC */
  readonly timeZone?: string;
  /** Local time as `22:00`. It is quiet from this minute on. */
  readonly from: string;
  /** Local time as `07:00`. It is quiet until this minute, on the next day if it is not after `from`. */
  readonly to: string;
  /** The days on which it begins. @default every day */
  readonly days?: readonly Weekday[];
  /** The channels that keep quiet. @default all but the inbox */
  readonly channels?: readonly string[];
}

/** The time at which a user wants digests of a day or a week. */
export interface DigestTime {
  readonly timeZone: string;
  /** Local time as `09:00`. */
  readonly at: string;
  /** The day of weekly digests. */
  readonly weekday: Weekday;
}

/** Spans that touch are joined; a rule of spans with hardly any gap is given up after this many. */
const MOST_JOINED = 100;

/**
 * Returns when the quiet hours end that `at` lies in, or null if it lies in none. Spans that touch or overlap are one. Local
 * times that a clock change leaves out or repeats: a span then begins as Temporal's `compatible` says, and ends as `later`.
 */
export function quietUntil(spans: readonly QuietHours[], at: number, { timeZone }: { readonly timeZone: string }): number | null {
  let until = at;
  for (let joined = 0; joined < MOST_JOINED; joined += 1) {
    const end = Math.max(...spans.map((span) => endOf(span, until, span.timeZone ?? timeZone)), until);
    if (end === until) {
      break;
    }
    until = end;
  }
  return until === at ? null : until;
}

const DAY_MINUTES = 24 * 60;
const WEEK_MINUTES = WEEKDAYS.length * DAY_MINUTES;

/** Whether spans of one time zone leave no minute of a week free: whatever waited for their end would wait for ever. */
export function coverWeek(spans: readonly QuietHours[]): boolean {
  const quiet = new Set<number>();
  for (const { from, to, days = WEEKDAYS } of spans) {
    const start = minuteOf(from);
    const length = (minuteOf(to) - start + DAY_MINUTES) % DAY_MINUTES;
    for (const day of days) {
      const first = WEEKDAYS.indexOf(day) * DAY_MINUTES + start;
      for (let minute = first; minute < first + length; minute += 1) {
        quiet.add(minute % WEEK_MINUTES);
      }
    }
  }
  return quiet.size === WEEK_MINUTES;
}

function minuteOf(time: string): number {
  const { hour, minute } = Temporal.PlainTime.from(time);
  return hour * 60 + minute;
}

/** Returns the end of the span if `at` lies in it; the span may have begun the day before. Otherwise `at` itself. */
function endOf(span: QuietHours, at: number, timeZone: string): number {
  const today = dateOf(at, timeZone);
  const isOverMidnight = span.to <= span.from;
  let until = at;
  for (const day of [today.subtract({ days: 1 }), today]) {
    if (span.days === undefined || span.days.includes(weekdayOf(day))) {
      const start = instantOf(day, span.from, { timeZone, disambiguation: "compatible" });
      const end = instantOf(isOverMidnight ? day.add({ days: 1 }) : day, span.to, { timeZone, disambiguation: "later" });
      until = start <= at && at < end ? Math.max(until, end) : until;
    }
  }
  return until;
}

/** Returns when the digest closes that an entry at `at` belongs to; an entry at that very moment belongs to the next one. */
export function nextDigest(frequency: Exclude<Frequency, "immediate">, at: number, time: DigestTime): number {
  if (frequency === "hourly") {
    return nextFullHour(at, time.timeZone);
  }
  const options = { timeZone: time.timeZone, disambiguation: "compatible" } as const;
  const isDue = (day: Temporal.PlainDate) => frequency === "daily" || weekdayOf(day) === time.weekday;
  let day = dateOf(at, time.timeZone);
  while (!isDue(day) || instantOf(day, time.at, options) <= at) {
    day = day.add({ days: 1 });
  }
  return instantOf(day, time.at, options);
}

function nextFullHour(at: number, timeZone: string): number {
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
  // Where clocks go back by half an hour, the local hour of the time in an hour may have begun before this time.
  for (let minutes = 60; ; minutes += 30) {
    const hour = local.add({ minutes }).round({ smallestUnit: "hour", roundingMode: "floor" }).epochMilliseconds;
    if (hour > at) {
      return hour;
    }
  }
}

/** Whether the runtime knows a time zone by this name. */
export function isTimeZone(name: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}

function dateOf(at: number, timeZone: string): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone).toPlainDate();
}

function weekdayOf(day: Temporal.PlainDate): Weekday {
  return WEEKDAYS[day.dayOfWeek - 1] ?? "mon";
}

function instantOf(
  day: Temporal.PlainDate,
  time: string,
  { timeZone, disambiguation }: { readonly timeZone: string; readonly disambiguation: "compatible" | "later" },
): number {
  return day.toPlainDateTime(Temporal.PlainTime.from(time)).toZonedDateTime(timeZone, { disambiguation }).epochMilliseconds;
}
