import type { InboxItem } from "@belfry/core";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";
import { IS_READ_BESIDE_COUNTERS, joinValue } from "../inbox/conditions.ts";
import { ITEM_COLUMNS, type ItemRow, prepareReadTimes, toItem } from "../inbox/item-row.ts";
import { inboxCounters, inboxItems, notifications } from "../schema.ts";

type OwnedItemRow = readonly [userId: string, readUpToSeq: number, ...item: ItemRow];

/** A notification, by its id. */
export interface NotificationName {
  readonly tenant: string;
  readonly id: string;
}

/** How many items a part of a notification's inboxes has. */
export interface ItemCounts {
  readonly total: number;
  readonly read: number;
  /** The last user that was looked at; null at the end. */
  readonly lastUser: string | null;
}

const OF_NOTIFICATION = sql`${notifications}
  cross join ${inboxItems} on ${inboxItems.notificationPk} = ${notifications.pk}
  cross join ${inboxCounters} on ${inboxCounters.tenant} = ${inboxItems.tenant} and ${inboxCounters.userId} = ${inboxItems.userId}
  where ${notifications.tenant} = ${joinValue("tenant")} and ${notifications.id} = ${joinValue("id")}`;

/** Reads the first items of a notification, by user. */
export function prepareItemsOf(context: QueryContext) {
  const readTimes = prepareReadTimes(context);
  const list = context.prepareRows<NotificationName & { readonly limit: number }, OwnedItemRow>(sql`
    select ${inboxItems.userId}, ${inboxCounters.readUpToSeq}, ${ITEM_COLUMNS} from ${OF_NOTIFICATION} and ${inboxItems.deletedAt} is null
    order by ${inboxItems.userId} limit ${sql.placeholder("limit")}`);
  return (tenant: string, id: string, limit: number): readonly InboxItem[] =>
    list.all({ tenant, id, limit }).map(([userId, readUpToSeq, ...row]) => {
      const owner = { tenant, userId };
      return toItem(row, owner, readTimes(owner, { readUpToSeq }));
    });
}

/** Counts up to `limit` items of the users after `after`. */
export function prepareCountItems({ prepareRows }: QueryContext) {
  type CountRow = readonly [looked: number, total: number | null, read: number | null, lastUser: string | null];
  const count = prepareRows<NotificationName & { readonly after: string; readonly limit: number }, CountRow>(sql`
    select count(*), sum(is_there), sum(is_there and is_read), max(user_id) from (
      select ${inboxItems.userId} as user_id, ${inboxItems.deletedAt} is null as is_there,
        ${IS_READ_BESIDE_COUNTERS} as is_read
      from ${OF_NOTIFICATION} and ${inboxItems.userId} > ${joinValue("after")} order by ${inboxItems.userId} limit ${sql.placeholder("limit")})`);
  return (name: NotificationName, after: string, limit: number): ItemCounts => {
    const [looked, total, read, lastUser] = count.get({ ...name, after, limit }) ?? [0, 0, 0, null];
    return { total: total ?? 0, read: read ?? 0, lastUser: looked < limit ? null : lastUser };
  };
}
