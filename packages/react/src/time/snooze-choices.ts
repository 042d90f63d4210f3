import type { Texts } from "../texts/texts.ts";

/** A time until which an item can be put off. */
export interface SnoozeChoice {
  readonly label: string;
  readonly until: Date;
}

const EVENING_HOUR = 18;
const MORNING_HOUR = 9;
const HOUR_MS = 3_600_000;
const MONDAY = 1;

/** `hour` o'clock local time, `days` days after `now`. */
function at(now: Date, { days, hour }: { readonly days: number; readonly hour: number }): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour);
}

/** The times that the inbox offers unless the host gives its own: in an hour, this evening, tomorrow, next week. */
export function snoozeChoices(now: Date, texts: Texts): readonly SnoozeChoice[] {
  const inOneHour = new Date(now.getTime() + HOUR_MS);
  const evening = at(now, { days: 0, hour: EVENING_HOUR });
  const daysToMonday = (MONDAY - now.getDay() + 7) % 7 || 7;
  return [
    { label: texts.inOneHour, until: inOneHour },
    // Later in the day it would come before the hour, or be over.
    ...(evening > inOneHour ? [{ label: texts.thisEvening, until: evening }] : []),
    { label: texts.tomorrow, until: at(now, { days: 1, hour: MORNING_HOUR }) },
    { label: texts.nextWeek, until: at(now, { days: daysToMonday, hour: MORNING_HOUR }) },
  ];
}
