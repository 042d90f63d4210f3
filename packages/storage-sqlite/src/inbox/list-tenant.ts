import type { InboxItem } from "@belfry/core";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { inboxCounters, inboxItems, notifications } from "../schema.ts";
import { joinValue } from "./conditions.ts";
import { ITEM_COLUMNS, type ItemRow, toItem } from "./item-row.ts";
import { prepareReadTimes } from "./read-times.ts";

type TenantItemRow = readonly [userId: string, readUpToSeq: number, ...item: ItemRow];

/** Reads the newest items of all of a tenant's inboxes: along the notifications' ids, which sort by time. */
export function prepareListTenant(context: QueryContext) {
  const readTimes = prepareReadTimes(context);
  const newest = context.prepareRows<{ readonly tenant: string; readonly limit: number }, TenantItemRow>(sql`
    select ${inboxItems.userId}, ${inboxCounters.readUpToSeq}, ${ITEM_COLUMNS}
    from ${notifications}
    cross join ${inboxItems} on ${inboxItems.notificationPk} = ${notifications.pk}
    cross join ${inboxCounters} on ${inboxCounters.tenant} = ${inboxItems.tenant} and ${inboxCounters.userId} = ${inboxItems.userId}
    where ${notifications.tenant} = ${joinValue("tenant")} and ${inboxItems.deletedAt} is null
    order by ${notifications.id} desc, ${inboxItems.userId} limit ${sql.placeholder("limit")}`);
  return (tenant: string, limit: number): readonly InboxItem[] =>
    newest.all({ tenant, limit }).map(([userId, readUpToSeq, ...row]) => {
      const owner = { tenant, userId };
      return toItem(row, owner, readTimes(owner, { readUpToSeq }));
    });
}
