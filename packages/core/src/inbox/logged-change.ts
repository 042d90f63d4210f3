import type { Owner } from "../foundation/context.ts";
import { BelfryError } from "../foundation/errors.ts";
import type { ExportStep, StepRange, SweepStep } from "../foundation/json.ts";
import type { InboxChange, InboxCounts, MatchingKind } from "./inbox-item.ts";
import type { SeqRange } from "./seq-ranges.ts";

/** The kinds of change that an inbox's log knows: every one but a new item. */
export type LoggedKind = Exclude<InboxChange, "created" | MatchingKind> | "expired";

/** How many changes of one inbox its log keeps at most. */
export const MAX_LOGGED_CHANGES = 1_000;

/** A storage forgets the oldest changes when the `rev` is a multiple of this, so that most changes need not. */
export const FORGOTTEN_AT_ONCE = 50;

/** A change of an inbox as its log keeps it: which items it changed, and what state they got, but no text. */
export interface LoggedChange {
  /** Its number: the inbox's `rev` after it. */
  readonly rev: number;
  /** The first of its numbers: a call that was made in several steps has one for each. It is the `rev` itself for most. */
  readonly firstRev: number;
  /** Until when more of its steps may follow, which who follows the inbox may wait for; null if none does. */
  readonly openUntil: Date | null;
  /** The inbox's last number when it was made. */
  readonly lastSeq: number;
  readonly kind: LoggedKind;
  /** When it was made: also when its items were read, pinned or archived. */
  readonly at: Date;
  /** Until when its items are snoozed; null for other kinds. */
  readonly until: Date | null;
  /**
   * The numbers of the items that it changed; null if they are all up to a number, or too scattered to keep. Those of `deleted_read` may have
   * items among them that were deleted before.
   */
  readonly ranges: readonly SeqRange[] | null;
  /** How many items it changed; null if it has no `ranges`, or too many. */
  readonly count: number | null;
  /** It changed everything up to this number. */
  readonly upToSeq: number | null;
  /** It changed this group's items, up to `upToSeq`. */
  readonly group: string | null;
}

/** A moment of an inbox, which decides what was read and seen then. */
export interface ReadMoment extends Pick<InboxCounts, "epoch" | "rev" | "lastSeq"> {
  /** The newest mark of everything read covers all items up to this number, 0 for none. */
  readonly readUpToSeq: number;
  /** The change that made that mark, which does not cover items marked unread later. */
  readonly readRev: number;
  /** The newest mark of everything seen covers all items up to this number, 0 for none. */
  readonly seenUpToSeq: number;
  /** The change that made that mark, which does not cover items marked unseen later. */
  readonly seenRev: number;
}

/** A change that may be one step of a call. */
export interface StepOfCall {
  /**
   * The number that the step before it made, of a call that takes several. If that is still the inbox's last change, the log has one
   * line for both, from which clients resume that know none, or only the first.
   */
  readonly continues?: number;
  /** Until when the log says that more steps follow. A step that finds out that it is the last leaves it out. @default none follows */
  readonly openUntil?: Date;
  /**
   * The key to note with the change, in its transaction: by the last step of a call, if one of its steps changed something. Steps that go
   * by the moment of the first one (`asOf`) note it with the first that changes something, together with that moment. If the log has
   * another change with the key, or one that has ended, it throws {@link reusedKey}, and changes nothing.
   */
  readonly key?: ChangeKey | undefined;
}

/** The key of a change that is to be made once, however often it is asked for. */
export interface ChangeKey {
  readonly key: string;
  /** What tells a repetition from another change. */
  readonly bodyHash: string;
  /** How many items the steps before it found, of a call that takes several. @default 0 */
  readonly countBefore?: number;
  /** The moment at which a call with the key began that has not ended: this one goes on with it. @default it is the first */
  readonly begun?: ReadMoment | undefined;
}

/** A change that was made with a key. */
export interface KeyedChange extends Pick<ChangeKey, "bodyHash"> {
  /** How many items it found. */
  readonly count: number;
  /** The moment at which it began, if it takes several steps and the last was not made: then `count` is that of the steps before. */
  readonly begun?: ReadMoment;
}

/** The error that a change with the key of another one throws. */
export function reusedKey(key: string): BelfryError {
  return new BelfryError(
    "IDEMPOTENCY_KEY_REUSED",
    `The idempotency key ${JSON.stringify(key)} was used for another change. Use a new key for each change.`,
  );
}

/** A part of an inbox's log, with the counts of the same moment. */
export interface LoggedChanges {
  /** By number, oldest first. */
  readonly changes: readonly LoggedChange[];
  readonly counts: InboxCounts;
}

/** The log of each inbox's changes. The calls that change items write it, in the same transaction: one line for each call, also if it takes several steps. */
export interface ChangeLogStorage {
  /**
   * Returns up to `limit` changes after the one numbered `rev`. Numbers are missing where changes are no longer kept, or were
   * made by an older version.
   */
  changesAfter(owner: Owner, rev: number, limit: number): Promise<LoggedChanges>;

  /** Returns the change that was made with a key; null if there is none, or if it is no longer kept. */
  changeWithKey(owner: Owner, key: string): Promise<KeyedChange | null>;

  /** The inbox's kept changes, oldest first. */
  exportChanges(owner: Owner, range: StepRange): Promise<ExportStep<LoggedChange>>;

  /** Removes changes of all inboxes that were made before `before`, oldest first. */
  sweepChanges(before: Date, range: StepRange): Promise<SweepStep>;
}
