import type { CreatedItem, Notification } from "@belfry/core";
import { type EndedFanOut, type FanOutEnd, type FanOutPart, type NewSend, withoutRest } from "@belfry/core/storage";
import { type ContentRow, keepEnded, loadedOf, newChains, type TrackingRow } from "@belfry/storage-sql";
import { DIALECT, TABLES } from "../database/sql.ts";
import type { QueryContext } from "../database/statement.ts";
import { prepareForgetPart, prepareNextPart, preparePutOff } from "../inbox/fan-outs.ts";
import { prepareWriteItems } from "../inbox/write-items.ts";
import { prepareWriteAudit } from "./change-send.ts";
import { RECORDS } from "./rows.ts";
import { prepareSave } from "./settle.ts";
import { prepareThrottle, prepareWriteDeliveries } from "./write-sends.ts";

interface PartRow extends ContentRow {
  readonly partPk: number;
  readonly plan: string;
  readonly addressesOf: string | null;
  readonly place: number;
  readonly recipients: string;
  readonly partTopic: string | null;
  readonly partChannels: string | null;
}

/** Reads the next part. In a file, one process is at work on parts. */
export function prepareTakePart(context: QueryContext) {
  const next = prepareNextPart(context, "f.plan IS NOT NULL");
  const read = context.prepare<{ readonly pk: number }, PartRow>(`
    SELECT p.pk AS "partPk", f.plan, p.channel AS "addressesOf", p.place, p.recipients, p.topic AS "partTopic", p.channels AS "partChannels", ${RECORDS.content}
    FROM belfry_fan_out_parts p CROSS JOIN belfry_fan_outs f ON f.pk = p.fan_out_pk CROSS JOIN belfry_notifications n ON n.pk = f.notification_pk
    CROSS JOIN belfry_trackings t ON t.notification_pk = n.pk LEFT JOIN belfry_sends s ON s.notification_pk = n.pk WHERE p.pk = :pk`);
  return (at: Date, after = ""): FanOutPart | null => {
    const pk = next({ at, after });
    const row = pk === null ? undefined : read.get({ pk });
    if (row === undefined) {
      return null;
    }
    const { notification, scheduledAt, meta } = RECORDS.toContent(row);
    const { partPk, plan, addressesOf: channel, place } = row;
    const { partTopic: topic, partChannels } = row;
    const channels = partChannels === null ? null : (JSON.parse(partChannels) as readonly string[]);
    return {
      ...{ notification, scheduledAt, meta, plan, channel, place, topic, channels },
      key: String(partPk),
      recipients: JSON.parse(row.recipients),
    };
  };
}

/** Leaves a part alone for a while. */
export function preparePutOffPart(context: QueryContext) {
  const putOff = preparePutOff(context);
  return ({ key }: FanOutPart, at: Date): void => putOff(Number(key), at);
}

/** Writes a part, and forgets it. */
export function prepareWritePart(context: QueryContext) {
  const forget = prepareForgetPart(context);
  const writeItems = prepareWriteItems(context);
  const writeDeliveries = prepareWriteDeliveries(context);
  const find = context.prepare<{ readonly pk: number }, { readonly notificationPk: number }>(`
    SELECT f.notification_pk AS "notificationPk" FROM belfry_fan_out_parts p CROSS JOIN belfry_fan_outs f ON f.pk = p.fan_out_pk
    WHERE p.pk = :pk AND f.drop_at IS NULL`);
  const count = context.prepare<{ readonly notificationPk: number; readonly pending: number; readonly skipped: number }>(`
    UPDATE belfry_trackings SET pending_chains = pending_chains + :pending, skipped_chains = skipped_chains + :skipped
    WHERE notification_pk = :notificationPk`);
  const throttle = prepareThrottle(context);
  return (part: FanOutPart, asked: NewSend, at: Date): readonly CreatedItem[] | null => {
    const pk = Number(part.key);
    const found = find.get({ pk });
    if (found === undefined) {
      return null;
    }
    forget(pk);
    const written = throttle(asked);
    const { notificationPk } = found;
    const items = writeItems({ ...part.notification, notificationPk, createdAt: at }, written.inboxRecipients);
    writeDeliveries(notificationPk, written, at);
    count.run({ notificationPk, ...newChains(written.deliveries) });
    return items;
  };
}

type EndedRow = TrackingRow & { readonly id: string; readonly hasFanOut: number };

/** Ends the fan-out of a notification. */
export function prepareEndFanOut(context: QueryContext) {
  const find = context.prepare<Pick<Notification, "tenant" | "id">, EndedRow>(`
    SELECT n.id, ${RECORDS.tracking}, EXISTS (
      SELECT 1 FROM belfry_fan_outs f WHERE f.notification_pk = n.pk AND f.drop_at IS NULL AND f.plan IS NOT NULL) AS "hasFanOut"
    FROM belfry_notifications n CROSS JOIN belfry_trackings t ON t.notification_pk = n.pk WHERE n.tenant = :tenant AND n.id = :id`);
  const keepBroadcast = context.prepare<{ readonly pk: number; readonly at: Date }>(
    keepEnded({ ...DIALECT, tables: TABLES }, { which: "b.notification_pk = :pk", at: ":at" }),
  );
  const endBroadcast = context.prepareRows<{ readonly pk: number }, readonly [isScheduled: number]>(
    "DELETE FROM belfry_broadcasts WHERE notification_pk = :pk RETURNING due_at IS NOT NULL",
  );
  const end = context.prepare<{ readonly pk: number; readonly at: Date }>(
    "UPDATE belfry_fan_outs SET notification_pk = NULL, drop_at = :at WHERE notification_pk = :pk",
  );
  const save = prepareSave(context);
  const writeAudit = prepareWriteAudit(context);
  return ({ tenant, id: given }: Pick<Notification, "tenant" | "id">, ending: FanOutEnd, at: Date): EndedFanOut | null => {
    const id = given.toLowerCase();
    const row = find.get({ tenant, id });
    if (row === undefined) {
      return null;
    }
    const { notificationPk: pk, hasFanOut } = row;
    if (ending.as === "cancelled") {
      keepBroadcast.run({ pk, at });
    }
    const ended = ending.as === "cancelled" ? endBroadcast.get({ pk }) : undefined;
    if (ended === undefined && hasFanOut === 0) {
      return null;
    }
    end.run({ pk, at });
    const { state } = loadedOf(row, []);
    const after = withoutRest(state, { as: ending.as, hasFanOut: hasFanOut === 1, hasInboxes: ended?.[0] === 1 }, at);
    save([], { deliveries: [], attempts: [], sends: [after], audit: [] }, at);
    if (ending.as === "cancelled") {
      writeAudit(tenant, { action: "cancelled", actor: ending.actor, notificationId: id }, at);
    }
    return { changed: after.status === state.status ? null : { tenant, id, from: state.status, to: after.status } };
  };
}
