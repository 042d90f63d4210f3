import type { IdentifiedEvent, SourceRecord } from "@belfry/core";
import type { ClaimedRecord, EndedRecord, Lease, LeaseRequest } from "@belfry/core/storage";
import {
  hubRows,
  type IdentifiedEventRow,
  type RecordRow,
  toEndedRecord,
  toIdentifiedEvent,
  toRecord,
  toSourceRecord,
} from "@belfry/storage-sql";
import { type DueRow, type LeaseTable, prepareDueOfOthers } from "../database/leases.ts";
import { DIALECT, TABLES } from "../database/sql.ts";
import type { OfSet, QueryContext } from "../database/statement.ts";

const ROWS = hubRows(DIALECT, TABLES);
const JOIN_NOTIFICATION = "CROSS JOIN belfry_notifications n ON n.pk = r.notification_pk";

/** Processing records as tasks to be leased. */
export const RECORD_LEASES: LeaseTable<RecordRow, ClaimedRecord, object> = {
  table: "belfry_processing_records",
  isDue: "status = 'PENDING' AND due_at <= :at",
  queues: ["SELECT due_at AS due FROM belfry_processing_records WHERE status = 'PENDING' ORDER BY due_at LIMIT 1"],
  select: `SELECT ${ROWS.record} FROM belfry_processing_records r ${JOIN_NOTIFICATION}`,
  alias: "r",
  claimed: { status: "PROCESSING" },
  due: prepareDue,
  tasks: prepareWithEvents,
};

/** Finds due records, oldest first, without those of excluded tenants. */
function prepareDue(context: QueryContext) {
  const first = context.prepare<{ readonly at: Date; readonly limit: number }, DueRow>(`
    SELECT pk, tenant, due_at AS dueAt FROM belfry_processing_records WHERE status = 'PENDING' AND due_at <= :at ORDER BY due_at, pk LIMIT :limit`);
  const read = context.prepare<{ readonly pks: readonly number[] }, RecordRow>(`
    SELECT ${ROWS.record} FROM json_each(:pks) k CROSS JOIN belfry_processing_records r ON r.pk = k.value ${JOIN_NOTIFICATION}`);
  const ofOthers = prepareDueOfOthers<DueRow, object>(context, {
    table: "belfry_processing_records",
    isPending: "status = 'PENDING'",
    columns: "pk, tenant, due_at AS dueAt",
  });
  return ({ at, limit, exceptTenants }: LeaseRequest): readonly RecordRow[] => {
    const due = exceptTenants.length === 0 ? first.all({ at, limit }) : ofOthers({ at, exceptTenants }, limit);
    return read.all({ pks: due.map(({ pk }) => pk) });
  };
}

/** Adds to records the events to process. */
function prepareWithEvents({ prepare }: QueryContext) {
  const eventOf = prepare<{ readonly pk: number }, IdentifiedEventRow>(`
    SELECT ${ROWS.identifiedEvent} FROM belfry_events e CROSS JOIN belfry_notifications n ON n.pk = e.notification_pk ${ROWS.joinIdentity}
    WHERE e.notification_pk = (SELECT :pk)`);
  return (rows: readonly RecordRow[]): readonly ClaimedRecord[] => {
    const events = new Map<number, IdentifiedEvent>();
    return rows.map((row) => {
      const known = events.get(row.notificationPk);
      const found = known === undefined ? eventOf.get({ pk: row.notificationPk }) : undefined;
      const event = known ?? (found && toIdentifiedEvent(found));
      if (event === undefined) {
        throw new Error(`The processing record ${row.id} was found without its event.`);
      }
      events.set(row.notificationPk, event);
      return { record: toRecord(row), fence: row.fence, event };
    });
  };
}

/** A lease that is still held, as a row. */
type HeldRow = readonly [pk: number, id: string, fence: number, until: number];

/** The values that the end of an attempt writes. */
interface RecordEnd extends Pick<EndedRecord, "status" | "result" | "error" | "inputTokens" | "outputTokens"> {
  readonly pk: number;
  readonly ended: EndedRecord;
  readonly dueAt: number | null;
  readonly completedAt: number | null;
}

/** Ends attempts whose lease is still held; inside a transaction that the caller opened. It reads records again only if they did not come along. */
export function prepareEndRecords({ prepare, prepareRows }: QueryContext) {
  const held = prepareRows<{ readonly owner: string; readonly ids: readonly string[] }, HeldRow>(`
    SELECT r.pk, r.id, r.fence, r.lease_until FROM json_each(:ids) k CROSS JOIN belfry_processing_records r ON r.id = k.value
    WHERE r.lease_owner = :owner`);
  const end = prepare<RecordEnd & OfSet>(`
    UPDATE belfry_processing_records SET status = :status, result = :result,
      error = CASE WHEN :status = 'PENDING' THEN coalesce(:error, error) ELSE :error END, input_tokens = :inputTokens,
      output_tokens = :outputTokens, due_at = :dueAt, completed_at = :completedAt, lease_owner = NULL, lease_until = NULL
    WHERE pk IN (SELECT value FROM json_each(:pks))`);
  const read = prepare<{ readonly pk: number }, RecordRow>(
    `SELECT ${ROWS.record} FROM belfry_processing_records r ${JOIN_NOTIFICATION} WHERE r.pk = (SELECT :pk)`,
  );
  const answer = ({ pk, ended, completedAt }: RecordEnd): readonly SourceRecord[] =>
    ended.claimed === undefined
      ? read.all({ pk }).map(toSourceRecord)
      : [toEndedRecord(ended.claimed, ended, completedAt === null ? null : new Date(completedAt))];
  return (owner: string, ended: readonly EndedRecord[], at: Date): readonly SourceRecord[] => {
    // An attempt at a record may end beside a later one, whose lease is the one held.
    const byLease = new Map(ended.map((one) => [nameOf(one), one]));
    const ids = [...new Set(ended.map(({ id }) => id))];
    const ends = held.all({ owner, ids }).flatMap(([pk, id, fence, until]): readonly RecordEnd[] => {
      const found = byLease.get(nameOf({ id, fence }));
      const isRenewed = found?.lostAt !== undefined && found.lostAt.getTime() !== until;
      return found === undefined || isRenewed ? [] : [endOf(pk, found, at)];
    });
    end.runSets(ends, ({ pk }) => pk);
    return ends.flatMap(answer);
  };
}

function nameOf({ id, fence }: Lease): string {
  return `${id} ${fence}`;
}

function endOf(pk: number, ended: EndedRecord, at: Date): RecordEnd {
  const { status, result, error, inputTokens, outputTokens, dueInMs } = ended;
  const isOver = status !== "PENDING";
  const times = { dueAt: isOver ? null : at.getTime() + (dueInMs ?? 0), completedAt: isOver ? at.getTime() : null };
  return { pk, ended, status, result, error, inputTokens, outputTokens, ...times };
}
