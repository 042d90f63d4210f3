import type { InboxItem } from "@belfry/core";
import type { QueryContext } from "../database/statement.ts";
import { IS_ACTIVE_BESIDE_COUNTERS, IS_READ_BESIDE_COUNTERS, JOIN_COUNTERS } from "../inbox/conditions.ts";
import { ACTIVE_COLUMNS, type ActiveItemRow, MARKS_COLUMNS, type MarksRow, prepareReadTimes, toItem } from "../inbox/item-row.ts";

type OwnedItemRow = readonly [userId: string, ...marks: MarksRow, ...item: ActiveItemRow];

/** A notification, by its id. */
export interface NotificationName {
  readonly tenant: string;
  readonly id: string;
}

/** How many items a part of a notification's inboxes has. */
export interface ItemCounts {
  readonly total: number;
  readonly read: number;
  /** The last user that was looked at; null at the end. */
  readonly lastUser: string | null;
}

const OF_NOTIFICATION = `belfry_notifications n CROSS JOIN belfry_inbox_items i ON i.notification_pk = n.pk ${JOIN_COUNTERS}
  WHERE n.tenant = (SELECT :tenant) AND n.id = (SELECT :id)`;

/** Reads the first items of a notification, by user. */
export function prepareItemsOf(context: QueryContext) {
  const readTimes = prepareReadTimes(context);
  const list = context.prepareRows<NotificationName & { readonly limit: number }, OwnedItemRow>(`
    SELECT i.user_id, ${MARKS_COLUMNS}, ${ACTIVE_COLUMNS} FROM ${OF_NOTIFICATION} AND ${IS_ACTIVE_BESIDE_COUNTERS} ORDER BY i.user_id LIMIT :limit`);
  return (tenant: string, id: string, limit: number): readonly InboxItem[] =>
    list.all({ tenant, id, limit }).map(([userId, readUpToSeq, seenUpToSeq, seenRev, ...row]) => {
      const owner = { tenant, userId };
      return toItem(row, owner, readTimes(owner, { readUpToSeq, seenUpToSeq, seenRev }));
    });
}

/** Counts up to `limit` items of the users after `after`. */
export function prepareCountItems({ prepareRows }: QueryContext) {
  type CountRow = readonly [looked: number, total: number | null, read: number | null, lastUser: string | null];
  const count = prepareRows<NotificationName & { readonly after: string; readonly limit: number }, CountRow>(`
    SELECT count(*), sum(is_there), sum(is_there AND is_read), max(user_id) FROM (
      SELECT i.user_id, ${IS_ACTIVE_BESIDE_COUNTERS} AS is_there, ${IS_READ_BESIDE_COUNTERS} AS is_read
      FROM ${OF_NOTIFICATION} AND i.user_id > (SELECT :after) ORDER BY i.user_id LIMIT :limit)`);
  return (name: NotificationName, after: string, limit: number): ItemCounts => {
    const [looked, total, read, lastUser] = count.get({ ...name, after, limit }) ?? [0, 0, 0, null];
    return { total: total ?? 0, read: read ?? 0, lastUser: looked < limit ? null : lastUser };
  };
}
