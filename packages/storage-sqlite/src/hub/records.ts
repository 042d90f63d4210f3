import type { SourceRecord } from "@belfry/core";
import type { ClaimedRecord, EndedRecord, Lease, LeaseRequest } from "@belfry/core/storage";
import { hubRows, type IdentifiedEventRow, type RecordRow, toIdentifiedEvent, toRecord, toSourceRecord } from "@belfry/storage-sql";
import { type DueRow, type LeaseTable, prepareDueOfOthers } from "../database/leases.ts";
import { DIALECT, TABLES } from "../database/sql.ts";
import type { QueryContext } from "../database/statement.ts";

const ROWS = hubRows(DIALECT, TABLES);
const SELECT_RECORD = `SELECT ${ROWS.record} FROM belfry_processing_records r CROSS JOIN belfry_notifications n ON n.pk = r.notification_pk`;

/** Processing records as tasks to be leased. */
export const RECORD_LEASES: LeaseTable<RecordRow, ClaimedRecord, object> = {
  table: "belfry_processing_records",
  isDue: "status = 'PENDING' AND due_at <= :at",
  queues: ["SELECT due_at AS due FROM belfry_processing_records WHERE status = 'PENDING' ORDER BY due_at LIMIT 1"],
  select: SELECT_RECORD,
  alias: "r",
  claimed: { status: "PROCESSING" },
  due: prepareDue,
  tasks: prepareWithEvents,
};

/** Finds due records, oldest first, without those of excluded tenants. */
function prepareDue(context: QueryContext) {
  const first = context.prepare<{ readonly at: Date; readonly limit: number }, DueRow>(`
    SELECT pk, tenant, due_at AS dueAt FROM belfry_processing_records WHERE status = 'PENDING' AND due_at <= :at ORDER BY due_at, pk LIMIT :limit`);
  const read = context.prepare<{ readonly pk: number }, RecordRow>(`${SELECT_RECORD} WHERE r.pk = (SELECT :pk)`);
  const ofOthers = prepareDueOfOthers<DueRow, object>(context, {
    table: "belfry_processing_records",
    isPending: "status = 'PENDING'",
    columns: "pk, tenant, due_at AS dueAt",
  });
  return ({ at, limit, exceptTenants }: LeaseRequest): readonly RecordRow[] => {
    const due = exceptTenants.length === 0 ? first.all({ at, limit }) : ofOthers({ at, exceptTenants }, limit);
    return due.flatMap(({ pk }) => read.all({ pk }));
  };
}

/** Adds to records the events to process. */
function prepareWithEvents({ prepare }: QueryContext) {
  const eventOf = prepare<{ readonly pk: number }, IdentifiedEventRow>(`
    SELECT ${ROWS.identifiedEvent} FROM belfry_events e CROSS JOIN belfry_notifications n ON n.pk = e.notification_pk ${ROWS.joinIdentity}
    WHERE e.notification_pk = (SELECT :pk)`);
  return (rows: readonly RecordRow[]): readonly ClaimedRecord[] => {
    const events = new Map<number, IdentifiedEventRow>();
    return rows.map((row) => {
      const event = events.get(row.notificationPk) ?? eventOf.get({ pk: row.notificationPk });
      if (event === undefined) {
        throw new Error(`The processing record ${row.id} was found without its event.`);
      }
      events.set(row.notificationPk, event);
      return { record: toRecord(row), fence: row.fence, event: toIdentifiedEvent(event) };
    });
  };
}

interface EndValues extends Omit<EndedRecord, "id" | "dueInMs" | "fence" | "lostAt"> {
  readonly pk: number;
  readonly dueAt: number | null;
  readonly completedAt: number | null;
}

/** Gives a leased record its new status, and removes its lease. */
function prepareEnd({ prepare }: QueryContext) {
  return prepare<EndValues>(`
    UPDATE belfry_processing_records SET status = :status, result = :result,
      error = CASE WHEN :status = 'PENDING' THEN coalesce(:error, error) ELSE :error END, input_tokens = :inputTokens,
      output_tokens = :outputTokens, due_at = :dueAt, completed_at = :completedAt, lease_owner = NULL, lease_until = NULL
    WHERE pk = :pk`);
}

/** Ends attempts whose lease is still held; inside a transaction that the caller opened. */
export function prepareEndRecords(context: QueryContext) {
  const end = prepareEnd(context);
  const read = context.prepare<{ readonly pk: number }, RecordRow>(`${SELECT_RECORD} WHERE r.pk = (SELECT :pk)`);
  const held = context.prepare<Lease & { readonly owner: string }, { readonly pk: number; readonly until: number }>(`
    SELECT pk, lease_until AS "until" FROM belfry_processing_records WHERE id = :id AND lease_owner = :owner AND fence = :fence`);
  return (owner: string, ended: readonly EndedRecord[], at: Date): readonly SourceRecord[] =>
    ended.flatMap(({ id, fence, dueInMs, lostAt, ...outcome }) => {
      const found = held.get({ id, fence, owner });
      const isRenewed = lostAt !== undefined && lostAt.getTime() !== found?.until;
      if (found === undefined || isRenewed) {
        return [];
      }
      const times =
        outcome.status === "PENDING"
          ? { dueAt: at.getTime() + (dueInMs ?? 0), completedAt: null }
          : { dueAt: null, completedAt: at.getTime() };
      end.run({ ...outcome, ...times, pk: found.pk });
      return read.all({ pk: found.pk }).map(toSourceRecord);
    });
}
