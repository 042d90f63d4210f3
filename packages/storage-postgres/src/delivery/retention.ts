import type { Owner } from "@belfry/core";
import {
  type DeliveryErasureStep,
  type ExportedDelivery,
  type ExportStep,
  eraseChains,
  type StepRange,
  type SweepStep,
  tenantOfDeleted,
} from "@belfry/core/storage";
import { type DeliveryRow, LOOKED_AT, sweepStep } from "@belfry/storage-sql";
import type { Connection, Session } from "../database/connection.ts";
import { type JsonRow, type StorageTime, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { NOTIFICATION_FIELDS } from "../inbox/item-row.ts";
import { prepareLeaveFanOuts } from "../inbox/leave-fan-outs.ts";
import { prepareDropNotifications } from "../inbox/remove.ts";
import { prepareDropDeliveries, prepareHide } from "../operator/delete.ts";
import { type ChainKey, prepareTrack } from "./read-sends.ts";
import { RECORDS } from "./rows.ts";
import { prepareLoad, prepareSave } from "./settle.ts";

/** Removes some of a recipient's chains; inside a transaction of the caller's. The database deletes attempts with their deliveries. */
export function prepareErase(tables: TableNames, time: StorageTime) {
  const { deliveries } = tables;
  const find = statement<ChainKey>(
    "chains_to_erase",
    `SELECT DISTINCT notification_pk, chain FROM ${deliveries} WHERE tenant = $1 AND recipient = $2 ORDER BY notification_pk, chain LIMIT $3`,
  );
  const leaveFanOuts = prepareLeaveFanOuts(tables);
  const load = prepareLoad(tables);
  const save = prepareSave(tables);
  const remove = statement<[one: number]>(
    "erase_deliveries",
    `DELETE FROM ${deliveries} d USING unnest($1::bigint[], $2::int[]) AS k(pk, chain) WHERE d.notification_pk = k.pk AND d.chain = k.chain RETURNING 1`,
  );
  const forget = prepareForget(tables);
  return (owner: Owner, limit: number, at: Date) =>
    async (session: Session): Promise<DeliveryErasureStep> => {
      // First, since a part that is written meanwhile is waited for, and its delivery is among those that are found then.
      const left = await leaveFanOuts(session, owner, limit);
      const keys = await session.rows(find, [owner.tenant, owner.userId, limit]);
      const { loaded, now } = await load(session, keys, { mayLeave: false, at: time(at) });
      const { changes, sends } = eraseChains(loaded, now);
      await save(session, { loaded, changes, now });
      const removed = await session.rows(remove, [keys.map(([pk]) => pk), keys.map(([, chain]) => chain)]);
      await forget(session, owner, [...new Set(keys.map(([pk]) => pk))]);
      return { removed: removed.length + left, isDone: keys.length < limit && left < limit, sends };
    };
}

/** Removes a recipient's name from notifications' rows, and the notifications that nothing else uses. */
function prepareForget(tables: TableNames) {
  const { broadcasts, deliveries, fanOuts, idempotencyKeys, notifications, sends, trackings } = tables;
  const parts = [
    `UPDATE ${idempotencyKeys} k SET response = '' FROM ${notifications} n
    WHERE n.pk = ANY ($3::bigint[]) AND k.notification_id = n.id AND k.tenant = $1 AND $2::text IS NOT NULL`,
    `UPDATE ${sends} s SET erased_recipients = s.erased_recipients + 1, recipients = (
      SELECT coalesce(json_agg(e.value ORDER BY e.place), '[]') FROM json_array_elements_text(s.recipients) WITH ORDINALITY AS e(value, place)
      WHERE e.value <> $2)
    WHERE s.tenant = $1 AND s.notification_pk = ANY ($3::bigint[]) AND $2 IN (SELECT json_array_elements_text(s.recipients))`,
    ...[sends, trackings].map(
      (table) => `DELETE FROM ${table} t WHERE t.tenant = $1 AND t.notification_pk = ANY ($3::bigint[]) AND $2::text IS NOT NULL
      AND NOT EXISTS (SELECT FROM ${deliveries} d WHERE d.notification_pk = t.notification_pk)
      AND NOT EXISTS (SELECT FROM ${fanOuts} f WHERE f.notification_pk = t.notification_pk)
      AND NOT EXISTS (SELECT FROM ${broadcasts} b WHERE b.notification_pk = t.notification_pk)`,
    ),
  ].map((text, index) => statement<[]>(`forget_recipient_${index}`, text));
  const dropNotifications = prepareDropNotifications(tables);
  return async (session: Session, { tenant, userId }: Owner, pks: readonly number[]): Promise<void> => {
    for (const part of parts) {
      await session.rows(part, [tenant, userId, pks]);
    }
    await dropNotifications(session, pks);
  };
}

/** Reads a recipient's deliveries. */
export function prepareExport(tables: TableNames) {
  type Place = readonly [notificationPk: number, pk: number];
  const { deliveries, notifications } = tables;
  const track = prepareTrack(tables);
  const page = statement<JsonRow<DeliveryRow & { readonly pk: number }>>(
    "export_deliveries",
    `SELECT to_json(r) FROM (
      SELECT d.pk, ${RECORDS.delivery} FROM ${deliveries} d JOIN ${notifications} n ON n.pk = d.notification_pk AND n.tenant = d.tenant
      WHERE d.tenant = $1 AND d.recipient = $2 AND (d.notification_pk, d.pk) > ($3, $4) ORDER BY d.notification_pk, d.pk LIMIT $5) r`,
  );
  const content = statement<JsonRow<{ readonly pk: number }>>(
    "exported_notifications",
    `SELECT to_json(r) FROM (SELECT n.pk, ${NOTIFICATION_FIELDS.columns("n")} FROM ${notifications} n WHERE n.pk = ANY ($1::bigint[])) r`,
  );
  return ({ tenant, userId }: Owner, { after, limit }: StepRange) =>
    async (session: Session): Promise<ExportStep<ExportedDelivery>> => {
      const place = after === null ? ([0, 0] as const) : (JSON.parse(after) as Place);
      const rows = (await session.rows(page, [tenant, userId, ...place, limit])).map(([row]) => row);
      const contents = await session.rows(content, [[...new Set(rows.map(({ notificationPk }) => notificationPk))]]);
      const byPk = new Map(contents.map(([row]) => [row.pk, NOTIFICATION_FIELDS.record(row)]));
      const tracked = await track(session, tenant, rows);
      const last = rows.length < limit ? undefined : rows.at(-1);
      return {
        records: tracked.flatMap((delivery, index) => {
          const notification = byPk.get(rows[index]?.notificationPk ?? 0);
          return notification === undefined ? [] : [{ ...delivery, notification }];
        }),
        next: last === undefined ? null : JSON.stringify([last.notificationPk, last.pk] satisfies Place),
      };
    };
}

type LookedAtSend = readonly [isOld: boolean, isOver: boolean, pk: number];

/**
 * Looks at sends of all tenants, oldest first, and removes old ones that are settled and in no inbox any more, up to so many deliveries.
 * It locks the sends before it looks at their deliveries again, so that it removes none that is being retried; it skips those that
 * another transaction holds. Before one goes in several steps, it is hidden: nobody retries it then.
 */
export function prepareSweep(tables: TableNames) {
  const { broadcasts, deliveries, fanOuts, inboxItems, notifications, trackings } = tables;
  // Whether one has deliveries left to make takes as long as it has deliveries, so that is asked last.
  const isUnused = (of: string, tenant: string, hidden: string) => `NOT EXISTS (SELECT FROM ${inboxItems} i WHERE i.notification_pk = ${of})
      AND NOT EXISTS (SELECT FROM ${fanOuts} f WHERE f.notification_pk = ${of})
      AND NOT EXISTS (SELECT FROM ${broadcasts} b WHERE b.notification_pk = ${of})
      AND CASE WHEN left(${tenant}, length(${hidden}::text)) = ${hidden} THEN true
        ELSE NOT EXISTS (SELECT FROM ${deliveries} d WHERE d.notification_pk = ${of} AND d.status IN ('pending', 'waiting')) END`;
  const isOld = "t.created_at < $2::timestamptz";
  // The limit stands inside: the planner would otherwise read the whole of the other tables, to look at them once for every send.
  const lookAt = statement<LookedAtSend>(
    "look_at_sends",
    `SELECT ${isOld}, ${isOld} AND ${isUnused("t.notification_pk", "t.tenant", "$3")}, t.notification_pk
    FROM (SELECT * FROM ${trackings} WHERE notification_pk > $1 ORDER BY notification_pk LIMIT ${LOOKED_AT}) t ORDER BY t.notification_pk`,
  );
  const hold = statement<readonly [pk: number]>(
    "hold_old_sends",
    `SELECT notification_pk FROM ${trackings} WHERE notification_pk = ANY ($1::bigint[]) ORDER BY notification_pk FOR UPDATE SKIP LOCKED`,
  );
  const unused = statement<readonly [pk: number]>(
    "unused_sends",
    `SELECT n.pk FROM ${notifications} n WHERE n.pk = ANY ($1::bigint[]) AND ${isUnused("n.pk", "n.tenant", "$2")} ORDER BY n.pk`,
  );
  const dropDeliveries = prepareDropDeliveries(tables);
  // The database removes the rows that belong to a notification.
  const remove = statement<readonly [pk: number]>(
    "sweep_sends",
    `DELETE FROM ${notifications} n WHERE n.pk = ANY ($1::bigint[])
      AND NOT EXISTS (SELECT FROM ${deliveries} d WHERE d.notification_pk = n.pk) RETURNING n.pk`,
  );
  const hide = prepareHide(tables);
  const hidden = tenantOfDeleted("");
  return (before: Date, range: StepRange) =>
    async (connection: Connection): Promise<SweepStep> => {
      const rows = await connection.rows(lookAt, [Number(range.after ?? 0), before.toISOString(), hidden]);
      const { over, last } = sweepStep(rows, range);
      const next = last === undefined ? null : String(last[2]);
      if (over.length === 0) {
        return { removed: 0, next };
      }
      return await connection.step(async (session) => {
        const held = await session.rows(hold, [over.map(([, , pk]) => pk)]);
        const old = (await session.rows(unused, [held.map(([pk]) => pk), hidden])).map(([pk]) => pk);
        await dropDeliveries(session, old);
        const removed = new Set((await session.rows(remove, [old])).map(([pk]) => pk));
        const [first, ...others] = old.filter((pk) => !removed.has(pk));
        if (first === undefined) {
          return { removed: removed.size, next };
        }
        await hide(session, [first, ...others]);
        return { removed: removed.size, next: String(first - 1) };
      });
    };
}
