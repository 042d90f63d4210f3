import type { StepRange, SweepStep } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";

type LookedAt = readonly [pk: number, isOld: number, isInUse: number];

/** Looks at sends of all tenants, oldest first, and removes old ones that are settled and in no inbox any more. */
export function prepareSweepSends({ prepare, prepareRows }: QueryContext) {
  const lookAt = prepareRows<{ readonly after: number; readonly before: number; readonly limit: number }, LookedAt>(sql`
    select s.notification_pk, s.created_at < ${sql.placeholder("before")},
      exists (select 1 from belfry_deliveries d where d.notification_pk = s.notification_pk and d.status in ('pending', 'waiting'))
      or exists (select 1 from belfry_inbox_items i where i.notification_pk = s.notification_pk)
      or exists (select 1 from belfry_fan_out_chunks f where f.notification_pk = s.notification_pk)
    from belfry_sends s where s.notification_pk > ${sql.placeholder("after")} order by s.notification_pk limit ${sql.placeholder("limit")}`);
  // A host's connection may not enforce foreign keys, so what hangs on the notification is deleted by name.
  const parts = [
    sql`delete from belfry_delivery_attempts where delivery_pk in (select pk from belfry_deliveries where notification_pk = ${sql.placeholder("pk")})`,
    sql`delete from belfry_deliveries where notification_pk = ${sql.placeholder("pk")}`,
    sql`delete from belfry_sends where notification_pk = ${sql.placeholder("pk")}`,
    sql`delete from belfry_notifications where pk = ${sql.placeholder("pk")}`,
  ].map((statement) => prepare<{ readonly pk: number }>(statement));
  return (before: Date, { after, limit }: StepRange): SweepStep => {
    const rows = lookAt.all({ after: Number(after ?? 0), before: before.getTime(), limit });
    const over = rows.filter(([, isOld, isInUse]) => isOld === 1 && isInUse === 0);
    for (const [pk] of over) {
      for (const part of parts) {
        part.run({ pk });
      }
    }
    const last = rows.length < limit ? undefined : rows.at(-1);
    return { removed: over.length, next: last?.[1] === 1 ? String(last[0]) : null };
  };
}
