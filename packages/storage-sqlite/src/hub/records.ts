import type { IdentifiedEvent, SourceRecord } from "@belfry/core";
import type { ClaimedRecord, DueRequest, EndedRecord, Lease } from "@belfry/core/storage";
import {
  type ClaimedRecordRow,
  hubRows,
  type IdentifiedEventRow,
  type RecordRow,
  toClaimedRecord,
  toEndedRecord,
  toIdentifiedEvent,
  toSourceRecord,
} from "@belfry/storage-sql";
import { type DueRow, NAME_COLUMNS, type NamedLeaseTable, type NamedRow, namedRows, prepareDueOfOthers } from "../database/leases.ts";
import { DIALECT, TABLES } from "../database/sql.ts";
import type { OfSet, QueryContext } from "../database/statement.ts";

const ROWS = hubRows(DIALECT, TABLES);
const JOIN_NOTIFICATION = "CROSS JOIN belfry_notifications n ON n.pk = r.notification_pk";

/** Processing records as tasks to be leased. */
export const RECORD_LEASES: NamedLeaseTable<ClaimedRecordRow, ClaimedRecord, object> = {
  table: "belfry_processing_records",
  isDue: "status = 'PENDING' AND due_at <= :at",
  queues: ["SELECT due_at AS due FROM belfry_processing_records WHERE status = 'PENDING' ORDER BY due_at LIMIT 1"],
  select: `SELECT ${ROWS.claimed} FROM belfry_processing_records r`,
  alias: "r",
  claimed: "status = 'PROCESSING',",
  due: prepareDue,
  dueNamed: prepareDueNamed,
  lease: (row) => {
    row[2] += 1;
    row[5] += 1;
  },
  tasks: prepareWithEvents,
  names: prepareNames,
};

const DUE_RECORDS = { table: "belfry_processing_records", isPending: "status = 'PENDING'" };

/** Finds the names of due records, oldest first, without those of excluded tenants. */
function prepareNames(context: QueryContext) {
  const find = prepareDueOfOthers<NamedRow, object>(context, { ...DUE_RECORDS, columns: NAME_COLUMNS });
  return ({ at, limit, exceptTenants }: DueRequest): readonly NamedRow[] => find({ at, exceptTenants }, limit);
}

/** Finds due records, oldest first, without those of excluded tenants. */
function prepareDue(context: QueryContext) {
  const first = context.prepareRows<{ readonly at: Date; readonly limit: number }, ClaimedRecordRow>(`
    SELECT ${ROWS.claimed} FROM belfry_processing_records r WHERE status = 'PENDING' AND due_at <= :at ORDER BY due_at, pk LIMIT :limit`);
  const read = context.prepareRows<{ readonly pks: readonly number[] }, ClaimedRecordRow>(`
    SELECT ${ROWS.claimed} FROM json_each(:pks) k CROSS JOIN belfry_processing_records r ON r.pk = k.value`);
  const ofOthers = prepareDueOfOthers<DueRow, object>(context, { ...DUE_RECORDS, columns: "pk, tenant, due_at AS dueAt" });
  return ({ at, limit, exceptTenants }: DueRequest): readonly ClaimedRecordRow[] =>
    exceptTenants.length === 0 ? first.all({ at, limit }) : read.all({ pks: ofOthers({ at, exceptTenants }, limit).map(({ pk }) => pk) });
}

/** Finds those of the named records that are due. */
function prepareDueNamed({ prepareRows }: QueryContext) {
  const find = prepareRows<DueRequest & { readonly named: readonly Lease[] }, ClaimedRecordRow>(`
    SELECT ${ROWS.claimed} FROM ${namedRows("belfry_processing_records", "r")} WHERE r.status = 'PENDING' AND r.due_at <= :at
      AND r.tenant NOT IN (SELECT value FROM json_each(:exceptTenants)) ORDER BY r.due_at, r.pk LIMIT :limit`);
  return (named: readonly Lease[], { at, limit, exceptTenants }: DueRequest): readonly ClaimedRecordRow[] =>
    find.all({ named, at, limit, exceptTenants });
}

/** Adds to records the events to process. */
function prepareWithEvents({ prepare }: QueryContext) {
  const eventOf = prepare<{ readonly pk: number }, IdentifiedEventRow>(`
    SELECT ${ROWS.identifiedEvent} FROM belfry_events e CROSS JOIN belfry_notifications n ON n.pk = e.notification_pk ${ROWS.joinIdentity}
    WHERE e.notification_pk = (SELECT :pk)`);
  return (rows: readonly ClaimedRecordRow[]): readonly ClaimedRecord[] => {
    const events = new Map<number, IdentifiedEvent>();
    return rows.map((row) => {
      const notificationPk = row[1];
      const known = events.get(notificationPk);
      const found = known === undefined ? eventOf.get({ pk: notificationPk }) : undefined;
      const event = known ?? (found && toIdentifiedEvent(found));
      if (event === undefined) {
        throw new Error(`The processing record ${row[3]} was found without its event.`);
      }
      events.set(notificationPk, event);
      return toClaimedRecord(row, event);
    });
  };
}

/** The values that the end of an attempt writes. */
interface RecordEnd extends Pick<EndedRecord, "id" | "fence" | "status" | "result" | "error" | "inputTokens" | "outputTokens"> {
  readonly lostUntil: number | null;
  readonly dueAt: number | null;
  readonly completedAt: number | null;
}

/** Ends attempts whose lease is still held; inside a transaction that the caller opened. It reads records again only if they did not come along. */
export function prepareEndRecords({ prepare, prepareRows }: QueryContext) {
  const end = prepareRows<Omit<RecordEnd, "id"> & OfSet & { readonly owner: string }, readonly [id: string, fence: number]>(`
    UPDATE belfry_processing_records SET status = :status, result = :result,
      error = CASE WHEN :status = 'PENDING' THEN coalesce(:error, error) ELSE :error END, input_tokens = :inputTokens,
      output_tokens = :outputTokens, due_at = :dueAt, completed_at = :completedAt, lease_owner = NULL, lease_until = NULL
    WHERE id IN (SELECT value FROM json_each(:keys)) AND lease_owner = :owner AND fence = :fence AND lease_until = coalesce(:lostUntil, lease_until)
    RETURNING id, fence`);
  const read = prepare<{ readonly id: string }, RecordRow>(
    `SELECT ${ROWS.record} FROM belfry_processing_records r ${JOIN_NOTIFICATION} WHERE r.id = (SELECT :id)`,
  );
  return (owner: string, ended: readonly EndedRecord[], at: Date): readonly SourceRecord[] => {
    // An attempt at a record may end beside a later one, whose lease is the one held.
    const byLease = new Map(ended.map((one) => [nameOf(one), one]));
    const ends = ended.map((one) => endOf(one, at));
    return end
      .runSets(ends, ({ id }) => id, { owner })
      .flatMap(([id, fence]): readonly SourceRecord[] => {
        const one = byLease.get(nameOf({ id, fence }));
        if (one?.claimed === undefined) {
          return read.all({ id }).map(toSourceRecord);
        }
        return [toEndedRecord(one.claimed, one, one.status === "PENDING" ? null : new Date(at))];
      });
  };
}

function nameOf({ id, fence }: Lease): string {
  return `${id} ${fence}`;
}

function endOf({ id, fence, status, result, error, inputTokens, outputTokens, dueInMs, lostAt }: EndedRecord, at: Date): RecordEnd {
  const isOver = status !== "PENDING";
  const times = { dueAt: isOver ? null : at.getTime() + (dueInMs ?? 0), completedAt: isOver ? at.getTime() : null };
  return { id, fence, status, result, error, inputTokens, outputTokens, lostUntil: lostAt?.getTime() ?? null, ...times };
}
