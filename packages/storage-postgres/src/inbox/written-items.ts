import type { CreatedItem } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

type KnownRow = readonly [entry: number, userId: string, seq: number, epoch: string];

/** Finds where the items of entries that were written before went, of those recipients that have one. */
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
    const values = [entries.map((entry) => entry.notification.tenant), entries.map((entry) => entry.notification.id)];
    const rows = await session.rows(known, values);
    const itemsOf = (entry: NewNotification, place: number) => {
      const own = rows.filter(([rowPlace]) => rowPlace === place);
      const byUser = new Map(own.map(([, userId, seq, epoch]) => [userId, { userId, seq, epoch }]));
      return entry.recipients.flatMap((userId) => byUser.get(userId) ?? []);
    };
    return new Map(entries.map((entry, index) => [entry, itemsOf(entry, index + 1)]));
  };
}
