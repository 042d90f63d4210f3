import type { InboxItem, ItemRef, Owner } from "@belfry/core";
import type { ItemsChange, WholeInboxChange } from "@belfry/core/storage";
import { and, isNull, sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";
import { events, fanOutChunks, inboxCounters, inboxItems, notifications, trackings } from "../schema.ts";
import { IS_READ, IS_READ_BESIDE_COUNTERS, NEXT_REV, OWN_COUNTERS, OWN_ITEM, OWN_ITEMS } from "./conditions.ts";
import { prepareInboxState, type ReadState } from "./inbox-state.ts";
import { prepareFindItem } from "./item-row.ts";

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

/** An item to be removed for good; flags are 0 or 1. */
export type DroppedItem = readonly [seq: number, notificationPk: number, isShown: number, isUnread: number];

/** The columns of a {@link DroppedItem}, over the item and its inbox's counters. */
export const DROPPED_COLUMNS = sql`${inboxItems.seq}, ${inboxItems.notificationPk}, ${inboxItems.deletedAt} is null,
  ${inboxItems.deletedAt} is null and not ${IS_READ_BESIDE_COUNTERS}`;

/** Removes items of one inbox for good, each with its notification if nothing else refers to it, and counts them off. */
export function prepareDropItems({ builder, prepare }: QueryContext) {
  const dropItem = prepare<Owner & { readonly seq: number }>(builder.delete(inboxItems).where(OWN_ITEM));
  const dropNotification = prepare<{ readonly tenant: string; readonly pk: number }>(sql`
    delete from ${notifications} where ${notifications.pk} = ${sql.placeholder("pk")} and ${notifications.tenant} = ${sql.placeholder("tenant")}
      and not exists (select 1 from ${inboxItems} where ${inboxItems.notificationPk} = ${notifications.pk})
      and not exists (select 1 from ${trackings} where ${trackings.notificationPk} = ${notifications.pk})
      and not exists (select 1 from ${events} where ${events.notificationPk} = ${notifications.pk})
      and not exists (select 1 from ${fanOutChunks} where ${fanOutChunks.notificationPk} = ${notifications.pk})`);
  const countOff = prepare<Owner & { readonly shown: number; readonly unread: number }>(
    builder
      .update(inboxCounters)
      .set({
        total: sql`${inboxCounters.total} - ${sql.placeholder("shown")}`,
        unread: sql`${inboxCounters.unread} - ${sql.placeholder("unread")}`,
        rev: sql`${inboxCounters.rev} + 1`,
      })
      .where(OWN_COUNTERS),
  );
  return (owner: Owner, items: readonly DroppedItem[]): number => {
    let [shown, unread] = [0, 0];
    for (const [seq, pk, isShown, isUnread] of items) {
      dropItem.run({ ...owner, seq });
      dropNotification.run({ tenant: owner.tenant, pk });
      shown += isShown;
      unread += isUnread;
    }
    if (shown > 0) {
      countOff.run({ ...owner, shown, unread });
    }
    return items.length;
  };
}
