import type { Owner } from "@belfry/core";
import type { InboxTail, PageBounds } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { takeBytes } from "../database/take-bytes.ts";
import { inboxItems, notifications } from "../schema.ts";
import { joinValue } from "./conditions.ts";
import { prepareInboxState } from "./inbox-state.ts";
import { ITEM_COLUMNS, type ItemRow, toItem } from "./item-row.ts";
import { prepareReadTimes } from "./read-times.ts";

/** Reads the items that came after a number, oldest first. */
export function prepareListAfter(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const readTimes = prepareReadTimes(context);
  const tail = context.prepareRows<Owner & { readonly seq: number; readonly limit: number }, ItemRow>(sql`
    select ${ITEM_COLUMNS}
    from ${inboxItems} cross join ${notifications} on ${notifications.pk} = ${inboxItems.notificationPk}
    where ${inboxItems.tenant} = ${joinValue("tenant")} and ${inboxItems.userId} = ${joinValue("userId")}
      and ${inboxItems.seq} > ${joinValue("seq")} and ${inboxItems.deletedAt} is null
    order by ${inboxItems.seq} limit ${sql.placeholder("limit")}`);
  return (owner: Owner, seq: number, { limit, bytes }: PageBounds): InboxTail => {
    const state = inboxState(owner);
    const isAnyLeft = state.counts.lastSeq > seq && limit > 0;
    const rows = isAnyLeft ? takeBytes(tail.iterate({ ...owner, seq, limit }), { bytes, of: rowBytes }) : [];
    const readTime = readTimes(owner, state);
    return { items: rows.map((row) => toItem(row, owner, readTime)), counts: state.counts };
  };
}

function rowBytes([, , title, message, data]: ItemRow): number {
  return title.length + message.length + data.length;
}
