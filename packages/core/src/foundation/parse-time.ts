import { type Check, isCalendarDay, shown } from "./parse-text.ts";

/** ISO 8601 with a time zone: a local time would mean another moment on every machine. */
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})$/i;
const LAST_MS = Date.UTC(10_000, 0) - 1;

/** Checks that a member is a time: a Date, or a text in ISO 8601 with a time zone, of the years 1970 to 9999. */
export const timeIssue: Check = (value, name) => {
  const at = timeOf(value);
  const isFine = at instanceof Date && at.getTime() >= 0 && at.getTime() <= LAST_MS;
  const message = () => `must be a time like 2030-01-31T12:00:00Z, of the years 1970 to 9999, is ${shown(value)}`;
  return isFine ? null : { path: [name], type: "datetime", message: message() };
};

/** The time that a member which {@link timeIssue} passed stands for; null for none. */
export function parsedTime(value: Date | string | null | undefined): Date | null {
  return value === undefined || value === null ? null : new Date(value);
}

function timeOf(value: unknown): unknown {
  return typeof value === "string" && ISO_TIME.test(value) && isCalendarDay(value) ? new Date(value) : value;
}
