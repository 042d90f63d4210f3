import type { CreatedItem, Notification, Owner } from "@belfry/core";
import type { FanOutChunk, FanOutTurn, NewNotification } from "@belfry/core/storage";
import { isGrouped, KEPT_UNUSED_MS, type ListPart, PLACE_OF_OTHERS, usersInParts } from "@belfry/storage-sql";
import { type Connection, turn } from "../database/connection.ts";
import type { QueryContext } from "../database/statement.ts";
import { NOTIFICATION_FIELDS } from "./item-row.ts";
import { timeForAnother } from "./time-for-another.ts";
import { prepareSettleItems, prepareWriteListed, prepareWriteNotification, type Wanted } from "./write-items.ts";

/** A list that is to be stored, and how its deliveries are made, in JSON. */
export interface StoredList {
  readonly tenant: string;
  readonly plan: string | null;
  readonly parts: Iterable<ListPart>;
}

/** How long the text of the parts is that one transaction stores: a step takes a few milliseconds. */
const STEP_LENGTH = 64 * 1_024;

/**
 * Stores a list in steps, and yields to the event loop between them. Nothing is written of it until {@link prepareBeginFanOut}.
 * Returns the key of the fan-out.
 */
export async function storeList(connection: Connection, list: StoredList, at: Date): Promise<number> {
  const write = connection.prepared(prepareWriteList);
  const dropAt = new Date(at.getTime() + KEPT_UNUSED_MS);
  const pk = await connection.step(() => write.begin({ ...list, notificationPk: null, dropAt }));
  let step: StoredPart[] = [];
  let length = 0;
  const store = async () => {
    await connection.step(() => write.parts(pk, step));
    [step, length] = [[], 0];
    await turn();
  };
  for (const { recipients, ...part } of list.parts) {
    const text = JSON.stringify(recipients);
    step.push({ ...part, recipients: text });
    length += text.length;
    if (length >= STEP_LENGTH) {
      // Making the texts and writing them have a turn each.
      await turn();
      await store();
    }
  }
  await store();
  return pk;
}

/** A part with its recipients in JSON. */
interface StoredPart extends Omit<ListPart, "recipients"> {
  readonly recipients: string;
}

interface NewFanOut extends Pick<StoredList, "tenant" | "plan"> {
  readonly notificationPk: number | null;
  readonly dropAt: Date | null;
}

/** Writes fan-outs, and the parts of their lists. */
export function prepareWriteList({ prepare }: QueryContext) {
  const insert = prepare<NewFanOut>(
    "INSERT INTO belfry_fan_outs (tenant, notification_pk, plan, drop_at) VALUES (:tenant, :notificationPk, :plan, :dropAt)",
  );
  const insertPart = prepare<(StoredPart | ListPart) & { readonly fanOutPk: number }>(`
    INSERT INTO belfry_fan_out_parts (fan_out_pk, channel, place, recipients, taken_until)
    VALUES (:fanOutPk, :channel, :place, :recipients, CASE WHEN :place = ${PLACE_OF_OTHERS} THEN ${Number.MAX_SAFE_INTEGER} END)`);
  return {
    begin: (fanOut: NewFanOut): number => Number(insert.run(fanOut).lastInsertRowid),
    parts(fanOutPk: number, parts: Iterable<StoredPart | ListPart>): void {
      for (const part of parts) {
        insertPart.run({ ...part, fanOutPk });
      }
    },
  };
}

interface BegunFanOut extends Omit<NewFanOut, "tenant" | "plan"> {
  readonly pk: number;
}

/** Begins a fan-out whose list is stored. One whose notification was there before is dropped. */
export function prepareBeginFanOut({ prepare }: QueryContext) {
  const begin = prepare<BegunFanOut>("UPDATE belfry_fan_outs SET notification_pk = :notificationPk, drop_at = :dropAt WHERE pk = :pk");
  return (begun: BegunFanOut): void => {
    if (begin.run(begun).changes === 0) {
      throw new Error("The list of the fan-out was dropped, since it took too long to store.");
    }
  };
}

/** Writes a notification, and begins the fan-out of its items. */
export function prepareCreateFanOut(context: QueryContext) {
  const writeNotification = prepareWriteNotification(context);
  const begin = prepareBeginFanOut(context);
  return (notification: Notification, pk: number): void => {
    const { pk: notificationPk, isNew } = writeNotification(notification);
    begin(isNew ? { pk, notificationPk, dropAt: null } : { pk, notificationPk: null, dropAt: notification.createdAt });
  };
}

/** Writes a notification and the list of its users within a transaction of the host. Returns false if the notification was there before. */
export function prepareWriteFanOut(context: QueryContext) {
  const writeNotification = prepareWriteNotification(context);
  const write = prepareWriteList(context);
  return ({ notification, recipients }: NewNotification, size: number): boolean => {
    const { pk: notificationPk, isNew } = writeNotification(notification);
    if (isNew) {
      const pk = write.begin({ tenant: notification.tenant, plan: null, notificationPk, dropAt: null });
      write.parts(pk, usersInParts(recipients, size));
    }
    return isNew;
  };
}

/** The moment for which a part is sought, and the tenant after which the next one has its turn; empty for the first one's. */
export interface PartTurn {
  readonly at: Date;
  readonly after: string;
}

interface Key {
  readonly pk: number;
}

/** Finds the oldest part, of the tenant whose turn it is, that is still to be written and is not left alone. */
export function prepareNextPart({ prepare }: QueryContext, condition: string) {
  const next = prepare<PartTurn, Key>(`
    SELECT p.pk FROM belfry_fan_outs f CROSS JOIN belfry_notifications n ON n.pk = f.notification_pk
    CROSS JOIN belfry_fan_out_parts p ON p.pk = (
      SELECT pk FROM belfry_fan_out_parts WHERE fan_out_pk = f.pk AND (taken_until IS NULL OR taken_until <= :at) ORDER BY pk LIMIT 1)
    WHERE f.drop_at IS NULL AND (n.expires_at IS NULL OR n.expires_at > :at) AND ${condition}
    ORDER BY f.tenant <= :after, f.tenant, f.pk LIMIT 1`);
  return (turn: PartTurn): number | null => next.get(turn)?.pk ?? null;
}

/** How long a part that could not be written is left alone. */
const PUT_OFF_MS = 10_000;

/** Leaves a part alone for a while. */
export function preparePutOff({ prepare }: QueryContext) {
  const putOff = prepare<Key & { readonly until: Date }>("UPDATE belfry_fan_out_parts SET taken_until = :until WHERE pk = :pk");
  return (pk: number, at: Date): void => {
    putOff.run({ pk, until: new Date(at.getTime() + PUT_OFF_MS) });
  };
}

const OF_ITEMS = "f.plan IS NULL";

/** Whether a part of a fan-out of items alone is left; takes no lock. */
export function prepareHasFanOut(context: QueryContext) {
  const any = prepareNextPart(context, OF_ITEMS);
  const old = context.prepare<object, Key>("SELECT pk FROM belfry_fan_out_chunks LIMIT 1");
  return (at: Date): boolean => any({ at, after: "" }) !== null || old.get({}) !== undefined;
}

/** A part, and the columns of its notification. */
interface PartRow {
  readonly part_pk: number;
  readonly fan_out_pk: number;
  readonly notification_pk: number;
  readonly recipients: string;
}

/** Writes the items of the next part and forgets the part: of the next ones of its fan-out, too, if it may and there is time. */
export function prepareFanOutNext(context: QueryContext) {
  const writeItems = prepareWriteListed(context);
  const settle = prepareSettleItems(context);
  const adopt = prepareAdoptChunk(context);
  const next = prepareNextPart(context, OF_ITEMS);
  const read = context.prepare<Key, PartRow>(`
    SELECT p.pk AS part_pk, f.pk AS fan_out_pk, f.notification_pk, p.recipients, ${NOTIFICATION_FIELDS.columns("n")}
    FROM belfry_fan_out_parts p CROSS JOIN belfry_fan_outs f ON f.pk = p.fan_out_pk CROSS JOIN belfry_notifications n ON n.pk = f.notification_pk
    WHERE p.pk = :pk`);
  const another = context.prepare<Key & { readonly at: Date }, Pick<PartRow, "part_pk" | "recipients">>(`
    SELECT pk AS part_pk, recipients FROM belfry_fan_out_parts
    WHERE fan_out_pk = :pk AND (taken_until IS NULL OR taken_until <= :at) ORDER BY pk LIMIT 1`);
  const forget = prepareForgetPart(context);
  const end = context.prepare<{ readonly pk: number }>(
    "DELETE FROM belfry_fan_outs WHERE pk = :pk AND NOT EXISTS (SELECT 1 FROM belfry_fan_out_parts WHERE fan_out_pk = :pk)",
  );
  return (createdAt: Date, turn: FanOutTurn): FanOutChunk | null => {
    const hasTime = timeForAnother();
    adopt();
    const pk = next({ at: createdAt, after: turn.after ?? "" });
    const row = pk === null ? undefined : read.get({ pk });
    if (row === undefined) {
      return null;
    }
    const notification = NOTIFICATION_FIELDS.record(row);
    const { tenant, type, category, expiresAt, group, replaceKey, actor } = notification;
    const values = { tenant, notificationPk: row.notification_pk, type, createdAt, category, expiresAt, group, replaceKey, actor };
    const write = (recipients: string) =>
      isGrouped(values)
        ? settle(values, writeItems(values, recipients, "all"))
        : writeItems(values, recipients, wantedOf(tenant, recipients, turn));
    const items: CreatedItem[] = [];
    let part: Pick<PartRow, "part_pk" | "recipients"> | undefined = row;
    while (part !== undefined) {
      items.push(...write(part.recipients));
      forget(part.part_pk);
      part = turn.mayTakeMore && hasTime() ? another.get({ pk: row.fan_out_pk, at: createdAt }) : undefined;
    }
    end.run({ pk: row.fan_out_pk });
    return { notification, items };
  };
}

/** Whose items are to be answered, of a list in JSON. It is read only if somebody's may be. */
function wantedOf(tenant: string, recipients: string, { isWanted, isAnyWanted }: FanOutTurn): Wanted {
  if (isWanted === undefined) {
    return "all";
  }
  const isNobody = isAnyWanted !== undefined && !isAnyWanted();
  return isNobody ? [] : (JSON.parse(recipients) as readonly string[]).filter((userId) => isWanted({ tenant, userId }));
}

/** Leaves the next part alone, since it could not be written. Throws `failure` if there is none. */
export function preparePutOffNext(context: QueryContext) {
  const next = prepareNextPart(context, OF_ITEMS);
  const putOff = preparePutOff(context);
  const find = context.prepare<Key, object>(`
    SELECT ${NOTIFICATION_FIELDS.columns("n")} FROM belfry_fan_out_parts p CROSS JOIN belfry_fan_outs f ON f.pk = p.fan_out_pk
    CROSS JOIN belfry_notifications n ON n.pk = f.notification_pk WHERE p.pk = :pk`);
  return (at: Date, { after = "" }: FanOutTurn, failure: unknown): FanOutChunk => {
    const pk = next({ at, after });
    const row = pk === null ? undefined : find.get({ pk });
    if (pk === null || row === undefined) {
      throw failure;
    }
    putOff(pk, at);
    return { notification: NOTIFICATION_FIELDS.record(row), items: [], failure };
  };
}

/** Forgets a part. Returns false if it is not there any more. */
export function prepareForgetPart({ prepare }: QueryContext) {
  const forget = prepare<{ readonly pk: number }>("DELETE FROM belfry_fan_out_parts WHERE pk = :pk");
  return (pk: number): boolean => forget.run({ pk }).changes > 0;
}

/** Makes a fan-out of the oldest chunk that a process of an older version left. Returns false if there is none. */
function prepareAdoptChunk(context: QueryContext) {
  const oldest = context.prepare<
    object,
    { readonly pk: number; readonly tenant: string; readonly notificationPk: number; readonly recipients: string }
  >(`
    SELECT c.pk, n.tenant, c.notification_pk AS "notificationPk", c.recipients
    FROM belfry_fan_out_chunks c CROSS JOIN belfry_notifications n ON n.pk = c.notification_pk ORDER BY c.pk LIMIT 1`);
  const forget = context.prepare<{ readonly pk: number }>("DELETE FROM belfry_fan_out_chunks WHERE pk = :pk");
  const write = prepareWriteList(context);
  return (): boolean => {
    const chunk = oldest.get({});
    if (chunk === undefined) {
      return false;
    }
    const { pk, tenant, notificationPk, recipients } = chunk;
    write.parts(write.begin({ tenant, notificationPk, plan: null, dropAt: null }), [{ channel: null, place: 0, recipients }]);
    forget.run({ pk });
    return true;
  };
}

/** Removes a user from the lists that still name them, and answers how many parts did. */
export function prepareLeaveFanOuts(context: QueryContext) {
  const { prepare, prepareRows } = context;
  // The text search is fast; the JSON check then tells whether it found a recipient.
  const naming = prepareRows<Owner & { readonly text: string; readonly limit: number }, readonly [pk: number, recipients: string]>(`
    SELECT p.pk, p.recipients FROM belfry_fan_outs f CROSS JOIN belfry_fan_out_parts p ON p.fan_out_pk = f.pk
    WHERE f.tenant = (SELECT :tenant) AND instr(p.recipients, (SELECT :text)) > 0
      AND EXISTS (SELECT 1 FROM json_each(p.recipients) WHERE value = (SELECT :userId)) ORDER BY p.pk LIMIT :limit`);
  const adopt = prepareAdoptChunk(context);
  const forget = prepareForgetPart(context);
  // With a key of its own, so that whoever is at work on the part does not write it.
  const keep = prepare<{ readonly pk: number; readonly recipients: readonly string[] }>(`
    INSERT INTO belfry_fan_out_parts (fan_out_pk, channel, place, recipients, topic, channels)
    SELECT fan_out_pk, channel, place, :recipients, topic, channels FROM belfry_fan_out_parts WHERE pk = :pk`);
  return (owner: Owner, limit: number): number => {
    while (adopt()) {
      // One after another.
    }
    const parts = naming.all({ ...owner, text: JSON.stringify(owner.userId), limit });
    for (const [pk, text] of parts) {
      const recipients = (JSON.parse(text) as readonly string[]).filter((userId) => userId !== owner.userId);
      if (recipients.length > 0) {
        keep.run({ pk, recipients });
      }
      forget(pk);
    }
    return parts.length;
  };
}
