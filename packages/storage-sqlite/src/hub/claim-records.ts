import type { ClaimedRecord, RecordClaim, RecordLease } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { prepareDueRecords } from "./due-records.ts";
import { IDENTIFIED_EVENT_COLUMNS, type IdentifiedEventRow, JOIN_IDENTITY, toIdentifiedEvent } from "./event-row.ts";
import { RECORD_COLUMNS, type RecordRow, toRecord } from "./record-row.ts";

/** Leases due records; inside a transaction that the caller opened. */
export function prepareClaimRecords(context: QueryContext) {
  const { prepare } = context;
  const dueRecords = prepareDueRecords(context);
  const withEvents = prepareWithEvents(context);
  const read = prepare<{ readonly pk: number }, RecordRow>(sql`
    select ${RECORD_COLUMNS} from belfry_processing_records r cross join belfry_notifications n on n.pk = r.notification_pk
    where r.pk = (select ${sql.placeholder("pk")})`);
  const lease = prepare<{ readonly pk: number; readonly owner: string; readonly until: number }>(sql`
    update belfry_processing_records set status = 'PROCESSING', lease_owner = ${sql.placeholder("owner")}, lease_until = ${sql.placeholder("until")},
      attempt = attempt + 1, fence = fence + 1 where pk = ${sql.placeholder("pk")}`);
  return ({ owner, at, leaseMs, ...request }: RecordClaim): readonly ClaimedRecord[] => {
    const until = at.getTime() + leaseMs;
    const rows = dueRecords({ ...request, atMs: at.getTime() }).flatMap((pk) => {
      lease.run({ pk, owner, until });
      return read.all({ pk });
    });
    return withEvents(rows);
  };
}

/** Reads what one worker holds the leases of. */
export function prepareRecordsLeasedTo(context: QueryContext) {
  const withEvents = prepareWithEvents(context);
  const find = context.prepare<{ readonly owner: string }, RecordRow>(sql`
    select ${RECORD_COLUMNS} from belfry_processing_records r cross join belfry_notifications n on n.pk = r.notification_pk
    where r.lease_owner is not null and r.lease_owner = ${sql.placeholder("owner")} order by r.due_at, r.pk`);
  return (owner: string): readonly ClaimedRecord[] => withEvents(find.all({ owner }));
}

/** Adds to records the events that are to be processed. */
function prepareWithEvents({ prepare }: QueryContext) {
  const eventOf = prepare<{ readonly pk: number }, IdentifiedEventRow>(sql`
    select ${IDENTIFIED_EVENT_COLUMNS} from belfry_events e cross join belfry_notifications n on n.pk = e.notification_pk ${JOIN_IDENTITY}
    where e.notification_pk = (select ${sql.placeholder("pk")})`);
  return (rows: readonly RecordRow[]): readonly ClaimedRecord[] => {
    const events = new Map<number, IdentifiedEventRow>();
    return rows.map((row) => {
      const event = events.get(row.notification_pk) ?? eventOf.get({ pk: row.notification_pk });
      if (event === undefined) {
        throw new Error(`The processing record ${row.id} was found without its event.`);
      }
      events.set(row.notification_pk, event);
      return { record: toRecord(row), fence: row.fence, event: toIdentifiedEvent(event) };
    });
  };
}

/** Prolongs leases that are still held. */
export function prepareRenewRecords({ prepare }: QueryContext) {
  const renew = prepare<RecordLease & { readonly owner: string; readonly until: number }>(sql`
    update belfry_processing_records set lease_until = ${sql.placeholder("until")}
    where id = ${sql.placeholder("recordId")} and lease_owner = ${sql.placeholder("owner")} and fence = ${sql.placeholder("fence")}`);
  return (
    owner: string,
    leases: readonly RecordLease[],
    { at, leaseMs }: { readonly at: Date; readonly leaseMs: number },
  ): readonly RecordLease[] =>
    leases.filter(({ recordId, fence }) => renew.run({ recordId, fence, owner, until: at.getTime() + leaseMs }).changes > 0);
}

/** Tells when the next record is due, or a lease runs out. */
export function prepareNextRecordDue({ prepare }: QueryContext) {
  const next = prepare<object, { readonly due: number | null }>(sql`
    select min(due) as due from (
      select * from (select due_at as due from belfry_processing_records where status = 'PENDING' order by due_at limit 1)
      union all select * from (select lease_until from belfry_processing_records where lease_owner is not null order by lease_until limit 1))`);
  return (at: Date): number | null => {
    const due = next.get({})?.due ?? null;
    return due === null ? null : Math.max(0, due - at.getTime());
  };
}
