import type { StepRange, SweepStep } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** Looks at events of all tenants, oldest first, and removes old ones with nothing left to process. */
export function prepareSweepEvents({ events, notifications, processingRecords }: TableNames) {
  // What hangs on a notification goes with it, by foreign keys.
  const sweep = statement<readonly [pk: number, isOld: boolean, removed: number]>(
    "sweep_events",
    `WITH looked_at AS MATERIALIZED (
      SELECT notification_pk AS pk, received_at < $3::timestamptz AS is_old FROM ${events}
      WHERE notification_pk > $1 ORDER BY notification_pk LIMIT $2
    ),
    removed AS (
      DELETE FROM ${notifications} n USING looked_at e WHERE n.pk = e.pk AND e.is_old AND NOT EXISTS (
        SELECT FROM ${processingRecords} r WHERE r.notification_pk = e.pk AND r.status IN ('PENDING', 'PROCESSING'))
      RETURNING 1
    )
    SELECT pk, is_old, (SELECT count(*) FROM removed) FROM looked_at ORDER BY pk`,
  );
  return (before: Date, { after, limit }: StepRange) =>
    async (session: Session): Promise<SweepStep> => {
      const rows = await session.rows(sweep, [Number(after ?? 0), limit, before.toISOString()]);
      const last = rows.length < limit ? undefined : rows.at(-1);
      return { removed: rows[0]?.[2] ?? 0, next: last?.[1] ? String(last[0]) : null };
    };
}
