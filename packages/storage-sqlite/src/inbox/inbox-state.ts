import type { InboxCounts, Owner } from "@belfry/core";
import { EMPTY_COUNTS } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";
import { inboxCounters } from "../schema.ts";
import { OWN_COUNTERS } from "./conditions.ts";

/** The state that decides which items of an inbox are read. */
export interface ReadState {
  /** Up to which number the newest read mark covers everything. */
  readonly readUpToSeq: number;
  /** The change that made that mark: what was marked unread by a later one is not covered. */
  readonly readRev: number;
}

/** The counts of an inbox, and which of its items are read. */
export interface InboxState extends ReadState {
  readonly counts: InboxCounts;
  /** Every unread item has a number above this. */
  readonly unreadAfterSeq: number;
}

const EMPTY_STATE: InboxState = { counts: EMPTY_COUNTS, readUpToSeq: 0, readRev: 0, unreadAfterSeq: 0 };

interface CountersRow {
  readonly last_seq: number;
  readonly total: number;
  readonly unread: number;
  readonly read_up_to_seq: number;
  readonly epoch: string;
  readonly rev: number;
  readonly read_rev: number;
  readonly reopened_from_seq: number | null;
}

/** Reads the state of an inbox: one row by its key. */
export function prepareInboxState({ builder, prepare }: QueryContext) {
  const { lastSeq, total, unread, readUpToSeq, epoch, rev, readRev, reopenedFromSeq } = inboxCounters;
  const counters = prepare<Owner, CountersRow>(
    builder.select({ lastSeq, total, unread, readUpToSeq, epoch, rev, readRev, reopenedFromSeq }).from(inboxCounters).where(OWN_COUNTERS),
  );
  return (owner: Owner): InboxState => {
    const row = counters.get(owner);
    if (row === undefined) {
      return EMPTY_STATE;
    }
    const counts = { total: row.total, unread: row.unread, lastSeq: row.last_seq, epoch: row.epoch, rev: row.rev };
    const unreadAfterSeq = Math.min(row.read_up_to_seq, (row.reopened_from_seq ?? Number.POSITIVE_INFINITY) - 1);
    return { counts, readUpToSeq: row.read_up_to_seq, readRev: row.read_rev, unreadAfterSeq };
  };
}

/** A random epoch of the same form as core's `newEpoch`, made by SQLite: anew for every row it is written to. */
export const NEW_EPOCH = sql<string>`lower(hex(randomblob(6)))`;

/** Gives every inbox a new epoch. */
export function prepareRenewEpochs({ builder, prepare }: QueryContext) {
  const renew = prepare(builder.update(inboxCounters).set({ epoch: NEW_EPOCH }));
  return (): void => {
    renew.run({});
  };
}
