import type { ActivityFilter } from "./activity.ts";

/**
 * How far the time in an id may be from `createdAt`. Both come from one clock within a millisecond; but ids never go
 * back, as a clock that is put right may, and what is made for an event has an id of the event's time.
 */
const SLACK_MS = 24 * 60 * 60 * 1_000;

/** The ids that notifications of a filter's times can have; a bound that is not there is null. */
export interface IdRange {
  /** Inclusive. */
  readonly lowest: string | null;
  /** Exclusive. */
  readonly below: string | null;
}

/**
 * Where a search along ids may begin and end, because UUIDv7 sort by time: the filter's own times with a day to spare.
 * The filter itself is still to be checked.
 */
export function idRange({ from, before }: Pick<ActivityFilter, "from" | "before">): IdRange {
  return {
    lowest: from === undefined ? null : lowestAt(from.getTime() - SLACK_MS),
    below: before === undefined ? null : lowestAt(before.getTime() + SLACK_MS),
  };
}

/** No UUIDv7 of that time, or a later one, is lower. */
function lowestAt(timeMs: number): string {
  const time = Math.max(0, timeMs).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}
