import type { Owner } from "@belfry/core";
import type { WholeInboxChange } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { inboxCounters, readMarks } from "../schema.ts";
import { NEXT_REV, OWN_COUNTERS } from "./conditions.ts";
import { prepareCounts } from "./counts.ts";

/** Marks everything read that is in an inbox, by one mark over all of it: no item is touched. */
export function prepareMarkAllRead(context: QueryContext) {
  const { builder, prepare } = context;
  const counts = prepareCounts(context);
  const addMark = prepare<Owner & { readonly upToSeq: number; readonly at: Date; readonly rev: number }>(
    builder.insert(readMarks).values({
      tenant: sql.placeholder("tenant"),
      userId: sql.placeholder("userId"),
      upToSeq: sql.placeholder("upToSeq"),
      readAt: sql.placeholder("at"),
      rev: sql.placeholder("rev"),
    }),
  );
  const moveUp = prepare<Owner>(
    builder
      .update(inboxCounters)
      .set({ unread: 0, readUpToSeq: sql`${inboxCounters.lastSeq}`, rev: NEXT_REV, readRev: NEXT_REV, reopenedFromSeq: null })
      .where(OWN_COUNTERS),
  );
  return (owner: Owner, at: Date): WholeInboxChange => {
    const before = counts(owner);
    if (before.unread === 0) {
      return { count: 0, counts: before };
    }
    const rev = before.rev + 1;
    addMark.run({ ...owner, upToSeq: before.lastSeq, at, rev });
    moveUp.run(owner);
    return { count: before.unread, counts: { ...before, unread: 0, rev } };
  };
}
