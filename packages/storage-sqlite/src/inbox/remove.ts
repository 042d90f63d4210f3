import type { InboxItem, ItemRef, Owner } from "@belfry/core";
import type { ItemsChange } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { inboxCounters, inboxItems } from "../schema.ts";
import { NEXT_REV, OWN_COUNTERS, OWN_ITEM } from "./conditions.ts";
import { prepareFindItem } from "./find-item.ts";
import { prepareInboxState } from "./inbox-state.ts";

/** Deletes items softly. */
export function prepareRemove(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const findItem = prepareFindItem(context);
  const { setDeletedAt, takeFromCounts } = prepareChanges(context);
  return (owner: Owner, refs: readonly ItemRef[], at: Date): ItemsChange => {
    const state = inboxState(owner);
    const items: InboxItem[] = [];
    for (const ref of refs) {
      const found = findItem(owner, state, ref);
      if (found === undefined || found.isDeleted) {
        continue;
      }
      setDeletedAt.run({ ...owner, seq: found.item.seq, at: at.getTime() });
      items.push(found.item);
    }
    const count = items.length;
    const unread = items.filter((item) => item.readAt === null).length;
    if (count > 0) {
      takeFromCounts.run({ ...owner, count, unread });
    }
    const { counts } = state;
    const left = { ...counts, total: counts.total - count, unread: counts.unread - unread, rev: counts.rev + Number(count > 0) };
    return { items, changed: new Set(items.map((item) => item.seq)), counts: left };
  };
}

function prepareChanges({ builder, prepare }: QueryContext) {
  return {
    setDeletedAt: prepare<Owner & { readonly seq: number; readonly at: number }>(
      builder
        .update(inboxItems)
        .set({ deletedAt: sql`${sql.placeholder("at")}` })
        .where(OWN_ITEM),
    ),
    takeFromCounts: prepare<Owner & { readonly count: number; readonly unread: number }>(
      builder
        .update(inboxCounters)
        .set({
          total: sql`${inboxCounters.total} - ${sql.placeholder("count")}`,
          unread: sql`${inboxCounters.unread} - ${sql.placeholder("unread")}`,
          rev: NEXT_REV,
        })
        .where(OWN_COUNTERS),
    ),
  };
}
