import type { StepRange, SweepStep } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";

type LookedAt = readonly [pk: number, isOld: number, isOpen: number];

/** Looks at events of all tenants, oldest first, and removes old ones with nothing left to process. */
export function prepareSweepEvents({ prepare, prepareRows }: QueryContext) {
  const lookAt = prepareRows<{ readonly after: number; readonly before: number; readonly limit: number }, LookedAt>(sql`
    select e.notification_pk, e.received_at < ${sql.placeholder("before")}, exists (
      select 1 from belfry_processing_records r where r.notification_pk = e.notification_pk and r.status in ('PENDING', 'PROCESSING'))
    from belfry_events e where e.notification_pk > ${sql.placeholder("after")} order by e.notification_pk limit ${sql.placeholder("limit")}`);
  // A host's connection may not enforce foreign keys, so what hangs on the notification is deleted by name.
  const parts = [
    sql`delete from belfry_event_acks where notification_pk = ${sql.placeholder("pk")}`,
    sql`delete from belfry_processing_records where notification_pk = ${sql.placeholder("pk")}`,
    sql`delete from belfry_events where notification_pk = ${sql.placeholder("pk")}`,
    sql`delete from belfry_notifications where pk = ${sql.placeholder("pk")}`,
  ].map((statement) => prepare<{ readonly pk: number }>(statement));
  return (before: Date, { after, limit }: StepRange): SweepStep => {
    const rows = lookAt.all({ after: Number(after ?? 0), before: before.getTime(), limit });
    const over = rows.filter(([, isOld, isOpen]) => isOld === 1 && isOpen === 0);
    for (const [pk] of over) {
      for (const part of parts) {
        part.run({ pk });
      }
    }
    const last = rows.length < limit ? undefined : rows.at(-1);
    return { removed: over.length, next: last?.[1] === 1 ? String(last[0]) : null };
  };
}
