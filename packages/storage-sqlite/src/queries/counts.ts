import { EMPTY_COUNTS, type InboxCounts, type Owner } from "@belfry/core";
import type { QueryContext } from "../query-context.ts";
import { inboxCounters } from "../schema.ts";
import { OWN_COUNTERS } from "./conditions.ts";

interface CountersRow {
  readonly last_seq: number;
  readonly total: number;
  readonly unread: number;
  readonly epoch: string;
}

/** Reads the counts of an inbox: one row by its key. */
export function prepareCounts({ builder, prepare }: QueryContext) {
  const { lastSeq, total, unread, epoch } = inboxCounters;
  const counters = prepare<Owner, CountersRow>(builder.select({ lastSeq, total, unread, epoch }).from(inboxCounters).where(OWN_COUNTERS));
  return (owner: Owner): InboxCounts => {
    const row = counters.get(owner);
    return row === undefined ? EMPTY_COUNTS : { total: row.total, unread: row.unread, lastSeq: row.last_seq, epoch: row.epoch };
  };
}
