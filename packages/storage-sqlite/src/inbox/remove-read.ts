import type { Owner } from "@belfry/core";
import type { WholeInboxChange } from "@belfry/core/storage";
import { and, isNull, sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { inboxCounters, inboxItems } from "../schema.ts";
import { IS_READ, NEXT_REV, OWN_COUNTERS, OWN_ITEMS } from "./conditions.ts";
import { prepareInboxState, type ReadState } from "./inbox-state.ts";

/** Deletes every read item of an inbox softly. */
export function prepareRemoveRead(context: QueryContext) {
  const { builder, prepare } = context;
  const inboxState = prepareInboxState(context);
  const setDeletedAt = prepare<Owner & ReadState & { readonly at: number }>(
    builder
      .update(inboxItems)
      .set({ deletedAt: sql`${sql.placeholder("at")}` })
      .where(and(OWN_ITEMS, isNull(inboxItems.deletedAt), IS_READ)),
  );
  const keepUnread = prepare<Owner>(
    builder
      .update(inboxCounters)
      .set({ total: sql`${inboxCounters.unread}`, rev: NEXT_REV })
      .where(OWN_COUNTERS),
  );
  return (owner: Owner, at: Date): WholeInboxChange => {
    const { counts, readUpToSeq, readRev } = inboxState(owner);
    const count = counts.total - counts.unread;
    if (count > 0) {
      setDeletedAt.run({ ...owner, at: at.getTime(), readUpToSeq, readRev });
      keepUnread.run(owner);
    }
    return { count, counts: { ...counts, total: counts.unread, rev: counts.rev + Number(count > 0) } };
  };
}
