import type { InboxItem } from "@belfry/core";
import type { DeletedSend, Deletion, DeletionStep } from "@belfry/core/storage";
import type { QueryContext } from "../database/statement.ts";
import { prepareWriteAudit } from "../delivery/change-send.ts";
import { prepareDropGroups, prepareSettleGroups } from "../inbox/groups.ts";
import { prepareAddToCounts, prepareInboxState } from "../inbox/inbox-state.ts";
import { DELETED_AT, ITEM_COLUMNS, type ItemRow, isAway, prepareReadTimes, toItem } from "../inbox/item-row.ts";

interface Key {
  readonly pk: number;
}

/** The rows that belong to a notification, beside its items. A host's connection may not enforce foreign keys, so each table is named. */
const WORK = [
  "belfry_audiences WHERE notification_pk = :pk",
  "belfry_fan_out_chunks WHERE notification_pk = :pk",
  "belfry_taken_addresses WHERE notification_pk = :pk",
  "belfry_digest_entries WHERE delivery_pk IN (SELECT pk FROM belfry_deliveries WHERE notification_pk = :pk)",
  "belfry_delivery_attempts WHERE delivery_pk IN (SELECT pk FROM belfry_deliveries WHERE notification_pk = :pk)",
  "belfry_deliveries WHERE notification_pk = :pk",
  "belfry_sends WHERE notification_pk = :pk",
  "belfry_trackings WHERE notification_pk = :pk",
  "belfry_processing_records WHERE notification_pk = :pk",
  "belfry_event_acks WHERE notification_pk = :pk",
  "belfry_events WHERE notification_pk = :pk",
];

/** Removes the rows that belong to a notification, beside its items. */
export function prepareDropWork(context: QueryContext) {
  // Its list may be long, and is dropped in steps.
  const endFanOut = context.prepare<Key>("UPDATE belfry_fan_outs SET notification_pk = NULL, drop_at = 0 WHERE notification_pk = :pk");
  const work = WORK.map((rows) => context.prepare<Key>(`DELETE FROM ${rows}`));
  return (key: Key): void => {
    // The audience first: nothing more is put into parts then.
    for (const part of [...work, endFanOut]) {
      part.run(key);
    }
  };
}

/** Deletes a part of a notification: first the work that is left, then items, and the notification with the last item. */
export function prepareDeleteNotification(context: QueryContext) {
  const find = context.prepare<{ readonly tenant: string; readonly id: string }, Key>(
    "SELECT pk FROM belfry_notifications WHERE tenant = :tenant AND id = :id",
  );
  const dropWork = prepareDropWork(context);
  const remove = context.prepare<Key>("DELETE FROM belfry_notifications WHERE pk = :pk");
  const dropItems = prepareDropItemsOf(context);
  const writeAudit = prepareWriteAudit(context);
  return (tenant: string, id: string, { limit, at, actor }: Deletion): DeletionStep | null => {
    const found = find.get({ tenant, id });
    if (found === undefined) {
      return null;
    }
    dropWork(found);
    const { items, dropped } = dropItems(tenant, found, { limit, at });
    const isDone = dropped < limit;
    if (isDone) {
      remove.run(found);
      writeAudit(tenant, { action: "deleted", actor, notificationId: id }, at);
    }
    return { items, isDone };
  };
}

/** Deletes a notification with deliveries at once; null for one without. */
export function prepareDeleteSend(context: QueryContext) {
  const find = context.prepare<{ readonly tenant: string; readonly id: string }, Key>(`
    SELECT n.pk FROM belfry_notifications n CROSS JOIN belfry_trackings t ON t.notification_pk = n.pk WHERE n.tenant = :tenant AND n.id = :id`);
  const remove = prepareDeleteNotification(context);
  return (tenant: string, given: string, by: Pick<Deletion, "at" | "actor">): DeletedSend | null => {
    const id = given.toLowerCase();
    return find.get({ tenant, id }) === undefined ? null : remove(tenant, id, { ...by, limit: Number.MAX_SAFE_INTEGER });
  };
}

/** What the counts of its place lose with an item. */
function lostWith({ readAt, isSeen }: InboxItem): { readonly unread: number; readonly seen: number } {
  const unread = readAt === null ? -1 : 0;
  return { unread, seen: isSeen ? unread : 0 };
}

/** Removes items of a notification, and takes them out of their inboxes' counts. */
function prepareDropItemsOf(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const readTimes = prepareReadTimes(context);
  const addToCounts = prepareAddToCounts(context);
  const settleGroups = prepareSettleGroups(context);
  const dropGroups = prepareDropGroups(context);
  const page = context.prepareRows<Key & { readonly limit: number }, readonly [userId: string, ...ItemRow]>(`
    SELECT i.user_id, ${ITEM_COLUMNS} FROM belfry_notifications n CROSS JOIN belfry_inbox_items i ON i.notification_pk = n.pk
    WHERE n.pk = (SELECT :pk) LIMIT :limit`);
  const drop = context.prepare<Key & { readonly tenant: string; readonly userId: string }>(
    "DELETE FROM belfry_inbox_items WHERE notification_pk = :pk AND tenant = :tenant AND user_id = :userId",
  );
  return (tenant: string, key: Key, { limit, at }: Pick<Deletion, "limit" | "at">) => {
    const rows = page.all({ ...key, limit });
    const items = rows.flatMap(([userId, ...row]) => {
      const owner = { tenant, userId };
      drop.run({ ...key, ...owner });
      const state = inboxState(owner);
      const was = toItem(row, owner, readTimes(owner, state));
      const { unread, seen } = lostWith(was);
      const isShown = row[DELETED_AT] === null;
      const { group } = was;
      settleGroups(owner, state.readRev, isShown ? [{ group, total: -1, unread }] : []);
      dropGroups(owner, [{ group }]);
      const change = { kind: "deleted", at, seqs: [was.seq] } as const;
      if (!isShown) {
        if (isAway(was)) {
          addToCounts(owner, state.counts, { change, awayUnread: unread, awaySeenUnread: seen });
        }
        return [];
      }
      const { epoch, rev, lastSeq } = addToCounts(owner, state.counts, { change, total: -1, unread, seenUnread: seen });
      return [{ ...was, epoch, rev, lastSeq }];
    });
    return { items, dropped: rows.length };
  };
}
