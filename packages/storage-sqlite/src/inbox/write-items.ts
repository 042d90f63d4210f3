import type { CreatedItem, Notification } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";
import { inboxCounters, inboxItems } from "../schema.ts";
import { joinValue } from "./conditions.ts";
import { NEW_EPOCH } from "./inbox-state.ts";
import { NOTIFICATION_FIELDS } from "./item-row.ts";

/** Writes several notifications with their items. */
export function prepareCreateMany(context: QueryContext) {
  const writeEntry = prepareWriteEntry(context);
  return (entries: readonly NewNotification[]): readonly (readonly CreatedItem[])[] => entries.map((entry) => writeEntry(entry).items);
}

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
  const itemsOf = context.prepare<{ readonly notificationPk: number }, CreatedItem>(sql`
    select ${inboxItems.userId} as "userId", ${inboxItems.seq}, ${inboxCounters.epoch}
    from ${inboxItems}
    cross join ${inboxCounters} on ${inboxCounters.tenant} = ${inboxItems.tenant} and ${inboxCounters.userId} = ${inboxItems.userId}
    where ${inboxItems.notificationPk} = ${joinValue("notificationPk")}
    order by ${inboxItems.userId}`);
  return ({ notification, recipients }: NewNotification): WrittenEntry => {
    const { tenant, type, createdAt } = notification;
    const { pk: notificationPk, isNew } = writeNotification(notification);
    const items = isNew ? writeItems({ tenant, notificationPk, type, createdAt }, recipients) : itemsOf.all({ notificationPk });
    return { items, notificationPk, isNew };
  };
}

/** The items to write of one notification. */
export interface NewItems {
  readonly tenant: string;
  readonly notificationPk: number;
  readonly type: string;
  readonly createdAt: Date;
}

interface Numbered {
  readonly seq: number;
  readonly epoch: string;
}

/** Writes one item per recipient, numbers it and counts it, and answers where each went, in the recipients' order. */
export function prepareWriteItems(context: QueryContext) {
  const writeOne = prepareWriteOne(context);
  const writeMany = prepareWriteMany(context);
  return (items: NewItems, recipients: readonly string[]): readonly CreatedItem[] => {
    const [userId] = recipients;
    if (userId === undefined) {
      return [];
    }
    return recipients.length === 1 ? [writeOne(items, userId)] : writeMany(items, recipients);
  };
}

/** The counters of an inbox with its first item, or with one more. */
const ONE_MORE = {
  target: [inboxCounters.tenant, inboxCounters.userId],
  set: {
    lastSeq: sql`${inboxCounters.lastSeq} + 1`,
    total: sql`${inboxCounters.total} + 1`,
    unread: sql`${inboxCounters.unread} + 1`,
  },
};

function prepareWriteOne({ builder, prepare }: QueryContext) {
  const count = prepare<NewItems & { readonly userId: string }, Numbered>(
    builder
      .insert(inboxCounters)
      .values({
        tenant: sql.placeholder("tenant"),
        userId: sql.placeholder("userId"),
        lastSeq: 1,
        total: 1,
        unread: 1,
        readUpToSeq: 0,
        epoch: NEW_EPOCH,
      })
      .onConflictDoUpdate(ONE_MORE)
      .returning({ seq: sql<number>`${inboxCounters.lastSeq}`.as("seq"), epoch: inboxCounters.epoch }),
  );
  const insert = prepare<NewItems & { readonly userId: string; readonly seq: number }>(
    builder.insert(inboxItems).values({
      tenant: sql.placeholder("tenant"),
      userId: sql.placeholder("userId"),
      seq: sql.placeholder("seq"),
      notificationPk: sql.placeholder("notificationPk"),
      type: sql.placeholder("type"),
      createdAt: sql.placeholder("createdAt"),
    }),
  );
  return (items: NewItems, userId: string): CreatedItem => {
    const numbered = count.get({ ...items, userId });
    if (numbered === undefined) {
      throw new Error(`The counters of ${JSON.stringify(userId)} were not written.`);
    }
    const { seq, epoch } = numbered;
    insert.run({ ...items, userId, seq });
    return { userId, seq, epoch };
  };
}

interface ManyValues extends Omit<NewItems, "createdAt"> {
  readonly createdAt: number;
  /** A JSON array of user ids. */
  readonly recipients: string;
}

/** Whole sets at a time, over the recipients as JSON: in long lists a third faster than a statement per recipient. */
function prepareWriteMany({ builder, prepare }: QueryContext) {
  const recipient = sql`json_each(${sql.placeholder("recipients")}) as recipient`;
  const count = prepare<ManyValues>(
    builder
      .insert(inboxCounters)
      // "where true": without it SQLite takes ON CONFLICT for the condition of a join.
      .select(sql`select ${sql.placeholder("tenant")}, recipient.value, 1, 1, 1, 0, ${NEW_EPOCH}, 0, 0, null from ${recipient} where true`)
      .onConflictDoUpdate(ONE_MORE),
  );
  const ownCounters = sql`${inboxCounters.tenant} = ${joinValue("tenant")} and ${inboxCounters.userId} = recipient.value`;
  const insert = prepare<ManyValues>(
    builder.insert(inboxItems).select(sql`
      select ${inboxCounters.tenant}, ${inboxCounters.userId}, ${inboxCounters.lastSeq}, ${sql.placeholder("notificationPk")},
        ${sql.placeholder("type")}, ${sql.placeholder("createdAt")}, null, null, null
      from ${recipient} cross join ${inboxCounters} on ${ownCounters}`),
  );
  const numbers = prepare<ManyValues, Numbered & { readonly userId: string }>(sql`
    select ${inboxCounters.userId} as "userId", ${inboxCounters.lastSeq} as seq, ${inboxCounters.epoch}
    from ${recipient} cross join ${inboxCounters} on ${ownCounters} order by recipient.key`);
  return (items: NewItems, recipients: readonly string[]): readonly CreatedItem[] => {
    const values: ManyValues = { ...items, createdAt: items.createdAt.getTime(), recipients: JSON.stringify(recipients) };
    count.run(values);
    insert.run(values);
    return numbers.all(values);
  };
}

/** A notification's key, and whether this write made it or found it there. */
export interface WrittenNotification {
  readonly pk: number;
  readonly isNew: boolean;
}

/** Writes a notification, unless its tenant already has one of its id. */
export function prepareWriteNotification({ prepare }: QueryContext) {
  const { all, names } = NOTIFICATION_FIELDS;
  const insert = prepare<Notification>(`
    INSERT INTO belfry_notifications (${names}) VALUES (${all.map(([key]) => `:${key}`).join(", ")}) ON CONFLICT (tenant, id) DO NOTHING`);
  const find = prepare<NotificationName, { readonly pk: number }>(FIND_NOTIFICATION);
  return (notification: Notification): WrittenNotification => {
    const { changes, lastInsertRowid } = insert.run(notification);
    if (changes > 0) {
      return { pk: Number(lastInsertRowid), isNew: true };
    }
    const found = find.get(notification);
    if (found === undefined) {
      throw new Error(`The notification ${notification.id} was neither written nor found.`);
    }
    return { pk: found.pk, isNew: false };
  };
}

type NotificationName = Pick<Notification, "tenant" | "id">;

const FIND_NOTIFICATION = "SELECT pk FROM belfry_notifications WHERE tenant = :tenant AND id = :id";

/** Looks whether a tenant has a notification, whoever got it. */
export function prepareHasNotification({ prepare }: QueryContext) {
  const find = prepare<NotificationName, { readonly pk: number }>(FIND_NOTIFICATION);
  return ({ tenant, id }: NotificationName): boolean => find.get({ tenant, id: id.toLowerCase() }) !== undefined;
}
