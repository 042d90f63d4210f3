import type { InboxTail, Owner } from "@belfry/core";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../query-context.ts";
import { inboxCounters, inboxItems, notifications } from "../schema.ts";
import { OWN_COUNTERS } from "./conditions.ts";
import { prepareCounts } from "./counts.ts";
import { ITEM_COLUMNS, type ItemRow, toItem } from "./item-row.ts";

/** Reads the items that came after a number, oldest first. */
export function prepareListAfter(context: QueryContext) {
  const counts = prepareCounts(context);
  const tail = context.prepare<Owner & { readonly seq: number; readonly limit: number }, ItemRow>(sql`
    select ${ITEM_COLUMNS}
    from ${inboxCounters}
    cross join ${inboxItems} on ${inboxItems.tenant} = ${inboxCounters.tenant} and ${inboxItems.userId} = ${inboxCounters.userId}
    cross join ${notifications} on ${notifications.pk} = ${inboxItems.notificationPk}
    where ${OWN_COUNTERS} and ${inboxItems.seq} > ${sql.placeholder("seq")} and ${inboxItems.deletedAt} is null
    order by ${inboxItems.seq} limit ${sql.placeholder("limit")}`);
  return (owner: Owner, { seq, limit }: { readonly seq: number; readonly limit: number }): InboxTail => {
    const state = counts(owner);
    const rows = state.lastSeq > seq && limit > 0 ? tail.all({ ...owner, seq, limit }) : [];
    return { items: rows.map((row) => toItem(row, owner)), counts: state };
  };
}
