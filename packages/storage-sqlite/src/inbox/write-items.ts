import type { CreatedItem, Notification, Owner } from "@belfry/core";
import type { NewAudience, NewNotification } from "@belfry/core/storage";
import { type Grouped, isGrouped, isUsual, withAlso } from "@belfry/storage-sql";
import { isTaken } from "../database/errors.ts";
import { DIALECT } from "../database/sql.ts";
import { type QueryContext, stored } from "../database/statement.ts";
import { JOIN_COUNTERS } from "./conditions.ts";
import { newestBroadcast } from "./inbox-state.ts";
import { NOTIFICATION_FIELDS, USUAL_FIELDS } from "./item-row.ts";
import { prepareSettleCreated } from "./settle-created.ts";

/** The result of writing an entry. */
export interface WrittenEntry {
  readonly items: readonly CreatedItem[];
  readonly notificationPk: number;
  /** False if its tenant had the notification already: then nothing was written, and `items` are those it has. */
  readonly isNew: boolean;
}

/** Writes a notification with one item per recipient, inside a transaction that the caller opened. */
export function prepareWriteEntry(context: QueryContext) {
  const writeNotification = prepareWriteNotification(context);
  const writeItems = prepareWriteItems(context);
  const itemsOf = context.prepare<{ readonly notificationPk: number }, CreatedItem>(`
    SELECT i.user_id AS "userId", i.seq, c.epoch FROM belfry_inbox_items i ${JOIN_COUNTERS}
    WHERE i.notification_pk = (SELECT :notificationPk) ORDER BY i.user_id`);
  const writeAudience = prepareWriteAudience(context);
  return ({ notification, recipients, audience }: NewNotification): WrittenEntry => {
    const { tenant, type, createdAt, category, expiresAt, group, replaceKey, actor } = notification;
    const { pk: notificationPk, isNew } = writeNotification(notification);
    if (isNew && audience !== undefined) {
      writeAudience({ ...audience, topics: JSON.stringify(audience.topics), notificationPk, tenant });
    }
    const items = isNew
      ? writeItems({ tenant, notificationPk, type, createdAt, category, expiresAt, group, replaceKey, actor }, recipients)
      : itemsOf.all({ notificationPk });
    return { items, notificationPk, isNew };
  };
}

type AudienceValues = Omit<NewAudience, "topics"> & { readonly topics: string; readonly notificationPk: number; readonly tenant: string };

/** Writes the audience of a notification. Few have one with topics: its statement is made when it is first needed. */
function prepareWriteAudience({ prepare }: QueryContext) {
  let insert: { run(values: AudienceValues): unknown } | undefined;
  return (values: AudienceValues): void => {
    insert ??= prepare<AudienceValues>(`
      INSERT INTO belfry_audiences (notification_pk, tenant, topics, source, after_user, place, mark, has_deliveries)
      VALUES (:notificationPk, :tenant, :topics, :source, NULL, :place, '', :hasDeliveries)`);
    insert.run(values);
  };
}

/** The items to write of one notification. */
export interface NewItems extends Grouped {
  readonly tenant: string;
  readonly notificationPk: number;
  readonly type: string;
  readonly createdAt: Date;
  readonly category: string | null;
  readonly expiresAt: Date | null;
}

/** Writes one item per recipient, numbers it and counts it, and answers where each went, in the recipients' order. */
export function prepareWriteItems(context: QueryContext) {
  const writeOne = prepareWriteOne(context);
  const writeMany = prepareWriteMany(context);
  const settle = prepareSettleItems(context);
  return (items: NewItems, recipients: readonly string[]): readonly CreatedItem[] => {
    const [userId] = recipients;
    if (userId === undefined) {
      return [];
    }
    const created = recipients.length === 1 ? [writeOne(items, userId)] : writeMany(items, recipients);
    return isGrouped(items) ? settle(items, created) : created;
  };
}

/** Settles what items that were just written change beside themselves. Its statements are made when they are first needed. */
export function prepareSettleItems(context: QueryContext) {
  let settle: ReturnType<typeof prepareSettleCreated> | undefined;
  return ({ tenant, createdAt: at, group, replaceKey, actor }: NewItems, created: readonly CreatedItem[]): readonly CreatedItem[] => {
    const settleOne = settle ?? prepareSettleCreated(context);
    settle = settleOne;
    return created.map((item) =>
      withAlso(item, settleOne({ tenant, userId: item.userId }, { seq: item.seq, at }, { group, replaceKey, actor })),
    );
  };
}

/** Makes the counters of an inbox. */
export const COUNTERS = "INSERT INTO belfry_inbox_counters (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch, began_after)";
/** Counts one more item in an inbox. */
export const ONE_MORE = "last_seq = last_seq + 1, total = total + 1, unread = unread + 1";
/** Writes an item that {@link isRare} is not true of. */
export const ITEMS = "INSERT INTO belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at)";
/** Most items have none of these, and are written without the columns. */
const RARE_ITEMS = `INSERT INTO belfry_inbox_items
  (tenant, user_id, seq, notification_pk, type, created_at, category, expires_at, group_name, replace_key)`;

function isRare(items: NewItems): boolean {
  return items.category !== null || items.expiresAt !== null || isGrouped(items);
}

function prepareWriteOne({ prepareBare }: QueryContext) {
  // Two statements: to return a number from a change, SQLite makes a table of its own, which costs more than the change.
  const countOneMore = prepareBare<readonly [tenant: string, userId: string]>(
    `UPDATE belfry_inbox_counters SET ${ONE_MORE} WHERE tenant = ? AND user_id = ?`,
  );
  const countFirst = prepareBare<readonly [tenant: string, userId: string, again: string]>(
    `${COUNTERS} VALUES (?, ?, 1, 1, 1, 0, ${DIALECT.newEpoch}, ${newestBroadcast("?")})`,
  );
  const number = prepareBare<readonly [tenant: string, userId: string], readonly [seq: number, epoch: string]>(
    "SELECT last_seq, epoch FROM belfry_inbox_counters WHERE tenant = ? AND user_id = ?",
  );
  const insert = prepareBare<readonly unknown[]>(`${ITEMS} VALUES (?, ?, ?, ?, ?, ?)`);
  const insertRare = prepareBare<readonly unknown[]>(`${RARE_ITEMS} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const noteDue = prepareBare<readonly [at: number, same: number, tenant: string, userId: string]>(
    "UPDATE belfry_inbox_counters SET due_at = min(coalesce(due_at, ?), ?) WHERE tenant = ? AND user_id = ?",
  );
  const writeRare = (items: NewItems, userId: string, seq: number) => {
    const { tenant, notificationPk, type, createdAt, category, expiresAt, group, replaceKey } = items;
    const endMs = expiresAt?.getTime() ?? null;
    insertRare.run(tenant, userId, seq, notificationPk, type, createdAt.getTime(), category, endMs, group, replaceKey);
    if (endMs !== null) {
      noteDue.run(endMs, endMs, tenant, userId);
    }
  };
  return (items: NewItems, userId: string): CreatedItem => {
    const { tenant, notificationPk, type, createdAt } = items;
    if (countOneMore.run(tenant, userId).changes === 0) {
      countFirst.run(tenant, userId, tenant);
    }
    const numbered = number.get(tenant, userId);
    if (numbered === undefined) {
      throw new Error(`The counters of ${JSON.stringify(userId)} were not written.`);
    }
    const [seq, epoch] = numbered;
    if (isRare(items)) {
      writeRare(items, userId, seq);
    } else {
      insert.run(tenant, userId, seq, notificationPk, type, createdAt.getTime());
    }
    return { userId, seq, epoch };
  };
}

/** Writes all items at once, as {@link prepareWriteListed} does. */
export function prepareWriteMany(context: QueryContext) {
  const write = prepareWriteListed(context);
  return (items: NewItems, recipients: readonly string[], isWanted?: (owner: Owner) => boolean): readonly CreatedItem[] => {
    const wanted = isWanted === undefined ? "all" : recipients.filter((userId) => isWanted({ tenant: items.tenant, userId }));
    return write(items, JSON.stringify(recipients), wanted);
  };
}

/** The users of a list, in its order, whose items a write answers. */
export type Wanted = "all" | readonly string[];

/**
 * Writes all items at once, from the recipients as JSON: for long lists a third faster than one statement each. It answers where
 * those of the wanted users went, since to read that costs a tenth of the write.
 */
export function prepareWriteListed({ prepare, prepareRows }: QueryContext) {
  type Values = NewItems & { readonly recipients: string };
  const recipient = "json_each(:recipients) AS recipient";
  // "WHERE true": without it SQLite takes ON CONFLICT for the condition of a join.
  const count = prepare<Values>(
    `${COUNTERS} SELECT :tenant, recipient.value, 1, 1, 1, 0, ${DIALECT.newEpoch}, ${newestBroadcast(":tenant")} FROM ${recipient} WHERE true
     ON CONFLICT (tenant, user_id) DO UPDATE SET ${ONE_MORE}`,
  );
  const joined = `${recipient} CROSS JOIN belfry_inbox_counters c ON c.tenant = (SELECT :tenant) AND c.user_id = recipient.value`;
  const columns = "c.tenant, c.user_id, c.last_seq, :notificationPk, :type, :createdAt";
  const insert = prepare<Values>(`${ITEMS} SELECT ${columns} FROM ${joined}`);
  const insertRare = prepare<Values>(`${RARE_ITEMS} SELECT ${columns}, :category, :expiresAt, :group, :replaceKey FROM ${joined}`);
  const noteDue = prepare<Values>(`UPDATE belfry_inbox_counters AS c SET due_at = min(coalesce(due_at, :expiresAt), :expiresAt)
    FROM ${recipient} WHERE c.tenant = (SELECT :tenant) AND c.user_id = recipient.value`);
  // The order is that of the recipients, because SQLite keeps the order of a CROSS JOIN. To sort them would cost half as much again.
  const numbers = prepareRows<Values, readonly [userId: string, seq: number, epoch: string]>(
    `SELECT c.user_id, c.last_seq, c.epoch FROM ${joined}`,
  );
  return (items: NewItems, recipients: string, wanted: Wanted): readonly CreatedItem[] => {
    const values = { ...items, recipients };
    count.run(values);
    (isRare(items) ? insertRare : insert).run(values);
    if (items.expiresAt !== null) {
      noteDue.run(values);
    }
    if (wanted.length === 0) {
      return [];
    }
    const asked = wanted === "all" ? values : { ...values, recipients: JSON.stringify(wanted) };
    return numbers.all(asked).map(([userId, seq, epoch]) => ({ userId, seq, epoch }));
  };
}

/** A notification's key, and whether this write made it or found it there. */
export interface WrittenNotification {
  readonly pk: number;
  readonly isNew: boolean;
}

/**
 * Writes a notification, unless its tenant already has one of its id. SQLite refuses a second one then, and the transaction goes on: to
 * have the statement skip it costs every create a look for the id.
 */
export function prepareWriteNotification({ prepare, prepareBare }: QueryContext) {
  const insertInto = ({ all, names }: typeof NOTIFICATION_FIELDS) =>
    prepareBare<readonly unknown[]>(`INSERT INTO belfry_notifications (${names}) VALUES (${all.map(() => "?").join(", ")})`);
  const [any, usual] = [insertInto(NOTIFICATION_FIELDS), insertInto(USUAL_FIELDS)];
  // The usual fields in the order of their columns, written out, because almost every notification has no others.
  const insert = (notification: Notification) => {
    if (!isUsual(notification)) {
      return any.run(...NOTIFICATION_FIELDS.all.map(([key]) => stored(notification[key])));
    }
    const { tenant, id, kind, type, title, message, data, createdAt, priority } = notification;
    return usual.run(tenant, id, kind, type, title, message, JSON.stringify(data), createdAt.getTime(), priority);
  };
  const find = prepare<NotificationName, { readonly pk: number }>(FIND_NOTIFICATION);
  return (notification: Notification): WrittenNotification => {
    try {
      return { pk: Number(insert(notification).lastInsertRowid), isNew: true };
    } catch (error) {
      const found = isTaken(error) ? find.get(notification) : undefined;
      if (found === undefined) {
        throw error;
      }
      return { pk: found.pk, isNew: false };
    }
  };
}

type NotificationName = Pick<Notification, "tenant" | "id">;

const FIND_NOTIFICATION = "SELECT pk FROM belfry_notifications WHERE tenant = :tenant AND id = :id";

/** Looks whether a tenant has a notification, whoever got it. */
export function prepareHasNotification({ prepare }: QueryContext) {
  const find = prepare<NotificationName, { readonly pk: number }>(FIND_NOTIFICATION);
  return ({ tenant, id }: NotificationName): boolean => find.get({ tenant, id: id.toLowerCase() }) !== undefined;
}
