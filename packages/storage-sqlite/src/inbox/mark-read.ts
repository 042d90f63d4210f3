import type { InboxItem, ItemRef, Owner } from "@belfry/core";
import type { ItemsChange } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { inboxCounters, inboxItems } from "../schema.ts";
import { NEXT_REV, OWN_COUNTERS, OWN_ITEM } from "./conditions.ts";
import { prepareFindItem } from "./find-item.ts";
import { prepareInboxState } from "./inbox-state.ts";

/** Marks items read that were not yet. */
export function prepareMarkRead(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const findItem = prepareFindItem(context);
  const { setReadAt, takeFromUnread } = prepareChanges(context);
  return (owner: Owner, refs: readonly ItemRef[], at: Date): ItemsChange => {
    const state = inboxState(owner);
    const items = new Map<number, InboxItem>();
    const changed = new Set<number>();
    for (const ref of refs) {
      const found = findItem(owner, state, ref);
      if (found === undefined || found.isDeleted || items.has(found.item.seq)) {
        continue;
      }
      const { item } = found;
      if (item.readAt === null) {
        setReadAt.run({ ...owner, seq: item.seq, at: at.getTime() });
        changed.add(item.seq);
      }
      items.set(item.seq, item.readAt === null ? { ...item, readAt: new Date(at) } : item);
    }
    if (changed.size > 0) {
      takeFromUnread.run({ ...owner, count: changed.size });
    }
    const { counts } = state;
    return {
      items: [...items.values()],
      changed,
      counts: { ...counts, unread: counts.unread - changed.size, rev: counts.rev + Number(changed.size > 0) },
    };
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
        .set({ unread: sql`${inboxCounters.unread} - ${sql.placeholder("count")}`, rev: NEXT_REV })
        .where(OWN_COUNTERS),
    ),
  };
}
