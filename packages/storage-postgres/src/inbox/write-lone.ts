import type { CreatedItem, Notification } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import type { Fields } from "../database/fields.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { type Announcements, NO_SIGNAL, sendSignal } from "../listen-notify/announcements.ts";
import { COUNTERS_COLUMNS, lockGuard, NEW_EPOCH, newestBroadcast } from "./inbox-state.ts";
import { isUsual, NOTIFICATION_FIELDS, USUAL_FIELDS } from "./item-row.ts";

/**
 * Writes one entry with one recipient, the usual create, at half the cost of lists. Answers null, and writes nothing, if the
 * notification was written before. Outside of a transaction, with announcements, its commit also sends its signal if it can.
 */
export function prepareWriteLone(tables: TableNames, announcements: Announcements | null) {
  const write = (fields: Fields<Notification>) =>
    statement<[seq: number, epoch: string, isSent: boolean]>("write_entry", writeEntryText(tables, fields));
  const [writeUsual, writeAny] = [write(USUAL_FIELDS), write(NOTIFICATION_FIELDS)];
  return async (session: Session, entry: NewNotification, lockTimeoutMs: number | null): Promise<readonly CreatedItem[] | null> => {
    const {
      notification,
      recipients: [userId = ""],
    } = entry;
    const signal = announcements?.partsOf(notification.tenant) ?? NO_SIGNAL;
    const [run, { values }] = isUsual(notification) ? [writeUsual, USUAL_FIELDS] : [writeAny, NOTIFICATION_FIELDS];
    const [row] = await session.rows(run, [...values(notification), userId, lockTimeoutMs, ...signal]);
    if (row === undefined) {
      return null;
    }
    const [seq, epoch, isSent] = row;
    if (isSent) {
      announcements?.sent([entry]);
    }
    return [{ userId, seq, epoch }];
  };
}

/** Values: the fields, the user, the lock timeout, and the parts of the signal: {@link Announcements.partsOf}. */
function writeEntryText(tables: TableNames, fields: Fields<Notification>): string {
  const { notifications, inboxCounters, inboxItems } = tables;
  const { all, names, typed, parameter } = fields;
  const [tenant, id, type, createdAt] = [parameter("tenant"), parameter("id"), parameter("type"), parameter("createdAt")];
  // The usual notification has neither a category nor an end, and its item is written without the columns.
  const isAny = fields === NOTIFICATION_FIELDS;
  const expiresAt = isAny ? `${parameter("expiresAt")}::timestamptz` : "";
  const [user, lockTimeout, channel, before, beforeUser] = [1, 2, 3, 4, 5].map((more) => `$${all.length + more}` as const);
  return `WITH ${lockGuard(lockTimeout as `$${number}`)},
  notification AS (
    INSERT INTO ${notifications} (${names}) SELECT ${typed} FROM guard WHERE guard.lock_timeout IS NOT NULL
    ON CONFLICT (tenant, id) DO NOTHING
    RETURNING pk
  ),
  counter AS (
    INSERT INTO ${inboxCounters} AS c (${COUNTERS_COLUMNS}${isAny ? ", due_at" : ""})
    SELECT ${tenant}, ${user}, 1, 1, 1, 0, ${NEW_EPOCH}, ${newestBroadcast(tables, tenant)}${isAny ? `, ${expiresAt}` : ""} FROM notification
    ON CONFLICT (tenant, user_id) DO UPDATE SET last_seq = c.last_seq + 1, total = c.total + 1, unread = c.unread + 1${isAny ? ", due_at = least(c.due_at, excluded.due_at)" : ""}
    RETURNING last_seq, epoch
  ),
  written AS (
    INSERT INTO ${inboxItems} (tenant, user_id, seq, notification_pk, type, created_at${isAny ? ", category, expires_at" : ""})
    SELECT ${tenant}, ${user}, counter.last_seq, notification.pk, ${type}, ${createdAt}::timestamptz${isAny ? `, ${parameter("category")}, ${expiresAt}` : ""} FROM notification CROSS JOIN counter
  )
  SELECT last_seq, epoch, ${sendSignal(
    channel as string,
    `${before}::text || ${beforeUser}::text || to_json(${user}::text) || ',' || last_seq || ',"' || epoch || '","' || ${id} || '"]]'`,
  )} FROM counter`;
}
