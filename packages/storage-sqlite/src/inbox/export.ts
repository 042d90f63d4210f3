import type { Owner } from "@belfry/core";
import type { ExportedItem, ExportStep, StepRange } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { inboxItems, notifications } from "../schema.ts";
import { joinValue } from "./conditions.ts";
import { prepareInboxState } from "./inbox-state.ts";
import { DELETED_AT, ITEM_COLUMNS, type ItemRow, toItem } from "./item-row.ts";
import { prepareReadTimes } from "./read-times.ts";

/** Reads the items of an inbox, oldest first, deleted ones too. */
export function prepareExport(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const readTimes = prepareReadTimes(context);
  const page = context.prepareRows<Owner & { readonly seq: number; readonly limit: number }, ItemRow>(sql`
    select ${ITEM_COLUMNS}
    from ${inboxItems} cross join ${notifications} on ${notifications.pk} = ${inboxItems.notificationPk}
    where ${inboxItems.tenant} = ${joinValue("tenant")} and ${inboxItems.userId} = ${joinValue("userId")} and ${inboxItems.seq} > ${joinValue("seq")}
    order by ${inboxItems.seq} limit ${sql.placeholder("limit")}`);
  return (owner: Owner, { after, limit }: StepRange): ExportStep<ExportedItem> => {
    const readTime = readTimes(owner, inboxState(owner));
    const records = page.all({ ...owner, seq: Number(after ?? 0), limit }).map((row): ExportedItem => {
      const deletedAt = row[DELETED_AT];
      return { ...toItem(row, owner, readTime), deletedAt: deletedAt === null ? null : new Date(deletedAt) };
    });
    const last = records.length < limit ? undefined : records.at(-1);
    return { records, next: last === undefined ? null : String(last.seq) };
  };
}
