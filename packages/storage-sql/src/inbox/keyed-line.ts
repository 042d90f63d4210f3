import type { InboxCounts } from "@belfry/core";
import type { ItemMarking, ItemsChange, MatchingChange, MatchingStep } from "@belfry/core/storage";

/** The line of an inbox's log that gets the key of a change, and how many items the change found. */
export interface KeyedLine {
  readonly rev: number;
  readonly count: number;
}

/** A change, or a step of one. */
export interface KeyedStep {
  /** @default true */
  readonly isLast?: boolean;
  readonly isChange: boolean;
  /** How many items it found. */
  readonly count: number;
  readonly counts: Pick<InboxCounts, "rev">;
  /** The number of the step before it. */
  readonly continues?: number | undefined;
}

/** The line that gets the key of a change: that of its last step, or of the one before if the last changed nothing; null for none. */
export function keyedLine({ isLast = true, isChange, count, counts, continues }: KeyedStep): KeyedLine | null {
  const rev = isChange ? counts.rev : continues;
  return isLast && rev !== undefined ? { rev, count } : null;
}

/** A mark, as a step that may be the last of its call. */
export function stepOfMark({ openUntil, continues }: ItemMarking, { items, changed, counts }: ItemsChange): KeyedStep {
  return { isLast: openUntil === undefined, isChange: changed.size > 0, count: items.length, counts, continues };
}

/** A step of a change of what matches a filter. */
export function stepOfMatching({ continues }: MatchingStep, { changed, count, counts, next }: MatchingChange): KeyedStep {
  return { isLast: next === null, isChange: changed > 0, count, counts, continues };
}
