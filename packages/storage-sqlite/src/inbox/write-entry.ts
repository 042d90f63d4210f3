import type { CreatedItem } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { inboxCounters, inboxItems } from "../schema.ts";
import { joinValue } from "./conditions.ts";
import { prepareWriteItems } from "./write-items.ts";
import { prepareWriteNotification } from "./write-notification.ts";

/** What became of an entry. */
export interface WrittenEntry {
  readonly items: readonly CreatedItem[];
  /** False if its tenant had the notification already: then nothing was written, and `items` are those it has. */
  readonly isNew: boolean;
}

/** Writes a notification with one item per recipient, inside a transaction that the caller opened. */
export function prepareWriteEntry(context: QueryContext) {
  const writeNotification = prepareWriteNotification(context);
  const writeItems = prepareWriteItems(context);
  const itemsOf = context.prepare<{ readonly notificationPk: number }, CreatedItem>(sql`
    select ${inboxItems.userId} as "userId", ${inboxItems.seq}, ${inboxCounters.epoch}
    from ${inboxItems}
    cross join ${inboxCounters} on ${inboxCounters.tenant} = ${inboxItems.tenant} and ${inboxCounters.userId} = ${inboxItems.userId}
    where ${inboxItems.notificationPk} = ${joinValue("notificationPk")}
    order by ${inboxItems.userId}`);
  return ({ notification, recipients }: NewNotification): WrittenEntry => {
    const { tenant, type, createdAt } = notification;
    const { pk: notificationPk, isNew } = writeNotification(notification);
    const items = isNew ? writeItems({ tenant, notificationPk, type, createdAt }, recipients) : itemsOf.all({ notificationPk });
    return { items, isNew };
  };
}
