import type { InboxItem, ItemRef, ItemsChange, Owner } from "@belfry/core";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../query-context.ts";
import { inboxCounters, inboxItems } from "../schema.ts";
import { OWN_COUNTERS, OWN_ITEM } from "./conditions.ts";
import { prepareCounts } from "./counts.ts";
import { prepareFindItem } from "./find-item.ts";
import { toItem } from "./item-row.ts";

/** Marks items read that were not yet. */
export function prepareMarkRead(context: QueryContext) {
  const counts = prepareCounts(context);
  const findItem = prepareFindItem(context);
  const { setReadAt, takeFromUnread } = prepareChanges(context);
  return (owner: Owner, { refs, at }: { readonly refs: readonly ItemRef[]; readonly at: Date }): ItemsChange => {
    const items: InboxItem[] = [];
    const seen = new Set<number>();
    const changed = new Set<number>();
    for (const ref of refs) {
      const row = findItem(owner, ref);
      if (row === undefined || row.deleted_at !== null || seen.has(row.seq)) {
        continue;
      }
      const { seq } = row;
      seen.add(seq);
      if (row.read_at === null) {
        setReadAt.run({ ...owner, seq, at: at.getTime() });
        changed.add(seq);
      }
      items.push(toItem(row.read_at === null ? { ...row, read_at: at.getTime() } : row, owner));
    }
    if (changed.size > 0) {
      takeFromUnread.run({ ...owner, count: changed.size });
    }
    return { items, changed, counts: counts(owner) };
  };
}

function prepareChanges({ builder, prepare }: QueryContext) {
  return {
    setReadAt: prepare<Owner & { readonly seq: number; readonly at: number }>(
      builder
        .update(inboxItems)
        .set({ readAt: sql`${sql.placeholder("at")}` })
        .where(OWN_ITEM),
    ),
    takeFromUnread: prepare<Owner & { readonly count: number }>(
      builder
        .update(inboxCounters)
        .set({ unread: sql`${inboxCounters.unread} - ${sql.placeholder("count")}` })
        .where(OWN_COUNTERS),
    ),
  };
}
