import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/**
 * Removes those of the notifications that nothing refers to any more. A separate statement locks them first:
 * when two transactions take the last two items of a notification, the second one sees that none is left.
 */
export function prepareDropNotifications(tables: TableNames) {
  const { notifications, inboxItems, trackings, events, audiences, broadcasts, fanOuts, fanOutChunks } = tables;
  const hold = statement<[]>("hold_notifications", `SELECT FROM ${notifications} WHERE pk = ANY ($1::bigint[]) ORDER BY pk FOR UPDATE`);
  const drop = statement<[]>(
    "drop_notifications",
    `DELETE FROM ${notifications} n WHERE n.pk = ANY ($1::bigint[])
      AND NOT EXISTS (SELECT FROM ${inboxItems} i WHERE i.notification_pk = n.pk)
      AND NOT EXISTS (SELECT FROM ${trackings} t WHERE t.notification_pk = n.pk)
      AND NOT EXISTS (SELECT FROM ${events} e WHERE e.notification_pk = n.pk)
      AND NOT EXISTS (SELECT FROM ${fanOuts} f WHERE f.notification_pk = n.pk)
      AND NOT EXISTS (SELECT FROM ${audiences} a WHERE a.notification_pk = n.pk AND a.source IS NOT NULL)
      AND NOT EXISTS (SELECT FROM ${broadcasts} b WHERE b.notification_pk = n.pk)
      AND NOT EXISTS (SELECT FROM ${fanOutChunks} f WHERE f.notification_pk = n.pk)`,
  );
  return async (session: Session, pks: readonly number[]): Promise<void> => {
    if (pks.length > 0) {
      await session.rows(hold, [pks]);
      await session.rows(drop, [pks]);
    }
  };
}
