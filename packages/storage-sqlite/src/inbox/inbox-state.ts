import type { InboxCounts, Owner } from "@belfry/core";
import { EMPTY_COUNTS } from "@belfry/core/storage";
import type { QueryContext } from "../database/statement.ts";
import { OWN } from "./conditions.ts";

/** The state that decides which items of an inbox are read. */
export interface ReadState {
  /** The newest read mark covers all items up to this number. */
  readonly readUpToSeq: number;
  /** The change that made that mark, which does not cover items marked unread later. */
  readonly readRev: number;
}

/** The counts of an inbox, and which of its items are read. */
export interface InboxState extends ReadState {
  readonly counts: InboxCounts;
  /** Every unread item has a number above this. */
  readonly unreadAfterSeq: number;
}

const EMPTY_STATE: InboxState = { counts: EMPTY_COUNTS, readUpToSeq: 0, readRev: 0, unreadAfterSeq: 0 };

/** Counters as SQLite gives them: a list, which the driver makes faster than an object. */
type CountersRow = readonly [
  total: number,
  unread: number,
  lastSeq: number,
  epoch: string,
  rev: number,
  readUpToSeq: number,
  readRev: number,
  reopenedFromSeq: number | null,
];

/** Reads the state of an inbox: one row by its key. */
export function prepareInboxState({ prepareRows }: QueryContext) {
  const counters = prepareRows<Owner, CountersRow>(`
    SELECT total, unread, last_seq, epoch, rev, read_up_to_seq, read_rev, reopened_from_seq FROM belfry_inbox_counters WHERE ${OWN}`);
  return (owner: Owner): InboxState => {
    const row = counters.get(owner);
    if (row === undefined) {
      return EMPTY_STATE;
    }
    const [total, unread, lastSeq, epoch, rev, readUpToSeq, readRev, reopenedFromSeq] = row;
    const counts = { total, unread, lastSeq, epoch, rev };
    return { counts, readUpToSeq, readRev, unreadAfterSeq: Math.min(readUpToSeq, (reopenedFromSeq ?? Number.POSITIVE_INFINITY) - 1) };
  };
}

type CountsRow = readonly [total: number, unread: number, lastSeq: number, epoch: string, rev: number];

/** Reads the counts of an inbox: one row by its key. */
export function prepareCounts({ prepareRows }: QueryContext) {
  const counters = prepareRows<Owner, CountsRow>(`SELECT total, unread, last_seq, epoch, rev FROM belfry_inbox_counters WHERE ${OWN}`);
  return (owner: Owner): InboxCounts => {
    const row = counters.get(owner);
    if (row === undefined) {
      return EMPTY_COUNTS;
    }
    const [total, unread, lastSeq, epoch, rev] = row;
    return { total, unread, lastSeq, epoch, rev };
  };
}

type Added = Pick<InboxCounts, "total" | "unread">;

/** Adds to the counts of an inbox, as one change, and returns the new counts. */
export function prepareAddToCounts({ prepare }: QueryContext) {
  const add = prepare<Owner & Added>(
    `UPDATE belfry_inbox_counters SET total = total + :total, unread = unread + :unread, rev = rev + 1 WHERE ${OWN}`,
  );
  return (owner: Owner, counts: InboxCounts, { total, unread }: Added): InboxCounts => {
    if (total === 0 && unread === 0) {
      return counts;
    }
    add.run({ ...owner, total, unread });
    return { ...counts, total: counts.total + total, unread: counts.unread + unread, rev: counts.rev + 1 };
  };
}
