import type { InboxSweep, Owner } from "@belfry/core";
import { and, isNull, sql } from "drizzle-orm";
import type { QueryContext } from "../query-context.ts";
import { inboxCounters, inboxItems } from "../schema.ts";
import { OWN_COUNTERS, OWN_ITEMS, OWN_READ_UP_TO_SEQ } from "./conditions.ts";
import { prepareCounts } from "./counts.ts";

/** Deletes every read item of an inbox softly. */
export function prepareRemoveRead(context: QueryContext) {
  const { builder, prepare } = context;
  const counts = prepareCounts(context);
  const isRead = sql`(${inboxItems.readAt} is not null or ${inboxItems.seq} <= ${OWN_READ_UP_TO_SEQ})`;
  const setDeletedAt = prepare<Owner & { readonly at: number }>(
    builder
      .update(inboxItems)
      .set({ deletedAt: sql`${sql.placeholder("at")}` })
      .where(and(OWN_ITEMS, isNull(inboxItems.deletedAt), isRead)),
  );
  const keepUnread = prepare<Owner>(builder.update(inboxCounters).set({ total: sql`${inboxCounters.unread}` }).where(OWN_COUNTERS));
  return (owner: Owner, at: Date): InboxSweep => {
    const before = counts(owner);
    if (before.total === before.unread) {
      return { count: 0, counts: before };
    }
    setDeletedAt.run({ ...owner, at: at.getTime() });
    keepUnread.run(owner);
    return { count: before.total - before.unread, counts: { ...before, total: before.unread } };
  };
}
