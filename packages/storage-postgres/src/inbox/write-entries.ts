import type { CreatedItem } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { lockGuard } from "./held-inbox.ts";
import { NEW_EPOCH } from "./new-epoch.ts";
import { NOTIFICATION_FIELDS } from "./notification-fields.ts";
import { writeItems } from "./write-items.ts";
import { prepareWrittenItems } from "./written-items.ts";

type WrittenRow = readonly [place: number, seq: number, epoch: string];

/** How entries are written. */
export interface WriteOptions {
  /** How long each inbox is waited for; null leaves it to the transaction. */
  readonly lockTimeoutMs: number | null;
  /** If given, nothing is written unless the transaction's setting `belfry.transaction` is this. */
  readonly mark?: string | null;
}

/**
 * Writes entries in one statement, all or none, and answers where the items of each went. An entry that was written
 * before writes nothing and answers with the items it has. No two entries are of the same notification.
 */
export function prepareWriteEntries(tables: TableNames) {
  const writtenItems = prepareWrittenItems(tables);
  const write = statement<WrittenRow>("write_entries", writeEntriesText(tables));
  const writeOne = statement<WrittenRow>("write_entry", writeEntryText(tables));
  return async (
    session: Session,
    entries: readonly NewNotification[],
    { lockTimeoutMs, mark = null }: WriteOptions,
  ): Promise<readonly (readonly CreatedItem[])[]> => {
    const single = mark === null ? singleValues(entries) : null;
    const rows =
      single === null
        ? await session.rows(write, [...entryValues(entries), ...recipientValues(entries), lockTimeoutMs, mark])
        : await session.rows(writeOne, [...single, lockTimeoutMs]);
    const byPlace = new Map(rows.map(([place, seq, epoch]) => [place, { seq, epoch }]));
    let place = 0;
    const answers = entries.map(({ recipients }) =>
      recipients.flatMap((userId): CreatedItem[] => {
        place += 1;
        const written = byPlace.get(place);
        return written === undefined ? [] : [{ userId, ...written }];
      }),
    );
    const isKnown = (index: number) => answers[index]?.length === 0 && entries[index]?.recipients.length !== 0;
    const known = entries.filter((_, index) => isKnown(index));
    if (known.length === 0) {
      return answers;
    }
    // A statement of its own: the one above cannot see what another transaction committed while it ran.
    const before = await writtenItems(session, known);
    return entries.map((entry, index) => before.get(entry) ?? answers[index] ?? []);
  };
}

/** One entry to one recipient, the usual create, without the lists: half the cost. After the fields the user and the lock timeout. */
function writeEntryText({ notifications, inboxCounters, inboxItems }: TableNames): string {
  const { count, names, parameters, parameter } = NOTIFICATION_FIELDS;
  const [tenant, type, createdAt, user] = [parameter("tenant"), parameter("type"), parameter("createdAt"), `$${count + 1}`];
  return `WITH ${lockGuard(`$${count + 2}`)},
  notification AS (
    INSERT INTO ${notifications} (${names}) SELECT ${parameters} FROM guard WHERE guard.lock_timeout IS NOT NULL
    ON CONFLICT (tenant, id) DO NOTHING
    RETURNING pk
  ),
  counter AS (
    INSERT INTO ${inboxCounters} AS c (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch)
    SELECT ${tenant}, ${user}, 1, 1, 1, 0, ${NEW_EPOCH} FROM notification
    ON CONFLICT (tenant, user_id) DO UPDATE SET last_seq = c.last_seq + 1, total = c.total + 1, unread = c.unread + 1
    RETURNING last_seq, epoch
  ),
  written AS (
    INSERT INTO ${inboxItems} (tenant, user_id, seq, notification_pk, type, created_at)
    SELECT ${tenant}, ${user}, counter.last_seq, notification.pk, ${type}, ${createdAt}::timestamptz FROM notification CROSS JOIN counter
  )
  SELECT 1::bigint, last_seq, epoch FROM counter`;
}

/** After the fields of entries the index of the entry and the user for each recipient, the lock timeout, and the mark. */
function writeEntriesText(tables: TableNames): string {
  const { count, names, lists } = NOTIFICATION_FIELDS;
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
    SELECT r.place, n.pk, n.tenant, r.user_id COLLATE "C" AS user_id, e.type, e.created_at
    FROM unnest(${entryOf}::int[], ${user}::text[]) WITH ORDINALITY AS r(entry, user_id, place)
    JOIN entry e ON e.place = r.entry
    JOIN notification n ON n.tenant = e.tenant AND n.id = e.id
  ),
  ${writeItems(tables)}
  SELECT place, seq, epoch FROM numbered`;
}

/** The values of one entry to one recipient; null for anything else. */
function singleValues(entries: readonly NewNotification[]): readonly unknown[] | null {
  const [entry] = entries;
  if (entries.length !== 1 || entry === undefined || entry.recipients.length !== 1) {
    return null;
  }
  return [...NOTIFICATION_FIELDS.values(entry.notification), entry.recipients[0]];
}

function entryValues(entries: readonly NewNotification[]): readonly unknown[] {
  return NOTIFICATION_FIELDS.listsOf(entries.map(({ notification }) => notification));
}

function recipientValues(entries: readonly NewNotification[]): readonly unknown[] {
  return [entries.flatMap(({ recipients }, index) => recipients.map(() => index + 1)), entries.flatMap(({ recipients }) => recipients)];
}
