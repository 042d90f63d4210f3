import type { Deletion, DeletionStep } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";
import { prepareWriteAudit } from "../delivery/change-send.ts";
import { prepareInboxState } from "../inbox/inbox-state.ts";
import { DELETED_AT, ITEM_COLUMNS, type ItemRow, prepareReadTimes, toItem } from "../inbox/item-row.ts";

interface Key {
  readonly pk: number;
}

const PK = sql.placeholder("pk");
const DELIVERIES = sql`select pk from belfry_deliveries where notification_pk = ${PK}`;

/** The rows that belong to a notification, beside its items. A host's connection may not enforce foreign keys, so each table is named. */
const WORK = [
  sql`delete from belfry_fan_out_chunks where notification_pk = ${PK}`,
  sql`delete from belfry_delivery_attempts where delivery_pk in (${DELIVERIES})`,
  sql`delete from belfry_deliveries where notification_pk = ${PK}`,
  sql`delete from belfry_sends where notification_pk = ${PK}`,
  sql`delete from belfry_trackings where notification_pk = ${PK}`,
  sql`delete from belfry_processing_records where notification_pk = ${PK}`,
  sql`delete from belfry_event_acks where notification_pk = ${PK}`,
  sql`delete from belfry_events where notification_pk = ${PK}`,
];

/** Deletes some of a notification: first the work that is left, then items, and with the last of them the notification. */
export function prepareDeleteNotification(context: QueryContext) {
  const find = context.prepare<{ readonly tenant: string; readonly id: string }, Key>(sql`
    select pk from belfry_notifications where tenant = ${sql.placeholder("tenant")} and id = ${sql.placeholder("id")}`);
  const work = WORK.map((statement) => context.prepare<Key>(statement));
  const remove = context.prepare<Key>(sql`delete from belfry_notifications where pk = ${PK}`);
  const dropItems = prepareDropItemsOf(context);
  const writeAudit = prepareWriteAudit(context);
  return (tenant: string, id: string, { limit, at, actor }: Deletion): DeletionStep | null => {
    const found = find.get({ tenant, id });
    if (found === undefined) {
      return null;
    }
    for (const part of work) {
      part.run(found);
    }
    const { items, dropped } = dropItems(tenant, found, limit);
    const isDone = dropped < limit;
    if (isDone) {
      remove.run(found);
      writeAudit(tenant, { action: "deleted", actor, notificationId: id }, at);
    }
    return { items, isDone };
  };
}

/** Removes items of a notification, and takes them out of their inboxes' counts. */
function prepareDropItemsOf(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const readTimes = prepareReadTimes(context);
  const page = context.prepareRows<Key & { readonly limit: number }, readonly [userId: string, ...ItemRow]>(sql`
    select belfry_inbox_items.user_id, ${ITEM_COLUMNS}
    from belfry_notifications cross join belfry_inbox_items on belfry_inbox_items.notification_pk = belfry_notifications.pk
    where belfry_notifications.pk = (select ${PK}) limit ${sql.placeholder("limit")}`);
  const drop = context.prepare<Key & { readonly tenant: string; readonly userId: string }>(sql`
    delete from belfry_inbox_items
    where notification_pk = ${PK} and tenant = ${sql.placeholder("tenant")} and user_id = ${sql.placeholder("userId")}`);
  const takeFromCounts = context.prepare<{ readonly tenant: string; readonly userId: string; readonly unread: number }>(sql`
    update belfry_inbox_counters set total = total - 1, unread = unread - ${sql.placeholder("unread")}, rev = rev + 1
    where tenant = ${sql.placeholder("tenant")} and user_id = ${sql.placeholder("userId")}`);
  return (tenant: string, key: Key, limit: number) => {
    const rows = page.all({ ...key, limit });
    const items = rows.flatMap(([userId, ...row]) => {
      const owner = { tenant, userId };
      drop.run({ ...key, ...owner });
      if (row[DELETED_AT] !== null) {
        return [];
      }
      const state = inboxState(owner);
      const was = toItem(row, owner, readTimes(owner, state));
      takeFromCounts.run({ ...owner, unread: was.readAt === null ? 1 : 0 });
      return [{ ...was, epoch: state.counts.epoch }];
    });
    return { items, dropped: rows.length };
  };
}
