import type { InboxItem } from "@belfry/core";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../query-context.ts";
import { inboxCounters, inboxItems, notifications } from "../schema.ts";
import { ITEM_COLUMNS, type ItemRow, toItem } from "./item-row.ts";

interface TenantItemRow extends ItemRow {
  readonly user_id: string;
}

/** Reads the newest items of all of a tenant's inboxes: along the notifications' ids, which sort by time. */
export function prepareListTenant({ prepare }: QueryContext) {
  const newest = prepare<{ readonly tenant: string; readonly limit: number }, TenantItemRow>(sql`
    select ${ITEM_COLUMNS}, ${inboxItems.userId}
    from ${notifications}
    cross join ${inboxItems} on ${inboxItems.notificationPk} = ${notifications.pk}
    cross join ${inboxCounters} on ${inboxCounters.tenant} = ${notifications.tenant} and ${inboxCounters.userId} = ${inboxItems.userId}
    where ${notifications.tenant} = ${sql.placeholder("tenant")} and ${inboxItems.deletedAt} is null
    order by ${notifications.id} desc, ${inboxItems.userId} limit ${sql.placeholder("limit")}`);
  return (tenant: string, limit: number): readonly InboxItem[] =>
    newest.all({ tenant, limit }).map((row) => toItem(row, { tenant, userId: row.user_id }));
}
