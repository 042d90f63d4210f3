import type { InboxItem, ItemRef, Owner } from "@belfry/core";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { inboxItems, notifications } from "../schema.ts";
import { joinValue } from "./conditions.ts";
import type { InboxState } from "./inbox-state.ts";
import { DELETED_AT, ITEM_COLUMNS, type ItemRow, toItem } from "./item-row.ts";
import { prepareReadTimes } from "./read-times.ts";

/** An item that an inbox has or had. */
export interface FoundItem {
  readonly item: InboxItem;
  readonly isDeleted: boolean;
}

/** Finds one item of an inbox by either of its names, deleted ones included. */
export function prepareFindItem(context: QueryContext) {
  const readTimes = prepareReadTimes(context);
  const bySeq = context.prepareRows<Owner & { readonly seq: number }, ItemRow>(sql`
    select ${ITEM_COLUMNS}
    from ${inboxItems} cross join ${notifications} on ${notifications.pk} = ${inboxItems.notificationPk}
    where ${inboxItems.tenant} = ${joinValue("tenant")} and ${inboxItems.userId} = ${joinValue("userId")}
      and ${inboxItems.seq} = ${joinValue("seq")}`);
  const byId = context.prepareRows<Owner & { readonly id: string }, ItemRow>(sql`
    select ${ITEM_COLUMNS}
    from ${notifications} cross join ${inboxItems} on ${inboxItems.notificationPk} = ${notifications.pk}
    where ${notifications.tenant} = ${joinValue("tenant")} and ${notifications.id} = ${joinValue("id")}
      and ${inboxItems.userId} = ${joinValue("userId")}`);
  return (owner: Owner, state: InboxState, ref: ItemRef): FoundItem | undefined => {
    // Ids are stored in lower case; a UUID may be written in either.
    const row = typeof ref === "string" ? byId.get({ ...owner, id: ref.toLowerCase() }) : bySeq.get({ ...owner, seq: ref.seq });
    if (row === undefined) {
      return undefined;
    }
    return { item: toItem(row, owner, readTimes(owner, state)), isDeleted: row[DELETED_AT] !== null };
  };
}
