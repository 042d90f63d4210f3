import type { CreatedItem, Notification, Owner } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import { isGrouped } from "@belfry/storage-sql";
import type { Connection, Session } from "../database/connection.ts";
import { isAsleep } from "../database/errors.ts";
import { lists, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import type { Announcements } from "../listen-notify/announcements.ts";
import { prepareBusyInboxes, writeFree, writeWaiting } from "./busy-rows.ts";
import { COUNTERS_COLUMNS, lockGuard, newEpochOf, newestBroadcast } from "./inbox-state.ts";
import { NOTIFICATION_FIELDS } from "./item-row.ts";
import { prepareSettleEntries } from "./settle-created.ts";
import { openAudienceOf, prepareWriteAudience, prepareWriteOpen } from "./write-audience.ts";
import { prepareWriteBatch, type WriteEntries } from "./write-batch.ts";
import { prepareWriteLone } from "./write-lone.ts";

type Answer = readonly CreatedItem[] | null;

/** How entries of a batch are written, on a connection without a transaction. */
type WriteBatch = (connection: Connection, ...more: Rest<Parameters<WriteEntries>>) => ReturnType<WriteEntries>;
type Rest<List extends readonly unknown[]> = List extends readonly [unknown, ...infer More] ? More : never;

/** Writes entries, all or none. Others may hold their inboxes. */
export function prepareCreateMany(tables: TableNames, announcements: Announcements) {
  const writeEntries = prepareWriteGrouped(tables, {
    write: prepareWriteBatch(tables, announcements, prepareWriteEntries(tables, announcements)),
    writeLone: prepareWriteLone(tables, announcements),
  });
  const busyInboxes = prepareBusyInboxes(tables);
  const waiting = (session: Connection, distinct: readonly NewNotification[]): Promise<readonly Answer[]> => {
    const inboxes = inboxesOf(distinct);
    return writeWaiting({
      // Several would hold their notifications while they wait, and a lone create of one of these waits for it with the inbox in hand.
      isAlone: inboxes.length === 1 && distinct.length === 1,
      write: (lockTimeoutMs) => writeEntries(session, distinct, { lockTimeoutMs }),
      waitForFirst: () => busyInboxes.waitForFirst(session, inboxes),
    });
  };
  const free = (session: Connection, distinct: readonly NewNotification[]) =>
    writeFree<NewNotification, Answer>(distinct, {
      write: (some, lockTimeoutMs) => writeEntries(session, some, { lockTimeoutMs }),
      freeOf: async (some) => entriesOutside(some, await busyInboxes.find(session, inboxesOf(some))),
    });
  return (entries: readonly NewNotification[], { skipBusy = false }: { readonly skipBusy?: boolean } = {}) =>
    async (session: Connection): Promise<readonly Answer[]> => {
      if (entries.length === 0) {
        return [];
      }
      const distinct = distinctEntries(entries);
      const answers = await (skipBusy ? free : waiting)(session, distinct);
      if (distinct.length === entries.length) {
        return answers;
      }
      const byKey = new Map(distinct.map((entry, index) => [entryKey(entry), answers[index] ?? null]));
      return entries.map((entry) => byKey.get(entryKey(entry)) ?? null);
    };
}

interface WriteOthers {
  readonly write: WriteEntries;
  readonly writeLone: ReturnType<typeof prepareWriteLone>;
}

/**
 * Writes entries that change more than themselves in several statements: in a transaction. All others are left to `write`. A lone one
 * that joins a group takes a single statement, unless the group has snoozed items to wake. So does a lone one whose users are still to be found.
 */
function prepareWriteGrouped(tables: TableNames, { write, writeLone }: WriteOthers): WriteBatch {
  const writeGrouped = prepareWriteEntries(tables);
  const writeOpen = prepareWriteOpen(tables);
  return async (connection, entries, options) => {
    if (entries.every(({ notification, audience }) => !isGrouped(notification) && audience === undefined)) {
      return write(connection, entries, options);
    }
    const [first] = entries;
    const open = openAudienceOf(entries);
    if (first !== undefined && open !== undefined && (await writeOpen(connection, first.notification, open))) {
      return [[]];
    }
    const joined =
      first !== undefined && joinsGroup(entries) ? await joinGroup(() => writeLone(connection, first, options.lockTimeoutMs)) : null;
    return joined === null ? connection.transaction((session) => writeGrouped(session, entries, options)) : [joined];
  };
}

/** Whether there is one new item, which joins a group, and changes nothing else. */
function joinsGroup([first, ...others]: readonly NewNotification[]): boolean {
  return others.length === 0 && first?.recipients.length === 1 && first.audience === undefined && first.notification.replaceKey === null;
}

/** Null if the notification was written before, or the group has no active items any more. */
async function joinGroup(write: () => Promise<Answer>): Promise<Answer> {
  try {
    return await write();
  } catch (error) {
    if (isAsleep(error)) {
      return null;
    }
    throw error;
  }
}

/** The first entry of each notification: a repeated one is written once. */
function distinctEntries(entries: readonly NewNotification[]): readonly NewNotification[] {
  // Usually each has an id that no other one has, whatever its tenant.
  if (entries.length === 1 || new Set(entries.map(({ notification }) => notification.id)).size === entries.length) {
    return entries;
  }
  return [...Map.groupBy(entries, entryKey).values()].flatMap(([first]) => first ?? []);
}

/** Names the notification of an entry. A NUL cannot be part of either text. */
function entryKey({ notification }: NewNotification): string {
  return `${notification.tenant}\u0000${notification.id}`;
}

/** The inboxes of all recipients, each once. */
function inboxesOf(entries: readonly NewNotification[]): readonly Owner[] {
  const inboxes = entries.flatMap(({ notification: { tenant }, recipients }) => recipients.map((userId) => ({ tenant, userId })));
  return [...new Map(inboxes.map((inbox) => [inboxKey(inbox), inbox])).values()];
}

/** The entries with no recipient among `inboxes`. */
function entriesOutside(entries: readonly NewNotification[], inboxes: readonly Owner[]): readonly NewNotification[] {
  const keys = new Set(inboxes.map(inboxKey));
  return entries.filter((entry) => !inboxesOf([entry]).some((inbox) => keys.has(inboxKey(inbox))));
}

function inboxKey({ tenant, userId }: Owner): string {
  return `${tenant}\u0000${userId}`;
}

type WrittenRow = readonly [place: number, seq: number, epoch: string];

/** How entries are written. */
export interface WriteOptions {
  /** How long to wait for each inbox; null leaves it to the transaction. */
  readonly lockTimeoutMs: number | null;
  /** If given, it writes only if the transaction's setting `belfry.transaction` equals this. */
  readonly mark?: string | null;
}

/**
 * Writes entries in one statement, all or none, and answers where the items of each went. An entry that was written
 * before writes nothing and answers with the items it has. No two entries are of the same notification. Entries that change more than
 * themselves need more statements, and a transaction.
 */
export function prepareWriteEntries(tables: TableNames, announcements: Announcements | null = null) {
  const writtenItems = prepareWrittenItems(tables);
  const write = statement<WrittenRow>("write_entries", writeEntriesText(tables));
  const writeLone = prepareWriteLone(tables, announcements);
  const settle = prepareSettleEntries(tables);
  const writeAudience = prepareWriteAudience(tables);
  return async (
    session: Session,
    entries: readonly NewNotification[],
    { lockTimeoutMs, mark = null }: WriteOptions,
  ): Promise<readonly (readonly CreatedItem[])[]> => {
    const [first] = entries;
    const isSettled = entries.some(({ notification }) => isGrouped(notification));
    if (
      first !== undefined &&
      mark === null &&
      entries.length === 1 &&
      first.recipients.length === 1 &&
      !isSettled &&
      first.audience === undefined
    ) {
      return [(await writeLone(session, first, lockTimeoutMs)) ?? (await writtenItems(session, [first])).get(first) ?? []];
    }
    const recipients = entries.flatMap((entry, index) => entry.recipients.map((userId) => ({ entry: index + 1, userId })));
    const rows = await session.rows(write, [
      ...NOTIFICATION_FIELDS.listsOf(entries.map(({ notification }) => notification)),
      ...lists(recipients, "entry", "userId"),
      lockTimeoutMs,
      mark,
    ]);
    for (const entry of entries) {
      if (entry.audience !== undefined) {
        await writeAudience(session, entry.notification, entry.audience);
      }
    }
    const byPlace = new Map(rows.map(([place, seq, epoch]) => [place, { seq, epoch }]));
    let place = 0;
    const written = entries.map(({ recipients }) =>
      recipients.flatMap((userId): CreatedItem[] => {
        place += 1;
        const numbered = byPlace.get(place);
        return numbered === undefined ? [] : [{ userId, ...numbered }];
      }),
    );
    const answers = isSettled ? await settle(session, entries, written) : written;
    const isKnown = (index: number) => answers[index]?.length === 0 && entries[index]?.recipients.length !== 0;
    const known = entries.filter((_, index) => isKnown(index));
    if (known.length === 0) {
      return answers;
    }
    // A separate statement: the one above cannot see what another transaction committed while it ran.
    const before = await writtenItems(session, known);
    return entries.map((entry, index) => before.get(entry) ?? answers[index] ?? []);
  };
}

/** Values: the fields of entries, the entry's index and the user for each recipient, the lock timeout, and the mark. */
function writeEntriesText(tables: TableNames): string {
  const { all, names, lists } = NOTIFICATION_FIELDS;
  const count = all.length;
  const [entryOf, user, mark] = [`$${count + 1}`, `$${count + 2}`, `$${count + 4}`];
  return `WITH ${lockGuard(`$${count + 3}`)},
  entry AS MATERIALIZED (
    SELECT e.* FROM guard CROSS JOIN unnest(${lists}) WITH ORDINALITY AS e(${names}, place)
    WHERE guard.lock_timeout IS NOT NULL AND (${mark}::text IS NULL OR ${mark} = current_setting('belfry.transaction', true))
  ),
  notification AS (
    INSERT INTO ${tables.notifications} (${names}) SELECT ${names} FROM entry ORDER BY tenant, id
    ON CONFLICT (tenant, id) DO NOTHING
    RETURNING pk, tenant, id
  ),
  target AS MATERIALIZED (
    SELECT r.place, n.pk, n.tenant, r.user_id COLLATE "C" AS user_id, e.type, e.created_at, e.category, e.group_name, e.replace_key, e.expires_at
    FROM unnest(${entryOf}::int[], ${user}::text[]) WITH ORDINALITY AS r(entry, user_id, place)
    JOIN entry e ON e.place = r.entry
    JOIN notification n ON n.tenant = e.tenant AND n.id = e.id
  ),
  ${writeItems(tables)}
  SELECT place, seq, epoch FROM numbered`;
}

/**
 * Common table expressions that write an inbox item for each row of one called `target` with (place, pk, tenant, user_id,
 * type, created_at, category, group_name, replace_key, expires_at), up to one called `numbered` with the same rows and their `seq` and `epoch`. Numbers of one inbox
 * follow `place`. Counters are locked in the order of their keys, so that two batches never wait for each other.
 *
 * Each target has its counter and each counter a target, but a full join is never made by a nested loop. A plan for any values expects
 * a row or ten of a list, and would compare each of 10,000 targets with each of 10,000 counters.
 */
export function writeItems(tables: TableNames): string {
  const { inboxCounters, inboxItems } = tables;
  return `counter AS (
    INSERT INTO ${inboxCounters} AS c (${COUNTERS_COLUMNS}, due_at)
    SELECT tenant, user_id, count(*), count(*), count(*), 0, ${newEpochOf({ tenant: "tenant", user: "user_id" })}, ${newestBroadcast(tables, "target.tenant")}, min(expires_at) FROM target
    GROUP BY tenant, user_id ORDER BY tenant, user_id
    ON CONFLICT (tenant, user_id) DO UPDATE
    SET last_seq = c.last_seq + excluded.last_seq, total = c.total + excluded.total, unread = c.unread + excluded.unread,
      due_at = least(c.due_at, excluded.due_at)
    RETURNING tenant, user_id, last_seq, epoch
  ),
  numbered AS MATERIALIZED (
    SELECT t.*, c.last_seq + 1 - row_number() OVER (PARTITION BY t.tenant, t.user_id ORDER BY t.place DESC) AS seq, c.epoch
    FROM target t FULL JOIN counter c ON c.tenant = t.tenant AND c.user_id = t.user_id
  ),
  written AS (
    INSERT INTO ${inboxItems} (tenant, user_id, seq, notification_pk, type, created_at, category, group_name, replace_key, expires_at)
    SELECT tenant, user_id, seq, pk, type, created_at, category, group_name, replace_key, expires_at FROM numbered ORDER BY tenant, user_id, seq
  )`;
}

type KnownRow = readonly [entry: number, userId: string, seq: number, epoch: string];

/** Finds the items of entries that were written before, for the recipients that have one. */
export function prepareWrittenItems({ notifications, inboxItems, inboxCounters }: TableNames) {
  const known = statement<KnownRow>(
    "written_items",
    `SELECT e.place, i.user_id, i.seq, c.epoch
    FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS e(tenant, id, place)
    CROSS JOIN LATERAL (SELECT pk FROM ${notifications} WHERE tenant = e.tenant AND id = e.id OFFSET 0) n
    CROSS JOIN LATERAL (SELECT user_id, seq FROM ${inboxItems} WHERE notification_pk = n.pk OFFSET 0) i
    CROSS JOIN LATERAL (SELECT epoch FROM ${inboxCounters} WHERE tenant = e.tenant AND user_id = i.user_id OFFSET 0) c`,
  );
  return async (session: Session, entries: readonly NewNotification[]): Promise<Map<NewNotification, readonly CreatedItem[]>> => {
    const named = entries.map(({ notification }) => notification);
    const rows = await session.rows(known, lists(named, "tenant", "id"));
    const itemsOf = (entry: NewNotification, place: number) => {
      const own = rows.filter(([rowPlace]) => rowPlace === place);
      const byUser = new Map(own.map(([, userId, seq, epoch]) => [userId, { userId, seq, epoch }]));
      return entry.recipients.flatMap((userId) => byUser.get(userId) ?? []);
    };
    return new Map(entries.map((entry, index) => [entry, itemsOf(entry, index + 1)]));
  };
}

/** Looks whether a notification is there. */
export function prepareHasNotification({ notifications }: TableNames) {
  const find = statement<[number]>("has_notification", `SELECT 1 FROM ${notifications} WHERE tenant = $1 AND id = $2`);
  return async (session: Session, { tenant, id }: Pick<Notification, "tenant" | "id">): Promise<boolean> =>
    (await session.rows(find, [tenant, id])).length > 0;
}
