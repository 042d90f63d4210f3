import type { ActivityFilter } from "./activity.ts";

/**
 * The largest difference between an id's time and `createdAt`. Both come from one clock within a millisecond. But ids never
 * go back, while a corrected clock may, and an id made for an event has the event's time.
 */
const SLACK_MS = 24 * 60 * 60 * 1_000;

/** The range of ids for a filter's times. A missing bound is null. */
export interface IdRange {
  /** Inclusive. */
  readonly lowest: string | null;
  /** Exclusive. */
  readonly below: string | null;
}

/**
 * Returns the range of ids that a search must read: the filter's own times with a day to spare, because UUIDv7 sort by time.
 * The caller still checks the filter.
 */
export function idRange({ from, before }: Pick<ActivityFilter, "from" | "before">): IdRange {
  return {
    lowest: from === undefined ? null : lowestAt(from.getTime() - SLACK_MS),
    below: before === undefined ? null : lowestAt(before.getTime() + SLACK_MS),
  };
}

/** Returns the lowest UUIDv7 of that time. */
function lowestAt(timeMs: number): string {
  const time = Math.max(0, timeMs).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}
