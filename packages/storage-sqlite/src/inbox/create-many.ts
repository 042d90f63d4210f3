import type { CreatedItem, Notification } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import { isUsual } from "@belfry/storage-sql";
import { isTaken } from "../database/errors.ts";
import { DIALECT } from "../database/sql.ts";
import type { QueryContext } from "../database/statement.ts";
import { newestBroadcast } from "./inbox-state.ts";
import { COUNTERS, ITEMS, ONE_MORE, prepareWriteEntry } from "./write-items.ts";

/** Writes several notifications with their items. */
export function prepareCreateMany(context: QueryContext) {
  const writePlain = prepareWritePlain(context);
  const writeEntry = prepareWriteEntry(context);
  return (entries: readonly NewNotification[]): readonly (readonly CreatedItem[])[] =>
    entries.map((entry) => writePlain(entry) ?? writeEntry(entry).items);
}

/** The most tenants that have statements of their own. */
const MOST_TENANTS = 16;
/** Names that can stand in a statement as they are. */
const PLAIN_NAME = /^[\w .:-]{1,64}$/;

/**
 * Writes what almost every create is: a message with no rare field, for one user. The tenant's name stands in its statements: to bind
 * it to each of them costs such a create a fortieth of its time. For everything else, further tenants, and a notification that is
 * there already, it writes nothing and returns null.
 */
function prepareWritePlain({ prepareBare }: QueryContext) {
  const byTenant = new Map<string, PlainStatements>();
  const statementsOf = (tenant: string): PlainStatements | undefined => {
    const known = byTenant.get(tenant);
    if (known !== undefined || byTenant.size === MOST_TENANTS || !PLAIN_NAME.test(tenant)) {
      return known;
    }
    const made = preparePlain(prepareBare, `'${tenant}'`);
    byTenant.set(tenant, made);
    return made;
  };
  return ({ notification, recipients, audience }: NewNotification): readonly CreatedItem[] | null => {
    const [userId] = recipients;
    if (userId === undefined || recipients.length > 1 || audience !== undefined || !isPlain(notification)) {
      return null;
    }
    const statements = statementsOf(notification.tenant);
    return statements === undefined ? null : writeWith(statements, notification, userId);
  };
}

function isPlain(notification: Notification): boolean {
  return notification.kind === "message" && notification.priority === "normal" && isUsual(notification);
}

type PlainStatements = ReturnType<typeof preparePlain>;

/** @param tenant as a literal */
function preparePlain(prepare: QueryContext["prepareBare"], tenant: string) {
  type NotificationValues = readonly [id: string, type: string, title: string, message: string, data: string, createdAtMs: number];
  type ItemValues = readonly [userId: string, seq: number, notificationPk: number | bigint, type: string, createdAtMs: number];
  const ofInbox = `WHERE tenant = ${tenant} AND user_id = ?`;
  return {
    notification: prepare<NotificationValues>(
      `INSERT INTO belfry_notifications (tenant, kind, priority, id, type, title, message, data, created_at)
       VALUES (${tenant}, 'message', 'normal', ?, ?, ?, ?, ?, ?)`,
    ),
    oneMore: prepare<readonly [userId: string]>(`UPDATE belfry_inbox_counters SET ${ONE_MORE} ${ofInbox}`),
    first: prepare<readonly [userId: string]>(
      `${COUNTERS} VALUES (${tenant}, ?, 1, 1, 1, 0, ${DIALECT.newEpoch}, ${newestBroadcast(tenant)})`,
    ),
    number: prepare<readonly [userId: string], readonly [seq: number, epoch: string]>(
      `SELECT last_seq, epoch FROM belfry_inbox_counters ${ofInbox}`,
    ),
    item: prepare<ItemValues>(`${ITEMS} VALUES (${tenant}, ?, ?, ?, ?, ?)`),
  };
}

function writeWith(statements: PlainStatements, notification: Notification, userId: string): readonly CreatedItem[] | null {
  const { id, type, title, message, data } = notification;
  const createdAtMs = notification.createdAt.getTime();
  let pk: number | bigint;
  try {
    pk = statements.notification.run(id, type, title, message, JSON.stringify(data), createdAtMs).lastInsertRowid;
  } catch (error) {
    if (isTaken(error)) {
      return null;
    }
    throw error;
  }
  if (statements.oneMore.run(userId).changes === 0) {
    statements.first.run(userId);
  }
  const [seq, epoch] = statements.number.get(userId) as readonly [seq: number, epoch: string];
  statements.item.run(userId, seq, pk, type, createdAtMs);
  return [{ userId, seq, epoch }];
}
