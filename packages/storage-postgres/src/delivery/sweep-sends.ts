import type { StepRange, SweepStep } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/**
 * Looks at sends of all tenants, oldest first, and removes old ones that are settled and in no inbox any more. The sends
 * are held before their deliveries are looked at, so that none that is retried at this moment goes; those that another
 * transaction holds stay.
 */
export function prepareSweepSends({ deliveries, fanOutChunks, inboxItems, notifications, sends }: TableNames) {
  const lookAt = statement<readonly [pk: number, isOld: boolean]>(
    "look_at_sends",
    `SELECT notification_pk, created_at < $3::timestamptz FROM ${sends} WHERE notification_pk > $1 ORDER BY notification_pk LIMIT $2`,
  );
  const hold = statement<readonly [pk: number]>(
    "hold_old_sends",
    `SELECT notification_pk FROM ${sends} WHERE notification_pk = ANY ($1::bigint[]) ORDER BY notification_pk FOR UPDATE SKIP LOCKED`,
  );
  // What hangs on a notification goes with it, by foreign keys.
  const remove = statement<readonly [one: number]>(
    "sweep_sends",
    `DELETE FROM ${notifications} n WHERE n.pk = ANY ($1::bigint[])
      AND NOT EXISTS (SELECT FROM ${deliveries} d WHERE d.notification_pk = n.pk AND d.status IN ('pending', 'waiting'))
      AND NOT EXISTS (SELECT FROM ${inboxItems} i WHERE i.notification_pk = n.pk)
      AND NOT EXISTS (SELECT FROM ${fanOutChunks} f WHERE f.notification_pk = n.pk)
    RETURNING 1`,
  );
  return (before: Date, { after, limit }: StepRange) =>
    async (session: Session): Promise<SweepStep> => {
      const rows = await session.rows(lookAt, [Number(after ?? 0), limit, before.toISOString()]);
      const held = await session.rows(hold, [rows.filter(([, isOld]) => isOld).map(([pk]) => pk)]);
      const removed = await session.rows(remove, [held.map(([pk]) => pk)]);
      const last = rows.length < limit ? undefined : rows.at(-1);
      return { removed: removed.length, next: last?.[1] ? String(last[0]) : null };
    };
}
