import type { InboxItem } from "@belfry/core";
import { type Deletion, type DeletionStep, tenantOfDeleted } from "@belfry/core/storage";
import type { QueryContext } from "../database/statement.ts";
import { prepareWriteAudit } from "../delivery/change-send.ts";
import { prepareDropGroups, prepareSettleGroups } from "../inbox/groups.ts";
import { prepareAddToCounts, prepareInboxState } from "../inbox/inbox-state.ts";
import { ANY_ITEM_COLUMNS, type AnyItemRow, DELETED_AT, isAway, prepareReadTimes, toItem } from "../inbox/item-row.ts";

interface Key {
  readonly pk: number;
}

interface DeliveryKeys {
  /** In JSON. */
  readonly pks: string;
}

/** How many deliveries a step removes, with all that belongs to them: it takes some 10 ms, in which nobody else gets a turn. */
export const DELIVERIES_AT_ONCE = 100;

/** The rows that belong to deliveries. A host's connection may not enforce foreign keys, so each table is named. */
const OF_DELIVERIES = ["taken_addresses", "digest_entries", "delivery_attempts"];

/** The rows that are left to do for a notification, beside its deliveries. */
const WORK = ["audiences", "broadcasts", "item_updates", "fan_out_chunks", "processing_records", "event_acks", "events"];

/** Removes up to `limit` deliveries of a notification, with all that belongs to them, and answers how many. */
export function prepareDropDeliveries({ prepare, prepareRows }: QueryContext) {
  const find = prepareRows<Key & { readonly limit: number }, readonly [pk: number]>(
    "SELECT pk FROM belfry_deliveries WHERE notification_pk = (SELECT :pk) ORDER BY chain, is_fallback LIMIT :limit",
  );
  const drop = [
    ...OF_DELIVERIES.map((table) => `DELETE FROM belfry_${table} WHERE delivery_pk IN (SELECT value FROM json_each(:pks))`),
    "DELETE FROM belfry_deliveries WHERE pk IN (SELECT value FROM json_each(:pks))",
  ].map((text) => prepare<DeliveryKeys>(text));
  return ({ pk }: Key, limit: number): number => {
    const found = find.all({ pk, limit }).map(([delivery]) => delivery);
    if (found.length > 0) {
      const pks = JSON.stringify(found);
      for (const part of drop) {
        part.run({ pks });
      }
    }
    return found.length;
  };
}

/** Removes a notification that has no deliveries and no items any more. */
export function prepareDropRest({ prepare }: QueryContext) {
  const parts = [
    ...["audiences", "ended_broadcasts", "item_updates", "sends", "trackings"].map(
      (table) => `DELETE FROM belfry_${table} WHERE notification_pk = :pk`,
    ),
    "DELETE FROM belfry_notifications WHERE pk = :pk",
  ].map((text) => prepare<Key>(text));
  return (key: Key): void => {
    for (const part of parts) {
      part.run(key);
    }
  };
}

/** Gives a notification the tenant of one that is being deleted, and lets it expire. */
export function prepareHide({ prepare }: QueryContext) {
  type Named = Key & { readonly hidden: string };
  const hide = [
    "UPDATE belfry_notifications SET tenant = :hidden, expires_at = 0, expired_at = created_at WHERE pk = :pk",
    "UPDATE belfry_trackings SET tenant = :hidden WHERE notification_pk = :pk",
  ].map((text) => prepare<Named>(text));
  return ({ pk }: Key, tenant: string): void => {
    for (const part of hide) {
      part.run({ pk, hidden: tenantOfDeleted(tenant) });
    }
  };
}

/** Ends all that is left to do for a notification, but for its deliveries. */
function prepareEndWork({ prepare }: QueryContext) {
  const parts = [
    // The audience first: nothing more is put into parts then.
    ...WORK.map((table) => `DELETE FROM belfry_${table} WHERE notification_pk = :pk`),
    // Its list may be long, and is dropped in steps.
    "UPDATE belfry_fan_outs SET notification_pk = NULL, drop_at = 0 WHERE notification_pk = :pk",
  ].map((text) => prepare<Key>(text));
  return (key: Key): void => {
    for (const part of parts) {
      part.run(key);
    }
  };
}

interface FoundNotification extends Key {
  /** 1 for one that is not hidden yet. */
  readonly isFirst: number;
  /** 1 for one that has deliveries. */
  readonly isTracked: number;
}

/** Deletes a part of a notification: first the work that is left, then deliveries, then items, and the notification with the last item. */
export function prepareDeleteNotification(context: QueryContext) {
  const find = context.prepare<{ readonly tenant: string; readonly hidden: string; readonly id: string }, FoundNotification>(`
    SELECT pk, tenant = :tenant AS isFirst, EXISTS (SELECT 1 FROM belfry_trackings WHERE notification_pk = pk) AS isTracked
    FROM belfry_notifications WHERE tenant IN (:tenant, :hidden) AND id = :id ORDER BY tenant = :tenant LIMIT 1`);
  const endWork = prepareEndWork(context);
  const dropDeliveries = prepareDropDeliveries(context);
  const dropItems = prepareDropItemsOf(context);
  const dropRest = prepareDropRest(context);
  const hide = prepareHide(context);
  const writeAudit = prepareWriteAudit(context);
  const dropPart = (tenant: string, found: Key, { limit, at }: Deletion): DeletionStep => {
    if (dropDeliveries(found, DELIVERIES_AT_ONCE) === DELIVERIES_AT_ONCE) {
      return { items: [], isDone: false };
    }
    const { items, dropped } = dropItems(tenant, found, { limit, at });
    return { items, isDone: dropped < limit };
  };
  return (tenant: string, id: string, deletion: Deletion): DeletionStep | null => {
    const found = find.get({ tenant, hidden: tenantOfDeleted(tenant), id });
    if (found === undefined || (deletion.only === "tracked" && found.isTracked === 0)) {
      return null;
    }
    const isFirst = found.isFirst === 1;
    if (isFirst) {
      endWork(found);
      const { actor, details = null, at } = deletion;
      writeAudit(tenant, { action: "deleted", actor, notificationId: id, details }, at);
    }
    const step = dropPart(tenant, found, deletion);
    if (step.isDone) {
      dropRest(found);
    } else if (isFirst) {
      hide(found, tenant);
    }
    return step;
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
  const page = context.prepareRows<Key & { readonly limit: number }, readonly [userId: string, ...AnyItemRow]>(`
    SELECT i.user_id, ${ANY_ITEM_COLUMNS} FROM belfry_notifications n CROSS JOIN belfry_inbox_items i ON i.notification_pk = n.pk
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
      const isShown = row[DELETED_AT] === null && was.seq > state.removedUpToSeq;
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
      const counts = addToCounts(owner, state.counts, { change, total: -1, unread, seenUnread: seen });
      const { total, unread: unreadNow, unseen, lastSeq, epoch, rev } = counts;
      return [{ ...was, total, unread: unreadNow, unseen, lastSeq, epoch, rev }];
    });
    return { items, dropped: rows.length };
  };
}
