import type { ItemRef, Owner } from "@belfry/core";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../query-context.ts";
import { inboxCounters, inboxItems, notifications } from "../schema.ts";
import { OWN_COUNTERS } from "./conditions.ts";
import { ITEM_COLUMNS, type ItemRow } from "./item-row.ts";

/** Finds one item of an inbox by either of its names, deleted ones included. */
export function prepareFindItem({ prepare }: QueryContext) {
  const bySeq = prepare<Owner & { readonly seq: number }, ItemRow>(sql`
    select ${ITEM_COLUMNS}
    from ${inboxCounters}
    cross join ${inboxItems} on ${inboxItems.tenant} = ${inboxCounters.tenant} and ${inboxItems.userId} = ${inboxCounters.userId}
    cross join ${notifications} on ${notifications.pk} = ${inboxItems.notificationPk}
    where ${OWN_COUNTERS} and ${inboxItems.seq} = ${sql.placeholder("seq")}`);
  const byId = prepare<Owner & { readonly id: string }, ItemRow>(sql`
    select ${ITEM_COLUMNS}
    from ${inboxCounters}
    cross join ${notifications} on ${notifications.tenant} = ${inboxCounters.tenant}
    cross join ${inboxItems} on ${inboxItems.notificationPk} = ${notifications.pk} and ${inboxItems.userId} = ${inboxCounters.userId}
    where ${OWN_COUNTERS} and ${notifications.id} = ${sql.placeholder("id")}`);
  return (owner: Owner, ref: ItemRef): ItemRow | undefined =>
    typeof ref === "string" ? byId.get({ ...owner, id: ref.toLowerCase() }) : bySeq.get({ ...owner, seq: ref.seq });
}
