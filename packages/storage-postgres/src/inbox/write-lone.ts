import type { CreatedItem, Notification } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import { isUsual, MOST_ACTORS } from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { isRepeated } from "../database/errors.ts";
import type { Fields } from "../database/fields.ts";
import { type Statement, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { type Announcements, NO_LONE_SIGNAL, sendShortSignal } from "../listen-notify/announcements.ts";
import { COUNTERS_COLUMNS, limitsLockWait, lockGuard, NEW_EPOCH, newestBroadcast } from "./inbox-state.ts";
import { NOTIFICATION_FIELDS, USUAL_FIELDS } from "./item-row.ts";

/**
 * Writes one entry with one recipient, the usual create, at half the cost of lists. Answers null, and writes nothing, if the
 * notification was written before. Outside of a transaction, with announcements, its commit also sends its signal if it can. There it
 * first takes for granted that the notification is new and the inbox has begun, as they usually are: then the statement has
 * four fifths of the work. Otherwise that one fails, or finds no counters, and writes nothing. It takes the inbox before the notification,
 * and all others the other way round, since to look whether the inbox has begun before that would cost a twentieth of the statement. Two
 * creates of the same notification may so be in each other's way: PostgreSQL then ends one of them, which is written again.
 */
export function prepareWriteLone(tables: TableNames, announcements: Announcements | null) {
  const write = (kind: Kind) => statement<EntryRow>(kind === "grouped" ? "write_grouped" : "write_entry", writeEntryText(tables, kind));
  const writes = { usual: write("usual"), any: write("any"), grouped: write("grouped") };
  const writeNew = (kind: Kind) => statement<EntryRow>("write_new_entry", writeEntryText(tables, kind, countedIfBegun));
  // A statement that fails would end a transaction.
  const writesNew: Readonly<Partial<Record<Kind, Statement<EntryRow>>>> =
    announcements === null ? {} : { usual: writeNew("usual"), any: writeNew("any") };
  return async (session: Session, entry: NewNotification, lockTimeoutMs: number | null): Promise<readonly CreatedItem[] | null> => {
    const {
      notification,
      recipients: [userId = ""],
    } = entry;
    const kind = kindOf(notification);
    const signal = announcements?.partsOfOne(notification.tenant, userId) ?? NO_LONE_SIGNAL;
    const values = [...fieldsOf(kind).values(notification), userId, lockTimeoutMs, ...signal];
    const row = (await rowIfNew(session, writesNew[kind], values)) ?? (await session.rows(writes[kind], values))[0];
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

type EntryRow = [seq: number, epoch: string, isSent: boolean];

/** The row of a statement for what is new; undefined if it is not, or there is no such statement. */
async function rowIfNew(session: Session, run: Statement<EntryRow> | undefined, values: readonly unknown[]): Promise<EntryRow | undefined> {
  try {
    return run === undefined ? undefined : (await session.rows(run, values))[0];
  } catch (error) {
    if (isRepeated(error)) {
      return undefined;
    }
    throw error;
  }
}

/** Which fields a statement writes: the usual notification has no others, and is not in a group. */
type Kind = "usual" | "any" | "grouped";

function kindOf(notification: Notification): Kind {
  if (isUsual(notification)) {
    return "usual";
  }
  return notification.group === null ? "any" : "grouped";
}

function fieldsOf(kind: Kind): Fields<Notification> {
  return kind === "usual" ? USUAL_FIELDS : NOTIFICATION_FIELDS;
}

/** Values: the fields, the user, the lock timeout, and the parts of the signal: {@link Announcements.partsOfOne}. */
function writeEntryText(tables: TableNames, kind: Kind, counted = countedOrBegun): string {
  const fields = fieldsOf(kind);
  const { all, parameter } = fields;
  const [tenant, id, type, createdAt] = [parameter("tenant"), parameter("id"), parameter("type"), parameter("createdAt")];
  // The usual notification has neither a category nor an end, and its item is written without the columns.
  const isAny = kind !== "usual";
  const isGrouped = kind === "grouped";
  const expiresAt = isAny ? `${parameter("expiresAt")}::timestamptz` : "";
  const more = (place: number) => `$${all.length + place}` as const;
  const [user, lockTimeout, channel, before] = [more(1), more(2), more(3), more(4)];
  const group = parameter("group");
  const ofGroup = { tenant, user, group, actor: parameter("actor") };
  return `WITH ${counted(tables, { fields, user, lockTimeout, expiresAt, ...(isGrouped ? { ofGroup } : {}) })},${isGrouped ? addToGroup(tables, ofGroup) : ""}
  written AS (
    INSERT INTO ${tables.inboxItems} (tenant, user_id, seq, notification_pk, type, created_at${isAny ? ", category, expires_at" : ""}${isGrouped ? ", group_name" : ""})
    SELECT ${tenant}, ${user}, counter.last_seq, notification.pk, ${type}, ${createdAt}::timestamptz${isAny ? `, ${parameter("category")}, ${expiresAt}` : ""}${isGrouped ? `, ${group}` : ""} FROM notification CROSS JOIN counter
  )
  SELECT last_seq, epoch, ${sendShortSignal(
    channel,
    `${before}::text || last_seq || ',"' || epoch || '","' || ${id} || '"]]'`,
  )} FROM counter`;
}

interface Counting {
  readonly fields: Fields<Notification>;
  readonly user: string;
  readonly lockTimeout: `$${number}`;
  /** Empty for the usual notification, which has no end. */
  readonly expiresAt: string;
  readonly ofGroup?: GroupParameters;
}

/** Common table expressions that write the notification, unless it is there, and then count its item in an inbox that may begin with it. */
function countedOrBegun(
  tables: TableNames,
  { fields: { names, typed, parameter }, user, lockTimeout, expiresAt, ofGroup }: Counting,
): string {
  const tenant = parameter("tenant");
  const [column, value, least] =
    expiresAt === "" ? ["", "", ""] : [", due_at", `, ${expiresAt}`, ", due_at = least(c.due_at, excluded.due_at)"];
  return `${lockGuard(lockTimeout)},
  notification AS (
    INSERT INTO ${tables.notifications} (${names}) SELECT ${typed} FROM guard
    WHERE guard.lock_timeout IS NOT NULL${ofGroup === undefined ? "" : ` AND ${isAwake(tables, ofGroup)}`}
    ON CONFLICT (tenant, id) DO NOTHING
    RETURNING pk
  ),
  counter AS (
    INSERT INTO ${tables.inboxCounters} AS c (${COUNTERS_COLUMNS}${column})
    SELECT ${tenant}, ${user}, 1, 1, 1, 0, ${NEW_EPOCH}, ${newestBroadcast(tables, tenant)}${value} FROM notification
    ON CONFLICT (tenant, user_id) DO UPDATE SET last_seq = c.last_seq + 1, total = c.total + 1, unread = c.unread + 1${least}
    RETURNING last_seq, epoch${ofGroup === undefined ? "" : ", read_rev"}
  )`;
}

/** The same for a notification that is new, in an inbox that has begun: it writes nothing otherwise, and fails if the notification is there. */
function countedIfBegun(tables: TableNames, { fields: { names, typed, parameter }, user, lockTimeout, expiresAt }: Counting): string {
  const least = expiresAt === "" ? "" : `, due_at = least(c.due_at, ${expiresAt})`;
  return `counter AS (
    UPDATE ${tables.inboxCounters} c SET last_seq = c.last_seq + 1, total = c.total + 1, unread = c.unread + 1${least}
    WHERE c.tenant = ${parameter("tenant")} AND c.user_id = ${user} AND ${limitsLockWait(lockTimeout)}
    RETURNING c.last_seq, c.epoch
  ),
  notification AS (INSERT INTO ${tables.notifications} (${names}) SELECT ${typed} FROM counter RETURNING pk)`;
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
