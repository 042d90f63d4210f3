import type { InboxItem, ItemRef, Owner } from "@belfry/core";
import type { ItemsChange } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { inboxCounters, inboxItems } from "../schema.ts";
import { NEXT_REV, OWN_COUNTERS, OWN_ITEM } from "./conditions.ts";
import { prepareFindItem } from "./find-item.ts";
import { prepareInboxState } from "./inbox-state.ts";

/** Marks items unread again, also those that a read mark covers. */
export function prepareMarkUnread(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const findItem = prepareFindItem(context);
  const { setUnread, addToUnread } = prepareChanges(context);
  return (owner: Owner, refs: readonly ItemRef[]): ItemsChange => {
    const state = inboxState(owner);
    const { counts, readUpToSeq } = state;
    const items = new Map<number, InboxItem>();
    const changed = new Set<number>();
    for (const ref of refs) {
      const found = findItem(owner, state, ref);
      if (found === undefined || found.isDeleted || items.has(found.item.seq)) {
        continue;
      }
      const { item } = found;
      if (item.readAt !== null) {
        setUnread.run({ ...owner, seq: item.seq, rev: counts.rev + 1 });
        changed.add(item.seq);
      }
      items.set(item.seq, { ...item, readAt: null });
    }
    if (changed.size > 0) {
      const covered = [...changed].filter((seq) => seq <= readUpToSeq);
      addToUnread.run({ ...owner, count: changed.size, fromSeq: covered.length > 0 ? Math.min(...covered) : null });
    }
    const after = { ...counts, unread: counts.unread + changed.size, rev: counts.rev + Number(changed.size > 0) };
    return { items: [...items.values()], changed, counts: after };
  };
}

function prepareChanges({ builder, prepare }: QueryContext) {
  const fromSeq = sql.placeholder("fromSeq");
  return {
    setUnread: prepare<Owner & { readonly seq: number; readonly rev: number }>(
      builder
        .update(inboxItems)
        .set({ readAt: null, unreadRev: sql`${sql.placeholder("rev")}` })
        .where(OWN_ITEM),
    ),
    addToUnread: prepare<Owner & { readonly count: number; readonly fromSeq: number | null }>(
      builder
        .update(inboxCounters)
        .set({
          unread: sql`${inboxCounters.unread} + ${sql.placeholder("count")}`,
          rev: NEXT_REV,
          reopenedFromSeq: sql`min(coalesce(${inboxCounters.reopenedFromSeq}, ${fromSeq}), coalesce(${fromSeq}, ${inboxCounters.reopenedFromSeq}))`,
        })
        .where(OWN_COUNTERS),
    ),
  };
}
