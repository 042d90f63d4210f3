import type { CreatedItem } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { isRepeated } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { lockGuard, NEW_EPOCH } from "./inbox-state.ts";
import { NOTIFICATION_FIELDS } from "./item-row.ts";

/** How entries of a batch are written. */
export type WriteEntries = (
  session: Session,
  entries: readonly NewNotification[],
  options: { readonly lockTimeoutMs: number },
) => Promise<readonly (readonly CreatedItem[])[]>;

/**
 * Writes entries outside of a transaction, all or none. It first takes for granted that all are new and of one tenant, as they
 * usually are: then the places of the items can be counted here, and the statement has half of the work. If an entry was written
 * before, nothing is written, and `writeAny` takes the batch.
 */
export function prepareWriteBatch(tables: TableNames, writeAny: WriteEntries): WriteEntries {
  const write = statement<[place: number, seq: number, epoch: string]>("write_batch", writeBatchText(tables));
  return async (session, entries, options) => {
    const [first] = entries;
    const isUsual = entries.length > 1 && entries.every(({ notification }) => notification.tenant === first?.notification.tenant);
    if (!isUsual || first === undefined) {
      return writeAny(session, entries, options);
    }
    const { ids, users, behind, counts } = placesOf(entries);
    try {
      const rows = await session.rows(write, [
        ...NOTIFICATION_FIELDS.listsOf(entries.map(({ notification }) => notification)).map(shortened),
        first.notification.tenant,
        ...[ids, users, behind, [...counts.keys()], [...counts.values()]],
        options.lockTimeoutMs,
      ]);
      const items: CreatedItem[] = [];
      for (const [place, seq, epoch] of rows) {
        items[place - 1] = { userId: users[place - 1] as string, seq, epoch };
      }
      let end = 0;
      return entries.map(({ recipients }) => {
        end += recipients.length;
        return items.slice(end - recipients.length, end);
      });
    } catch (error) {
      if (isRepeated(error)) {
        return writeAny(session, entries, options);
      }
      throw error;
    }
  };
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
 * the number of items for each inbox, and the lock timeout. Counters are locked in the order of their keys, after the
 * notifications are written, as by the other statements.
 */
function writeBatchText({ notifications, inboxCounters, inboxItems }: TableNames): string {
  const { all, names, lists } = NOTIFICATION_FIELDS;
  const repeated = all.map(([key, { name }]) => {
    const list = NOTIFICATION_FIELDS.list(key);
    return `CASE cardinality(${list}) WHEN 1 THEN (${list})[1] ELSE ${name} END`;
  });
  const [tenant, ids, users, behind, inboxes, counts, lockTimeout] = [1, 2, 3, 4, 5, 6, 7].map((more) => `$${all.length + more}` as const);
  return `WITH ${lockGuard(lockTimeout as `$${number}`)},
  notification AS (
    INSERT INTO ${notifications} (${names}) SELECT ${repeated.join(", ")} FROM guard CROSS JOIN unnest(${lists}) AS e(${names})
    WHERE guard.lock_timeout IS NOT NULL
    RETURNING pk, id, type, created_at
  ),
  counter AS (
    INSERT INTO ${inboxCounters} AS c (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch)
    SELECT ${tenant}::text, user_id, items, items, items, 0, ${NEW_EPOCH} FROM unnest(${inboxes}::text[], ${counts}::int[]) AS u(user_id, items)
    WHERE (SELECT count(*) FROM notification) > 0 ORDER BY user_id COLLATE "C"
    ON CONFLICT (tenant, user_id) DO UPDATE
    SET last_seq = c.last_seq + excluded.last_seq, total = c.total + excluded.total, unread = c.unread + excluded.unread
    RETURNING user_id, last_seq, epoch
  ),
  numbered AS MATERIALIZED (
    SELECT r.place, r.user_id, n.pk, n.type, n.created_at, c.last_seq - r.behind AS seq, c.epoch
    FROM unnest(${ids}::uuid[], ${users}::text[], ${behind}::int[]) WITH ORDINALITY AS r(id, user_id, behind, place)
    JOIN notification n ON n.id = r.id JOIN counter c ON c.user_id = r.user_id COLLATE "C"
  ),
  written AS (
    INSERT INTO ${inboxItems} (tenant, user_id, seq, notification_pk, type, created_at)
    SELECT ${tenant}::text, user_id, seq, pk, type, created_at FROM numbered
  )
  SELECT place, seq, epoch FROM numbered`;
}
