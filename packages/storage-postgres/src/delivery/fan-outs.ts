import { type CreatedItem, isUuid, type Notification } from "@belfry/core";
import { type Ended, type EndedFanOut, type FanOutEnd, type FanOutPart, type NewSend, withoutRest } from "@belfry/core/storage";
import { type ContentRow, ENDED_COLUMNS, endedColumns, isGrouped, loadedOf, newChains, type TrackingRow } from "@belfry/storage-sql";
import type { Connection, Session } from "../database/connection.ts";
import { isLockTimeout } from "../database/errors.ts";
import { DIALECT } from "../database/sql.ts";
import { type JsonRow, milliseconds, type StorageTime, statement, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareBusyInboxes } from "../inbox/busy-rows.ts";
import { selectNextPart, TAKEN } from "../inbox/fan-outs.ts";
import { BUSY_TIMEOUT_MS, LOCK_TIMEOUT_MS, lockGuard } from "../inbox/inbox-state.ts";
import { prepareSettleEntries } from "../inbox/settle-created.ts";
import { writeItems } from "../inbox/write-items.ts";
import { prepareWriteAudit } from "./change-send.ts";
import { RECORDS } from "./rows.ts";
import { prepareSave } from "./settle.ts";
import { prepareThrottle } from "./throttle.ts";
import { prepareWriteDeliveries } from "./write-deliveries.ts";

interface PartRow extends ContentRow {
  readonly partPk: number;
  readonly plan: string;
  readonly addressesOf: string | null;
  readonly place: number;
  readonly partRecipients: readonly string[];
  readonly partTopic: string | null;
  readonly partChannels: string | null;
}

/** Takes up the next part. */
export function prepareTakePart(tables: TableNames, time: StorageTime) {
  const { fanOuts, fanOutParts, notifications, sends, trackings } = tables;
  const now = timeOf("$1");
  const take = statement<JsonRow<PartRow>>(
    "take_part",
    `WITH next AS MATERIALIZED (
      ${selectNextPart(tables, { columns: "p.pk", at: now, after: "$2", condition: "f.plan IS NOT NULL" })}
    ),
    p AS (
      UPDATE ${fanOutParts} SET taken_until = ${now} + ${TAKEN} WHERE pk = (SELECT pk FROM next)
      RETURNING pk, fan_out_pk, channel, place, recipients, topic, channels
    )
    SELECT to_json(r) FROM (
      SELECT p.pk AS "partPk", f.plan, p.channel AS "addressesOf", p.place, p.recipients AS "partRecipients", p.topic AS "partTopic", p.channels AS "partChannels", ${RECORDS.content}
      FROM p JOIN ${fanOuts} f ON f.pk = p.fan_out_pk JOIN ${notifications} n ON n.pk = f.notification_pk
      JOIN ${trackings} t ON t.notification_pk = n.pk LEFT JOIN ${sends} s ON s.notification_pk = n.pk
    ) r`,
  );
  return (at: Date, after = "") =>
    async (session: Session): Promise<FanOutPart | null> => {
      const [[row] = []] = await session.rows(take, [time(at), after]);
      if (row === undefined) {
        return null;
      }
      const { notification, scheduledAt, meta } = RECORDS.toContent(row);
      const { partPk, plan, addressesOf: channel, place, partRecipients: recipients } = row;
      const { partTopic: topic, partChannels } = row;
      const channels = partChannels === null ? null : (JSON.parse(partChannels) as readonly string[]);
      return { ...{ notification, scheduledAt, meta, plan, channel, place, recipients, topic, channels }, key: String(partPk) };
    };
}

/** Leaves a part alone for a while. */
export function preparePutOffPart({ fanOutParts }: TableNames, time: StorageTime) {
  const putOff = statement<[]>("put_off_part", `UPDATE ${fanOutParts} SET taken_until = ${timeOf("$2")} + ${TAKEN} WHERE pk = $1`);
  return ({ key }: FanOutPart, at: Date) =>
    async (session: Session): Promise<void> => {
      await session.rows(putOff, [key, time(at)]);
    };
}

/** Writes a part, and forgets it. If somebody holds inboxes of it, these are left for later, in a part of their own. */
export function prepareWritePart(tables: TableNames, time: StorageTime) {
  const write = prepareWrite(tables, time);
  const busyInboxes = prepareBusyInboxes(tables);
  const { fanOutParts } = tables;
  const giveBack = statement<[]>("give_back_part", `UPDATE ${fanOutParts} SET taken_until = NULL WHERE pk = $1`);
  const users = (which: string) =>
    `(SELECT array_agg(name ORDER BY place) FROM unnest(old.recipients) WITH ORDINALITY AS u(name, place) WHERE ${which})`;
  const split = statement<[]>(
    "split_part",
    `WITH old AS (DELETE FROM ${fanOutParts} WHERE pk = $1 RETURNING fan_out_pk, channel, place, recipients, topic, channels)
    INSERT INTO ${fanOutParts} (fan_out_pk, channel, place, recipients, topic, channels)
    SELECT fan_out_pk, channel, place, ${users("name <> ALL ($2::text[])")}, topic, channels FROM old
    UNION ALL SELECT fan_out_pk, channel, place + cardinality(recipients) - cardinality($2::text[]), ${users("name = ANY ($2::text[])")}, topic, channels FROM old`,
  );
  return (part: FanOutPart, written: NewSend, at: Date) =>
    async (connection: Connection): Promise<readonly CreatedItem[] | null> => {
      try {
        return await connection.transaction((session) => write(session, part.key, { asked: written, at }));
      } catch (error) {
        if (!isLockTimeout(error)) {
          throw error;
        }
      }
      const { tenant } = part.notification;
      const busy = await busyInboxes.find(
        connection,
        written.inboxRecipients.map((userId) => ({ tenant, userId })),
      );
      const [first] = busy;
      if (first !== undefined && busy.length < part.recipients.length) {
        await connection.rows(split, [part.key, busy.map(({ userId }) => userId)]);
        return null;
      }
      if (first !== undefined) {
        await busyInboxes.wait(connection, first);
      }
      await connection.rows(giveBack, [part.key]);
      return null;
    };
}

interface Writing {
  readonly asked: NewSend;
  readonly at: Date;
}

/** Writes a part inside a transaction. It fails with a lock timeout if somebody holds an inbox of it. */
function prepareWrite(tables: TableNames, time: StorageTime) {
  const { fanOuts, fanOutParts, notifications, trackings } = tables;
  const take = statement<[notificationPk: number]>(
    "write_part",
    `WITH held AS MATERIALIZED (
      SELECT p.pk, f.notification_pk FROM ${fanOutParts} p JOIN ${fanOuts} f ON f.pk = p.fan_out_pk
      WHERE p.pk = $1 AND f.drop_at IS NULL FOR UPDATE OF p FOR SHARE OF f
    ),
    forgotten AS (DELETE FROM ${fanOutParts} WHERE pk = (SELECT pk FROM held))
    SELECT notification_pk FROM held`,
  );
  const placeItems = statement<[userId: string, seq: number, epoch: string]>(
    "write_items_of_part",
    `WITH ${lockGuard("$4")},
    target AS MATERIALIZED (
      SELECT r.place, n.pk, n.tenant, r.user_id COLLATE "C" AS user_id, n.type, n.category, n.group_name, n.replace_key, n.expires_at, $3::timestamptz AS created_at
      FROM guard CROSS JOIN ${notifications} n CROSS JOIN unnest($2::text[]) WITH ORDINALITY AS r(user_id, place)
      WHERE n.pk = $1 AND guard.lock_timeout IS NOT NULL
    ),
    ${writeItems(tables)}
    SELECT user_id, seq, epoch FROM numbered ORDER BY place`,
  );
  // Last, since workers that settle deliveries of the notification wait for it.
  const count = statement<[]>(
    "count_part",
    `WITH ${lockGuard("$4")}
    UPDATE ${trackings} t SET pending_chains = pending_chains + $2, skipped_chains = skipped_chains + $3
    FROM guard WHERE t.notification_pk = $1 AND guard.lock_timeout IS NOT NULL`,
  );
  const writeDeliveries = prepareWriteDeliveries(tables);
  const throttle = prepareThrottle(tables);
  const settle = prepareSettleEntries(tables);
  return async (session: Session, key: string, { asked, at }: Writing): Promise<readonly CreatedItem[] | null> => {
    const [held] = await session.rows(take, [key]);
    if (held === undefined) {
      return null;
    }
    const [pk] = held;
    // Before the inboxes, as other creates do.
    const send = (await throttle(session, [asked], BUSY_TIMEOUT_MS)).get(asked) ?? asked;
    const { inboxRecipients, deliveries } = send;
    const rows =
      inboxRecipients.length === 0 ? [] : await session.rows(placeItems, [pk, inboxRecipients, at.toISOString(), BUSY_TIMEOUT_MS]);
    const placed = rows.map(([userId, seq, epoch]): CreatedItem => ({ userId, seq, epoch }));
    const entry = { notification: { ...send.notification, createdAt: at }, recipients: [] };
    const [items = placed] = isGrouped(send.notification) ? await settle(session, [entry], [placed]) : [placed];
    await writeDeliveries(session, [send], time(at));
    const { pending, skipped } = newChains(deliveries);
    await session.rows(count, [pk, pending, skipped, LOCK_TIMEOUT_MS]);
    return items;
  };
}

type EndedRow = TrackingRow & { readonly id: string };

/** Ends the fan-out of a notification. */
export function prepareEndFanOut(tables: TableNames, time: StorageTime) {
  const { broadcasts, endedBroadcasts, fanOuts, notifications, trackings } = tables;
  const pkOf = `(SELECT pk FROM ${notifications} WHERE tenant = $1 AND id = $2)`;
  const endBroadcast = statement<[isScheduled: boolean]>(
    "end_sent_broadcast",
    `WITH b AS (DELETE FROM ${broadcasts} WHERE notification_pk = ${pkOf} RETURNING *),
    kept AS (INSERT INTO ${endedBroadcasts} (${ENDED_COLUMNS}) SELECT ${endedColumns(DIALECT, "$3::timestamptz")} FROM b ON CONFLICT DO NOTHING)
    SELECT due_at IS NOT NULL FROM b`,
  );
  const end = statement<[one: number]>(
    "end_fan_out",
    `UPDATE ${fanOuts} SET notification_pk = NULL, drop_at = $3 WHERE notification_pk = ${pkOf} AND drop_at IS NULL AND plan IS NOT NULL RETURNING 1`,
  );
  const hold = statement<[row: EndedRow, nowMs: number]>(
    "hold_tracking",
    `SELECT to_json(r), ${milliseconds(timeOf("$3"))} FROM (
      SELECT n.id, ${RECORDS.tracking} FROM ${notifications} n JOIN ${trackings} t ON t.notification_pk = n.pk
      WHERE n.tenant = $1 AND n.id = $2 FOR UPDATE OF t
    ) r`,
  );
  // In the order in which those lock them who place, page and write parts.
  const ended = async (
    session: Session,
    [tenant, id]: readonly [string, string],
    { as, at }: Pick<Ended, "as"> & { readonly at: Date },
  ) => {
    const [broadcast] = as === "cancelled" ? await session.rows(endBroadcast, [tenant, id, at.toISOString()]) : [];
    const hasFanOut = (await session.rows(end, [tenant, id, at.toISOString()])).length > 0;
    const [held] = broadcast !== undefined || hasFanOut ? await session.rows(hold, [tenant, id, time(at)]) : [];
    return held === undefined ? null : ({ held, what: { as, hasFanOut, hasInboxes: broadcast?.[0] === true } } as const);
  };
  const save = prepareSave(tables);
  const writeAudit = prepareWriteAudit(tables);
  return ({ tenant, id }: Pick<Notification, "tenant" | "id">, ending: FanOutEnd, at: Date) =>
    async (session: Session): Promise<EndedFanOut | null> => {
      const found = isUuid(id) ? await ended(session, [tenant, id], { as: ending.as, at }) : null;
      if (found === null) {
        return null;
      }
      const [row, nowMs] = found.held;
      const now = new Date(nowMs);
      const { state } = loadedOf(row, []);
      const after = withoutRest(state, found.what, now);
      await save(session, { loaded: [], changes: { deliveries: [], attempts: [], sends: [after], audit: [] }, now });
      if (ending.as === "cancelled") {
        await writeAudit(session, [{ tenant, action: "cancelled", actor: ending.actor, notificationId: row.id }], time(at));
      }
      return { changed: after.status === state.status ? null : { tenant, id: row.id, from: state.status, to: after.status } };
    };
}
