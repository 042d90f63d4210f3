import type { Owner } from "@belfry/core";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { events, fanOutChunks, inboxCounters, inboxItems, notifications, sends } from "../schema.ts";
import { IS_READ_BESIDE_COUNTERS, OWN_COUNTERS, OWN_ITEM } from "./conditions.ts";

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
      and not exists (select 1 from ${sends} where ${sends.notificationPk} = ${notifications.pk})
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
