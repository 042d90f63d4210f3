import type { Issue } from "../foundation/errors.ts";

/** ISO 8601 with a time zone: a local time would mean another moment on every machine. */
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})$/i;
const LAST_MS = Date.UTC(9999, 11, 31);

/** The time of a send. The storage's time decides whether it is in the future. */
export interface Schedule {
  readonly at: Date | null;
  readonly issues: readonly Issue[];
}

/** Reads `scheduledAt`: a Date, or a text in ISO 8601 with a time zone, of the years 1970 to 9999. */
export function parseSchedule(scheduledAt: unknown): Schedule {
  if (scheduledAt === undefined || scheduledAt === null) {
    return { at: null, issues: [] };
  }
  const at = typeof scheduledAt === "string" && ISO_TIME.test(scheduledAt) ? new Date(scheduledAt) : scheduledAt;
  if (!(at instanceof Date) || !(at.getTime() >= 0 && at.getTime() <= LAST_MS)) {
    const message = "must be a time like 2030-01-31T12:00:00Z, of the years 1970 to 9999";
    return { at: null, issues: [{ path: ["scheduledAt"], type: "datetime", message }] };
  }
  return { at: new Date(at), issues: [] };
}
