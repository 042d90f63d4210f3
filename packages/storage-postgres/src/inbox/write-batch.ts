import type { CreatedItem, Notification } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import { isUsual } from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { isRepeated } from "../database/errors.ts";
import type { Fields } from "../database/fields.ts";
import { listText, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { type Announcements, NO_SIGNAL, sendSignal } from "../listen-notify/announcements.ts";
import { COUNTERS_COLUMNS, lockGuard, newEpochOf, newestBroadcast } from "./inbox-state.ts";
import { NOTIFICATION_FIELDS, USUAL_FIELDS } from "./item-row.ts";

/** The signals of more items may not fit into one payload. */
const MOST_SIGNALS = 100;

/** How entries of a batch are written. */
export type WriteEntries = (
  session: Session,
  entries: readonly NewNotification[],
  options: { readonly lockTimeoutMs: number },
) => Promise<readonly (readonly CreatedItem[])[]>;

/**
 * Writes entries outside of a transaction, all or none. It first takes for granted that all are new and of one tenant, as they
 * usually are: then the places of the items can be counted here, and the statement has half of the work. If an entry was written
 * before, nothing is written, and `writeAny` takes the batch. Its commit also sends its signals if it can.
 */
export function prepareWriteBatch(tables: TableNames, announcements: Announcements, writeAny: WriteEntries): WriteEntries {
  const write = (fields: Fields<Notification>) =>
    statement<[numbered: string | null, isSent: boolean]>("write_batch", writeBatchText(tables, fields));
  const [writeUsual, writeRare] = [write(USUAL_FIELDS), write(NOTIFICATION_FIELDS)];
  return async (session, entries, options) => {
    const [first] = entries;
    const isOfOneTenant = entries.every(({ notification }) => notification.tenant === first?.notification.tenant);
    if (entries.length < 2 || !isOfOneTenant || first === undefined) {
      return writeAny(session, entries, options);
    }
    const { ids, users, behind, counts } = placesOf(entries);
    const { tenant } = first.notification;
    const notifications = entries.map(({ notification }) => notification);
    const usual = usualListsOf(notifications);
    const [run, given] = usual === null ? [writeRare, NOTIFICATION_FIELDS.listsOf(notifications)] : [writeUsual, usual];
    try {
      const [[numbered, isSent] = [null, false]] = await session.rows(run, [
        ...given.map((values) => listText(shortened(values))),
        tenant,
        ...[ids, users, behind, [...counts.keys()], [...counts.values()]].map(listText),
        options.lockTimeoutMs,
        ...(users.length <= MOST_SIGNALS ? announcements.partsOf(tenant) : NO_SIGNAL),
      ]);
      if (isSent) {
        announcements.sent(entries);
      }
      return itemsOf(entries, numbered ?? "");
    } catch (error) {
      if (isRepeated(error)) {
        return writeAny(session, entries, options);
      }
      throw error;
    }
  };
}

/** The lists of usual notifications; null if there are others, or one lacks a value: the other statement refuses that. */
function usualListsOf(notifications: readonly Notification[]): readonly (readonly unknown[])[] | null {
  const lists = notifications.every(isUsual) ? USUAL_FIELDS.listsOf(notifications) : null;
  return lists?.some((values) => values.includes(null) || values.includes(undefined)) ? null : lists;
}

/** The items of each entry. @param numbered the number of each item of the batch and the epoch of its inbox, as JSON without brackets */
function itemsOf(entries: readonly NewNotification[], numbered: string): readonly (readonly CreatedItem[])[] {
  const all = JSON.parse(`[${numbered}]`) as readonly unknown[];
  let at = 0;
  return entries.map(({ recipients }) =>
    recipients.map((userId) => {
      at += 2;
      return { userId, seq: all[at - 2] as number, epoch: all[at - 1] as string };
    }),
  );
}

/** A list of one value if all are alike, as most fields are in a batch: the statement repeats it. */
function shortened(values: readonly unknown[]): readonly unknown[] {
  const [first] = values;
  return values.every((value) => value === first) ? [first] : values;
}

interface Places {
  /** The notification of each item. */
  readonly ids: readonly string[];
  readonly users: readonly string[];
  /** How many items of the same inbox come later in the batch. */
  readonly behind: readonly number[];
  /** How many items each inbox gets. */
  readonly counts: ReadonlyMap<string, number>;
}

function placesOf(entries: readonly NewNotification[]): Places {
  const ids: string[] = [];
  const users: string[] = [];
  for (const { notification, recipients } of entries) {
    for (const userId of recipients) {
      ids.push(notification.id);
      users.push(userId);
    }
  }
  const counts = new Map<string, number>();
  const behind: number[] = new Array(users.length);
  for (let place = users.length - 1; place >= 0; place -= 1) {
    const userId = users[place] as string;
    const later = counts.get(userId) ?? 0;
    behind[place] = later;
    counts.set(userId, later + 1);
  }
  return { ids, users, behind, counts };
}

/**
 * Values: the fields of entries, their tenant, the notification, the user and the number of later ones for each item, the user and
 * the number of items for each inbox, the lock timeout, and what {@link sendSignal} takes: the channel, and the text before the
 * signals and before each user. Counters are locked in the order of their keys, after the
 * notifications are written, as by the other statements.
 */
function writeBatchText(tables: TableNames, fields: Fields<Notification>): string {
  const { notifications, inboxCounters, inboxItems } = tables;
  const { all, names, lists } = fields;
  // The usual notification has neither a category nor an end, and its items are written without the columns.
  const isAny = fields === NOTIFICATION_FIELDS;
  const rareOf = (prefix: string) => (isAny ? `, ${prefix}category, ${prefix}expires_at` : "");
  const repeated = all.map(([key, { name }]) => {
    const list = fields.list(key);
    // Behind the end of a list there are nulls, and none of the usual lists has one: see usualListsOf.
    return isAny ? `CASE cardinality(${list}) WHEN 1 THEN (${list})[1] ELSE ${name} END` : `coalesce(${name}, (${list})[1])`;
  });
  const parameters = Array.from({ length: 10 }, (_, more) => `$${all.length + more + 1}` as const);
  const [tenant, ids, users, behind, inboxes, counts, lockTimeout, channel, before, beforeUser] = parameters;
  const ends = `SELECT r.user_id, min(n.expires_at) AS ends_at FROM unnest(${ids}::uuid[], ${users}::text[]) AS r(id, user_id)
    JOIN notification n ON n.id = r.id GROUP BY r.user_id`;
  return `WITH ${lockGuard(lockTimeout as `$${number}`)},
  notification AS (
    INSERT INTO ${notifications} (${names}) SELECT ${repeated.join(", ")} FROM guard CROSS JOIN unnest(${lists}) AS e(${names})
    WHERE guard.lock_timeout IS NOT NULL
    RETURNING pk, id, type, created_at${rareOf("")}
  ),
  counter AS (
    INSERT INTO ${inboxCounters} AS c (${COUNTERS_COLUMNS}${isAny ? ", due_at" : ""})
    SELECT ${tenant}::text, user_id, items, items, items, 0, ${newEpochOf({ user: "user_id" })}, ${newestBroadcast(tables, `${tenant}::text`)}${isAny ? ", ends_at" : ""}
    FROM unnest(${inboxes}::text[], ${counts}::int[]) AS u(user_id, items)${isAny ? ` LEFT JOIN (${ends}) ends USING (user_id)` : ""}
    WHERE (SELECT count(*) FROM notification) > 0 ORDER BY user_id COLLATE "C"
    ON CONFLICT (tenant, user_id) DO UPDATE
    SET last_seq = c.last_seq + excluded.last_seq, total = c.total + excluded.total,
      unread = c.unread + excluded.unread${isAny ? ", due_at = least(c.due_at, excluded.due_at)" : ""}
    RETURNING user_id, last_seq, epoch
  ),
  numbered AS MATERIALIZED (
    SELECT r.place, r.user_id, n.pk, n.id, n.type, n.created_at${rareOf("n.")}, c.last_seq - r.behind AS seq,
      c.last_seq - r.behind || ',"' || c.epoch || '"' AS told
    FROM unnest(${ids}::uuid[], ${users}::text[], ${behind}::int[]) WITH ORDINALITY AS r(id, user_id, behind, place)
    JOIN notification n ON n.id = r.id JOIN counter c ON c.user_id = r.user_id COLLATE "C"
  ),
  written AS (
    INSERT INTO ${inboxItems} (tenant, user_id, seq, notification_pk, type, created_at${rareOf("")})
    SELECT ${tenant}::text, user_id, seq, pk, type, created_at${rareOf("")} FROM numbered
  )
  SELECT numbered, ${sendSignal(channel as string, "payload")} FROM (
    SELECT string_agg(told, ',' ORDER BY place) AS numbered, ${before}::text || string_agg(
      ${beforeUser}::text || to_json(user_id) || ',' || told || ',"' || id || '"]', ',' ORDER BY place
    ) FILTER (WHERE ${channel}::text IS NOT NULL) || ']' AS payload FROM numbered
  ) answer`;
}
