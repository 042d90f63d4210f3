import type { InboxCounts, InboxItem } from "@belfry/core";
import { type Deletion, type DeletionStep, tenantOfDeleted } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { lists, type StorageTime, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareWriteAudit } from "../delivery/change-send.ts";
import { loggedChange } from "../inbox/change-log.ts";
import { prepareDropGroups, settleGroups } from "../inbox/groups.ts";
import { addTo, holdInboxes } from "../inbox/inbox-state.ts";
import { type ItemRow, isActive, isAway, itemColumns, readTime, toItem } from "../inbox/item-row.ts";

type DroppedRow = readonly [
  userId: string,
  epoch: string,
  rev: number,
  lastSeq: number,
  total: number,
  unread: number,
  seenUnread: number,
  isShown: boolean,
  ...ItemRow,
];

/** How many deliveries a step removes, with all that belongs to them. */
export const DELIVERIES_AT_ONCE = 1_000;

interface NamedKey {
  readonly tenant: string;
  readonly pk: number;
}

type FoundNotification = readonly [pk: number, isFirst: boolean, isTracked: boolean];

/** Deletes a part of a notification: first the work that is left, then deliveries, then items, and the notification with the last item. */
export function prepareDeleteNotification(tables: TableNames, time: StorageTime) {
  const { notifications, trackings } = tables;
  const find = statement<FoundNotification>(
    "find_to_delete",
    `SELECT pk, tenant = $1, EXISTS (SELECT FROM ${trackings} t WHERE t.notification_pk = n.pk) FROM ${notifications} n
    WHERE tenant IN ($1, $2) AND id = $3 ORDER BY tenant = $1 LIMIT 1`,
  );
  const hold = statement<[]>("hold_to_delete", `SELECT FROM (SELECT FROM ${trackings} WHERE notification_pk = $1 FOR UPDATE) t`);
  const endWork = prepareEndWork(tables);
  const dropDeliveries = prepareDropDeliveries(tables);
  const dropItems = prepareDropItems(tables);
  // The database removes the rows that belong to a notification.
  const remove = statement<readonly [tenant: string]>("delete_notification", `DELETE FROM ${notifications} WHERE pk = $1 RETURNING tenant`);
  const hide = prepareHide(tables);
  const writeAudit = prepareWriteAudit(tables);
  const isPlaced = prepareIsPlaced(tables);

  const dropPart = async (session: Session, of: NamedKey, { limit, at }: Deletion): Promise<DeletionStep> => {
    if ((await dropDeliveries(session, [of.pk])) === DELIVERIES_AT_ONCE) {
      return { items: [], isDone: false };
    }
    const { items, dropped } = await dropItems(session, of, { limit, at });
    return { items, isDone: dropped < limit };
  };
  const take = async (session: Session, of: NamedKey & { readonly isFirst: boolean }, deletion: Deletion) => {
    const { pk, isFirst } = of;
    // The fan-out before the tracking, as whoever writes a part of it locks them.
    if (isFirst) {
      await endWork(session, pk);
    }
    await session.rows(hold, [pk]);
    const step = await dropPart(session, of, deletion);
    const isDone = step.isDone && !(await isPlaced(session, pk));
    const changed = isDone ? await session.rows(remove, [pk]) : await hide(session, isFirst ? [pk] : []);
    return { step: { ...step, isDone }, tenants: changed.map(([before]) => before) };
  };
  return (tenant: string, id: string, deletion: Deletion) =>
    async (session: Session): Promise<DeletionStep | null> => {
      const [found] = await session.rows(find, [tenant, tenantOfDeleted(tenant), id]);
      if (found === undefined || (deletion.only === "tracked" && !found[2])) {
        return null;
      }
      const [pk, isFirst] = found;
      const { step, tenants } = await take(session, { tenant, pk, isFirst }, deletion);
      // Another call may have been the first meanwhile.
      if (tenants.includes(tenant)) {
        const { actor, details = null, at } = deletion;
        await writeAudit(session, [{ tenant, action: "deleted", actor, notificationId: id, details }], time(at));
      }
      return step;
    };
}

/**
 * Tells whether a notification has items, and lets nobody write others before the end of the transaction. One of a scheduled send may
 * have been on its way while its items were dropped: it is to be dropped by another step, which takes it out of its inbox's counts.
 */
function prepareIsPlaced({ notifications, inboxItems }: TableNames) {
  const hold = statement<[]>("hold_placing", `SELECT FROM (SELECT FROM ${notifications} WHERE pk = $1 FOR UPDATE) n`);
  // A separate statement: it sees what the one above has waited for.
  const find = statement<[one: number]>("find_placed", `SELECT 1 FROM ${inboxItems} WHERE notification_pk = $1 LIMIT 1`);
  return async (session: Session, pk: number): Promise<boolean> => {
    await session.rows(hold, [pk]);
    return (await session.rows(find, [pk])).length > 0;
  };
}

/** Ends all that is left to do for a notification, but for its deliveries. */
function prepareEndWork({ audiences, broadcasts, events, fanOutChunks, fanOuts, processingRecords }: TableNames) {
  const parts = [
    // The audience first: nothing more is put into parts then.
    ...[audiences, broadcasts, fanOutChunks, processingRecords, events].map((table) => `DELETE FROM ${table} WHERE notification_pk = $1`),
    // Its list may be long, and is dropped in steps.
    `UPDATE ${fanOuts} SET notification_pk = NULL, drop_at = to_timestamp(0) WHERE notification_pk = $1`,
  ].map((text, index) => statement<[]>(`end_work_${index}`, text));
  return async (session: Session, pk: number): Promise<void> => {
    for (const part of parts) {
      await session.rows(part, [pk]);
    }
  };
}

/** Removes so many deliveries of notifications, with all that belongs to them, and answers how many. */
export function prepareDropDeliveries({ deliveries }: TableNames) {
  const drop = statement<[one: number]>(
    "delete_deliveries",
    `DELETE FROM ${deliveries} WHERE pk IN (
      SELECT d.pk FROM unnest($1::bigint[]) AS k(pk) CROSS JOIN LATERAL (
        SELECT pk FROM ${deliveries} WHERE notification_pk = k.pk ORDER BY chain, is_fallback LIMIT ${DELIVERIES_AT_ONCE}) d
      LIMIT ${DELIVERIES_AT_ONCE}
    ) RETURNING 1`,
  );
  return async (session: Session, pks: readonly number[]): Promise<number> => (await session.rows(drop, [pks])).length;
}

/** Gives notifications the tenants of those that are being deleted, lets them expire, and answers the tenants that they had. */
export function prepareHide({ notifications, trackings }: TableNames) {
  const hide = statement<readonly [tenant: string]>(
    "hide_notifications",
    `WITH hidden AS (
      UPDATE ${notifications} n SET tenant = $2 || n.tenant, expires_at = to_timestamp(0), expired_at = n.created_at
      WHERE n.pk = ANY ($1::bigint[]) AND left(n.tenant, length($2)) <> $2 RETURNING n.pk, substr(n.tenant, length($2) + 1) AS tenant
    ),
    tracked AS (UPDATE ${trackings} t SET tenant = $2 || t.tenant FROM hidden WHERE t.notification_pk = hidden.pk)
    SELECT tenant FROM hidden`,
  );
  return (session: Session, pks: readonly number[]) => session.rows(hide, [pks, tenantOfDeleted("")]);
}

/** The counts of an inbox without an active item of it. */
function countsWithout(
  { readAt, isSeen }: InboxItem,
  { total, unread, seenUnread }: { readonly total: number; readonly unread: number; readonly seenUnread: number },
): Pick<InboxCounts, "total" | "unread" | "unseen"> {
  const isUnread = Number(readAt === null);
  const unseen = unread - isUnread - (seenUnread - Number(isSeen) * isUnread);
  return { total: total - 1, unread: unread - isUnread, unseen: Math.max(unseen, 0) };
}

/** Removes items of a notification, and answers those that their inboxes still showed. */
function prepareDropItems(tables: TableNames) {
  const { notifications, inboxItems, inboxCounters } = tables;
  const users = statement<readonly [userId: string]>(
    "users_to_delete_from",
    `SELECT user_id FROM ${inboxItems} WHERE notification_pk = $1 ORDER BY user_id LIMIT $2`,
  );
  const hold = statement<[one: number]>("hold_inboxes_to_delete", holdInboxes(tables, "tenant = $1 AND user_id = ANY ($2::text[])"));
  const read = statement<DroppedRow>(
    "items_to_delete",
    `SELECT i.user_id, c.epoch, c.rev + 1, c.last_seq, c.total, c.unread, coalesce(c.seen_unread, 0), ${isActive("c")}, ${itemColumns(readTime(tables, { tenant: "i.tenant", userId: "i.user_id", state: "c" }), "c")}
    FROM ${inboxItems} i JOIN ${notifications} n ON n.pk = i.notification_pk
    JOIN ${inboxCounters} c ON c.tenant = i.tenant AND c.user_id = i.user_id
    WHERE i.notification_pk = $1 AND i.user_id = ANY ($2::text[]) ORDER BY i.user_id`,
  );
  const named = "unnest($4::text[], $8::bigint[]) AS e(user_id, seq)";
  const change = {
    kind: "deleted",
    from: `${named} JOIN ${inboxCounters} inbox ON inbox.tenant = $1 AND inbox.user_id = e.user_id`,
    ...{ at: "$9::timestamptz", seqs: "ARRAY[e.seq]", owner: "inbox.tenant, inbox.user_id" },
  } as const;
  const sums = `SELECT $1::text COLLATE "C" AS tenant, e.user_id COLLATE "C" AS user_id, $10::text COLLATE "C" AS group_name, -e.shown AS total,
      -e.shown * e.unread AS unread, 0 AS seq FROM unnest($4::text[], $5::int[], $6::int[]) AS e(user_id, shown, unread) WHERE $10::text IS NOT NULL`;
  const gone = `SELECT own.seq FROM ${inboxItems} own WHERE own.notification_pk = $2 AND own.user_id = g.user_id`;
  const dropGroups = prepareDropGroups(tables);
  const drop = statement<[]>(
    "delete_items",
    `WITH dropped AS (DELETE FROM ${inboxItems} WHERE tenant = $1 AND notification_pk = $2 AND user_id = ANY ($3::text[])),
    ${loggedChange(tables, change)},
    ${settleGroups(tables, { sums, gone })}
    UPDATE ${inboxCounters} c SET total = c.total - e.shown, unread = c.unread - e.shown * e.unread, rev = c.rev + 1,
      ${addTo("seen_unread", "-e.shown * e.seen_unread")}, ${addTo("away_unread", "-(1 - e.shown) * e.unread")},
      ${addTo("away_seen_unread", "-(1 - e.shown) * e.seen_unread")}
    FROM unnest($4::text[], $5::int[], $6::int[], $7::int[]) AS e(user_id, shown, unread, seen_unread)
    WHERE c.tenant = $1 AND c.user_id = e.user_id`,
  );
  return async (session: Session, { tenant, pk }: NamedKey, { limit, at }: Pick<Deletion, "limit" | "at">) => {
    const named = (await session.rows(users, [pk, limit])).map(([userId]) => userId);
    await session.rows(hold, [tenant, named]);
    const rows = await session.rows(read, [pk, named]);
    const items = rows.map(([userId, epoch, rev, lastSeq, total, unread, seenUnread, isShown, ...row]) => {
      const item = toItem(row, { tenant, userId });
      const after = countsWithout(item, { total, unread, seenUnread });
      return { isShown, item: { ...item, ...after, lastSeq, epoch, rev } };
    });
    const counted = items
      .filter(({ isShown, item }) => isShown || isAway(item))
      .map(({ isShown, item: { userId, seq, readAt, isSeen } }) => {
        return {
          userId,
          seq,
          shown: Number(isShown),
          unread: Number(readAt === null),
          seenUnread: Number(readAt === null && isSeen),
        };
      });
    const group = items[0]?.item.group ?? null;
    const values = lists(counted, "userId", "shown", "unread", "seenUnread", "seq");
    await session.rows(drop, [tenant, pk, named, ...values, at.toISOString(), group]);
    await dropGroups(
      session,
      named.map((userId) => [pk, tenant, userId, group] as const),
    );
    return { items: items.filter(({ isShown }) => isShown).map(({ item }) => item), dropped: named.length };
  };
}
