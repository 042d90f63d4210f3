import type { InboxCounts } from "@belfry/core";
import {
  type ChangeKey,
  type ItemMarking,
  type ItemsChange,
  type KeyedChange,
  type MatchingChange,
  type MatchingStep,
  type ReadMoment,
  reusedKey,
} from "@belfry/core/storage";

/** What is written in an inbox's log of a change's key. */
export interface KeyNote extends Pick<KeyedChange, "bodyHash" | "count"> {
  /** The number of the line that gets the key; null for the line that has it. */
  readonly rev: number | null;
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
  /** The moment at which the call began, if all its steps go by it. */
  readonly begun?: ReadMoment;
}

/**
 * Checks that a step may be made with a key.
 *
 * @param made what the log has with the key
 * @throws {@link reusedKey} unless the step is one of that change, and not the first, and the change has not ended
 */
export function requireOwnKey(
  { key, bodyHash }: ChangeKey,
  { isFirst = true, made }: { readonly isFirst?: boolean; readonly made: KeyedChange | null },
): void {
  if (made !== null && (isFirst || made.begun === undefined || made.bodyHash !== bodyHash)) {
    throw reusedKey(key);
  }
}

/**
 * What to write of the key of a change after a step; null for nothing. A change whose steps go by the moment at which it began has it
 * from the first step on that changed something, any other from its last step on: on the line of the step before it if that changed
 * nothing.
 *
 * @param made what the log has with the key
 */
export function keyNote(named: ChangeKey, step: KeyedStep, made: KeyedChange | null = null): KeyNote | null {
  const { isLast = true, isChange, count, counts, continues, begun } = step;
  const bodyHash = isLast || begun === undefined ? named.bodyHash : begunHash(named.bodyHash, begun);
  if (made !== null) {
    return { rev: null, bodyHash, count: made.count + count };
  }
  const rev = isChange ? counts.rev : continues;
  const isTooEarly = !isLast && (begun === undefined || !isChange);
  return isTooEarly || rev === undefined ? null : { rev, bodyHash, count: (named.countBefore ?? 0) + count };
}

/** The hash of a change that has not ended, with the moment at which it began: a hash has no blanks. */
function begunHash(bodyHash: string, { epoch, rev, lastSeq, readUpToSeq, readRev, seenUpToSeq, seenRev }: ReadMoment): string {
  return [bodyHash, epoch, rev, lastSeq, readUpToSeq, readRev, seenUpToSeq, seenRev].join(" ");
}

/** The change of a key as the log has it: see {@link keyNote}. */
export function keyedChange({ bodyHash: text, count }: Pick<KeyedChange, "bodyHash" | "count">): KeyedChange {
  const [bodyHash = "", epoch, ...numbers] = text.split(" ");
  if (epoch === undefined) {
    return { bodyHash, count };
  }
  const [rev = 0, lastSeq = 0, readUpToSeq = 0, readRev = 0, seenUpToSeq = 0, seenRev = 0] = numbers.map(Number);
  return { bodyHash, count, begun: { epoch, rev, lastSeq, readUpToSeq, readRev, seenUpToSeq, seenRev } };
}

/** A mark, as a step that may be the last of its call. */
export function stepOfMark({ openUntil, continues }: ItemMarking, { items, changed, counts }: ItemsChange): KeyedStep {
  return { isLast: openUntil === undefined, isChange: changed.size > 0, count: items.length, counts, continues };
}

/** A step of a change of what matches a filter. */
export function stepOfMatching({ continues, asOf }: MatchingStep, done: MatchingChange): KeyedStep {
  const { changed, count, counts, next } = done;
  return { isLast: next === null, isChange: changed > 0, count, counts, continues, begun: asOf ?? done.asOf };
}
