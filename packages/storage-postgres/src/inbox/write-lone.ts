import type { CreatedItem, Notification } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import { MOST_ACTORS } from "@belfry/storage-sql";
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
  const write = (kind: Kind) =>
    statement<[seq: number, epoch: string, isSent: boolean]>(
      kind === "grouped" ? "write_grouped" : "write_entry",
      writeEntryText(tables, kind),
    );
  const [writeUsual, writeAny, writeGrouped] = [write("usual"), write("any"), write("grouped")];
  return async (session: Session, entry: NewNotification, lockTimeoutMs: number | null): Promise<readonly CreatedItem[] | null> => {
    const {
      notification,
      recipients: [userId = ""],
    } = entry;
    const signal = announcements?.partsOf(notification.tenant) ?? NO_SIGNAL;
    const any = notification.group === null ? writeAny : writeGrouped;
    const [run, { values }] = isUsual(notification) ? [writeUsual, USUAL_FIELDS] : [any, NOTIFICATION_FIELDS];
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

/** Which fields a statement writes: the usual notification has no others, and is not in a group. */
type Kind = "usual" | "any" | "grouped";

/** Values: the fields, the user, the lock timeout, and the parts of the signal: {@link Announcements.partsOf}. */
function writeEntryText(tables: TableNames, kind: Kind): string {
  const { notifications, inboxCounters, inboxItems } = tables;
  const fields: Fields<Notification> = kind === "usual" ? USUAL_FIELDS : NOTIFICATION_FIELDS;
  const { all, names, typed, parameter } = fields;
  const [tenant, id, type, createdAt] = [parameter("tenant"), parameter("id"), parameter("type"), parameter("createdAt")];
  // The usual notification has neither a category nor an end, and its item is written without the columns.
  const isAny = kind !== "usual";
  const isGrouped = kind === "grouped";
  const expiresAt = isAny ? `${parameter("expiresAt")}::timestamptz` : "";
  const [user, lockTimeout, channel, before, beforeUser] = [1, 2, 3, 4, 5].map((more) => `$${all.length + more}` as const);
  const group = parameter("group");
  const ofGroup = { tenant, user: user as string, group, actor: parameter("actor") };
  return `WITH ${lockGuard(lockTimeout as `$${number}`)},
  notification AS (
    INSERT INTO ${notifications} (${names}) SELECT ${typed} FROM guard WHERE guard.lock_timeout IS NOT NULL${isGrouped ? ` AND ${isAwake(tables, ofGroup)}` : ""}
    ON CONFLICT (tenant, id) DO NOTHING
    RETURNING pk
  ),
  counter AS (
    INSERT INTO ${inboxCounters} AS c (${COUNTERS_COLUMNS}${isAny ? ", due_at" : ""})
    SELECT ${tenant}, ${user}, 1, 1, 1, 0, ${NEW_EPOCH}, ${newestBroadcast(tables, tenant)}${isAny ? `, ${expiresAt}` : ""} FROM notification
    ON CONFLICT (tenant, user_id) DO UPDATE SET last_seq = c.last_seq + 1, total = c.total + 1, unread = c.unread + 1${isAny ? ", due_at = least(c.due_at, excluded.due_at)" : ""}
    RETURNING last_seq, epoch${isGrouped ? ", read_rev" : ""}
  ),${isGrouped ? addToGroup(tables, ofGroup) : ""}
  written AS (
    INSERT INTO ${inboxItems} (tenant, user_id, seq, notification_pk, type, created_at${isAny ? ", category, expires_at" : ""}${isGrouped ? ", group_name" : ""})
    SELECT ${tenant}, ${user}, counter.last_seq, notification.pk, ${type}, ${createdAt}::timestamptz${isAny ? `, ${parameter("category")}, ${expiresAt}` : ""}${isGrouped ? `, ${group}` : ""} FROM notification CROSS JOIN counter
  )
  SELECT last_seq, epoch, ${sendSignal(
    channel as string,
    `${before}::text || ${beforeUser}::text || to_json(${user}::text) || ',' || last_seq || ',"' || epoch || '","' || ${id} || '"]]'`,
  )} FROM counter`;
}

/** The parameters of a group in an inbox, and of the actor of what comes. */
interface GroupParameters {
  readonly tenant: string;
  readonly user: string;
  readonly group: string;
  readonly actor: string;
}

/** Whether a group has active items, or none at all: what comes wakes no snoozed ones. */
function isAwake({ inboxGroups }: TableNames, { tenant, user, group }: GroupParameters): string {
  return `NOT EXISTS (SELECT FROM ${inboxGroups} WHERE tenant = ${tenant} AND user_id = ${user} AND group_name = ${group} AND total = 0)`;
}

/**
 * Counts the item in its group, as `addToGroups` of settle-created.ts does. If another transaction has taken the last active item away
 * meanwhile, it fails with a division by zero: see {@link isAsleep}.
 */
function addToGroup({ inboxGroups }: TableNames, { tenant, user, group, actor }: GroupParameters): string {
  return `
  grouped AS (
    INSERT INTO ${inboxGroups} AS g (tenant, user_id, group_name, newest_seq, total, unread, read_rev, actors)
    SELECT ${tenant}, ${user}, ${group}, c.last_seq, 1, 1, c.read_rev, CASE WHEN ${actor}::text IS NULL THEN '[]' ELSE json_build_array(${actor}::text)::text END
    FROM counter c
    ON CONFLICT (tenant, user_id, group_name) DO UPDATE SET newest_seq = excluded.newest_seq, total = g.total + 1 / least(g.total, 1),
      unread = CASE WHEN g.read_rev = excluded.read_rev THEN g.unread ELSE 0 END + 1, read_rev = excluded.read_rev,
      actors = CASE WHEN excluded.actors = '[]' OR g.actors::jsonb @> excluded.actors::jsonb OR json_array_length(g.actors::json) >= ${MOST_ACTORS}
        THEN g.actors ELSE (g.actors::jsonb || excluded.actors::jsonb)::text END
  ),`;
}
