import type { InboxItem, ItemRef, Owner } from "@belfry/core";
import type { ItemAbsence, ItemsChange, WholeInboxChange } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";
import { inboxCounters, inboxItems, readMarks } from "../schema.ts";
import { NEXT_REV, OWN_COUNTERS, OWN_ITEM } from "./conditions.ts";
import { prepareInboxState } from "./inbox-state.ts";
import { prepareFindItem } from "./item-row.ts";
import { prepareCounts } from "./list.ts";
import { prepareHasNotification } from "./write-items.ts";

/** Marks items read that were not yet. */
export function prepareMarkRead(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const findItem = prepareFindItem(context);
  const { setReadAt, takeFromUnread } = prepareReadChanges(context);
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

function prepareReadChanges({ builder, prepare }: QueryContext) {
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

/** Marks items unread again, also those that a read mark covers. */
export function prepareMarkUnread(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const findItem = prepareFindItem(context);
  const { setUnread, addToUnread } = prepareUnreadChanges(context);
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

function prepareUnreadChanges({ builder, prepare }: QueryContext) {
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

/** Finds out why an inbox does not have an item. */
export function prepareAbsence(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const findItem = prepareFindItem(context);
  const hasNotification = prepareHasNotification(context);
  return (owner: Owner, ref: ItemRef): ItemAbsence => {
    const found = findItem(owner, inboxState(owner), ref);
    if (found !== undefined) {
      // Not deleted: it arrived after the caller looked, so it was unknown then.
      return found.isDeleted ? "deleted" : "unknown";
    }
    return typeof ref === "string" && hasNotification({ tenant: owner.tenant, id: ref }) ? "foreign" : "unknown";
  };
}
