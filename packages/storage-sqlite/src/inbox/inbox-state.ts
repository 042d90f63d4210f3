import type { InboxCounts, Owner } from "@belfry/core";
import { EMPTY_COUNTS } from "@belfry/core/storage";
import type { QueryContext } from "../database/query-context.ts";
import { inboxCounters } from "../schema.ts";
import { OWN_COUNTERS } from "./conditions.ts";

/** The counts of an inbox, and up to which number a read mark covers everything. */
export interface InboxState {
  readonly counts: InboxCounts;
  readonly readUpToSeq: number;
}

const EMPTY_STATE: InboxState = { counts: EMPTY_COUNTS, readUpToSeq: 0 };

interface CountersRow {
  readonly last_seq: number;
  readonly total: number;
  readonly unread: number;
  readonly read_up_to_seq: number;
  readonly epoch: string;
}

/** Reads the state of an inbox: one row by its key. */
export function prepareInboxState({ builder, prepare }: QueryContext) {
  const { lastSeq, total, unread, readUpToSeq, epoch } = inboxCounters;
  const counters = prepare<Owner, CountersRow>(
    builder.select({ lastSeq, total, unread, readUpToSeq, epoch }).from(inboxCounters).where(OWN_COUNTERS),
  );
  return (owner: Owner): InboxState => {
    const row = counters.get(owner);
    if (row === undefined) {
      return EMPTY_STATE;
    }
    const counts = { total: row.total, unread: row.unread, lastSeq: row.last_seq, epoch: row.epoch };
    return { counts, readUpToSeq: row.read_up_to_seq };
  };
}
