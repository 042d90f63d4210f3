import { isUuid } from "@belfry/core";
import type { DeletedSend, Deletion, DeletionStep } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { lists, type StorageTime, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareWriteAudit } from "../delivery/change-send.ts";
import { loggedChange } from "../inbox/change-log.ts";
import { prepareDropGroups, settleGroups } from "../inbox/groups.ts";
import { addTo, holdInboxes } from "../inbox/inbox-state.ts";
import { type ItemRow, isAway, itemColumns, readTime, toItem } from "../inbox/item-row.ts";

type DroppedRow = readonly [userId: string, epoch: string, rev: number, lastSeq: number, isShown: boolean, ...ItemRow];

/** Deletes a part of a notification: first the work that is left, then items, and the notification with the last item. */
export function prepareDeleteNotification(tables: TableNames, time: StorageTime) {
  const { notifications, trackings } = tables;
  const find = statement<readonly [pk: number]>("find_to_delete", `SELECT pk FROM ${notifications} WHERE tenant = $1 AND id = $2`);
  const hold = statement<[]>("hold_to_delete", `SELECT FROM (SELECT FROM ${trackings} WHERE notification_pk = $1 FOR UPDATE) t`);
  const work = [
    tables.audiences,
    tables.fanOutChunks,
    tables.deliveries,
    tables.sends,
    trackings,
    tables.processingRecords,
    tables.events,
  ].map((table, index) => statement<[]>(`delete_work_${index}`, `DELETE FROM ${table} WHERE notification_pk = $1`));
  // Its list may be long, and is dropped in steps.
  const endFanOut = statement<[]>(
    "end_fan_out",
    `UPDATE ${tables.fanOuts} SET notification_pk = NULL, drop_at = to_timestamp(0) WHERE notification_pk = $1`,
  );
  const dropItems = prepareDropItems(tables);
  const remove = statement<[]>("delete_notification", `DELETE FROM ${notifications} WHERE tenant = $1 AND pk = $2`);
  const writeAudit = prepareWriteAudit(tables);

  return (tenant: string, id: string, { limit, at, actor }: Deletion) =>
    async (session: Session): Promise<DeletionStep | null> => {
      const [found] = await session.rows(find, [tenant, id]);
      if (found === undefined) {
        return null;
      }
      const [pk] = found;
      await session.rows(hold, [pk]);
      // The audience first: nothing more is put into parts then.
      for (const part of [...work, endFanOut]) {
        await session.rows(part, [pk]);
      }
      const { items, dropped } = await dropItems(session, { tenant, pk }, { limit, at });
      const isDone = dropped < limit;
      if (isDone) {
        await session.rows(remove, [tenant, pk]);
        await writeAudit(session, [{ tenant, action: "deleted", actor, notificationId: id }], time(at));
      }
      return { items, isDone };
    };
}

/** Deletes a notification with deliveries at once; null for one without. */
export function prepareDeleteSend(tables: TableNames, time: StorageTime) {
  const find = statement<readonly [id: string]>(
    "find_send_to_delete",
    `SELECT n.id FROM ${tables.notifications} n JOIN ${tables.trackings} t ON t.notification_pk = n.pk WHERE n.tenant = $1 AND n.id = $2 FOR UPDATE OF t`,
  );
  const remove = prepareDeleteNotification(tables, time);
  return (tenant: string, given: string, by: Pick<Deletion, "at" | "actor">) =>
    async (session: Session): Promise<DeletedSend | null> => {
      const [[id] = [null]] = isUuid(given) ? await session.rows(find, [tenant, given]) : [];
      return id === null ? null : remove(tenant, id, { ...by, limit: Number.MAX_SAFE_INTEGER })(session);
    };
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
    `SELECT i.user_id, c.epoch, c.rev + 1, c.last_seq, i.deleted_at IS NULL, ${itemColumns(readTime(tables, { tenant: "i.tenant", userId: "i.user_id", state: "c" }), "c")}
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
  return async (
    session: Session,
    { tenant, pk }: { readonly tenant: string; readonly pk: number },
    { limit, at }: Pick<Deletion, "limit" | "at">,
  ) => {
    const named = (await session.rows(users, [pk, limit])).map(([userId]) => userId);
    await session.rows(hold, [tenant, named]);
    const rows = await session.rows(read, [pk, named]);
    const items = rows.map(([userId, epoch, rev, lastSeq, isShown, ...row]) => {
      return { isShown, item: { ...toItem(row, { tenant, userId }), epoch, rev, lastSeq } };
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
