import type { InboxItem, ItemRef, ItemsChange, Owner } from "@belfry/core";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../query-context.ts";
import { inboxCounters, inboxItems } from "../schema.ts";
import { OWN_COUNTERS, OWN_ITEM } from "./conditions.ts";
import { prepareCounts } from "./counts.ts";
import { prepareFindItem } from "./find-item.ts";
import { toItem } from "./item-row.ts";

/** Deletes items softly. */
export function prepareRemove(context: QueryContext) {
  const counts = prepareCounts(context);
  const findItem = prepareFindItem(context);
  const { setDeletedAt, takeFromCounts } = prepareChanges(context);
  return (owner: Owner, { refs, at }: { readonly refs: readonly ItemRef[]; readonly at: Date }): ItemsChange => {
    const items: InboxItem[] = [];
    const changed = new Set<number>();
    let unread = 0;
    for (const ref of refs) {
      const row = findItem(owner, ref);
      if (row === undefined || row.deleted_at !== null) {
        continue;
      }
      setDeletedAt.run({ ...owner, seq: row.seq, at: at.getTime() });
      changed.add(row.seq);
      unread += row.read_at === null ? 1 : 0;
      items.push(toItem(row, owner));
    }
    if (changed.size > 0) {
      takeFromCounts.run({ ...owner, count: changed.size, unread });
    }
    return { items, changed, counts: counts(owner) };
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
        })
        .where(OWN_COUNTERS),
    ),
  };
}
