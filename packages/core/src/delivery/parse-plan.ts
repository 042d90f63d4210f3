import type { Issue } from "../foundation/errors.ts";
import { type MembersOf, requireMembers } from "../foundation/issue-list.ts";
import { isCalendarDay, shown } from "../foundation/parse-text.ts";
import { type FallbackInput, INBOX_CHANNEL, type UntypedCreateInput } from "../notifications/index.ts";

/** The fallback channel if the caller names none. */
export const DEFAULT_FALLBACK = "email";

const MAX_DELAY_MS = 30 * 24 * 60 * 60 * 1_000;

const FALLBACK_MEMBERS: MembersOf<FallbackInput> = { channel: true, afterMs: true };

/** Reads `fallback`, with its defaults; null for none. */
export function parseFallback(input: UntypedCreateInput["fallback"]): {
  readonly input: Required<FallbackInput> | null;
  readonly issues: readonly Issue[];
} {
  if (input === undefined || input === false) {
    return { input: null, issues: [] };
  }
  if (input !== true) {
    requireMembers("fallback", input, FALLBACK_MEMBERS);
  }
  const { channel = DEFAULT_FALLBACK, afterMs = 0 } = input === true ? {} : input;
  if (typeof channel !== "string" || channel === INBOX_CHANNEL || !Number.isFinite(afterMs) || afterMs < 0 || afterMs > MAX_DELAY_MS) {
    const message = `must name a channel other than ${INBOX_CHANNEL}, and wait 0 to ${MAX_DELAY_MS} ms`;
    return { input: null, issues: [{ path: ["fallback"], type: "value_error", message }] };
  }
  return { input: { channel, afterMs: Math.round(afterMs) }, issues: [] };
}

/** ISO 8601 with a time zone: a local time would mean another moment on every machine. */
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})$/i;
const LAST_MS = Date.UTC(10_000, 0) - 1;

/** The time to deliver a notification. The storage's time decides whether it is in the future. */
export interface Schedule {
  readonly at: Date | null;
  readonly issues: readonly Issue[];
}

/** Reads `scheduledAt`: a Date, or a text in ISO 8601 with a time zone, of the years 1970 to 9999. */
export function parseSchedule(scheduledAt: unknown): Schedule {
  if (scheduledAt === undefined || scheduledAt === null) {
    return { at: null, issues: [] };
  }
  const at =
    typeof scheduledAt === "string" && ISO_TIME.test(scheduledAt) && isCalendarDay(scheduledAt) ? new Date(scheduledAt) : scheduledAt;
  if (!(at instanceof Date) || !(at.getTime() >= 0 && at.getTime() <= LAST_MS)) {
    const message = `must be a time like 2030-01-31T12:00:00Z, of the years 1970 to 9999, is ${shown(scheduledAt)}`;
    return { at: null, issues: [{ path: ["scheduledAt"], type: "datetime", message }] };
  }
  return { at: new Date(at), issues: [] };
}
