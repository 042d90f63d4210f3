import type { SourceRecord } from "@belfry/core";
import type { EndedRecord, HubStorage } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { RECORD_COLUMNS, type RecordRow, toSourceRecord } from "./record-row.ts";

interface EndValues extends Omit<EndedRecord, "recordId" | "dueInMs" | "fence"> {
  readonly pk: number;
  readonly dueAt: number | null;
  readonly completedAt: number | null;
}

/** Gives a record that was leased the status it is to have, and takes its lease off. */
function prepareEnd({ prepare }: QueryContext) {
  return prepare<EndValues>(sql`
    update belfry_processing_records set status = ${sql.placeholder("status")}, result = ${sql.placeholder("result")},
      error = ${sql.placeholder("error")}, input_tokens = ${sql.placeholder("inputTokens")}, output_tokens = ${sql.placeholder("outputTokens")},
      due_at = ${sql.placeholder("dueAt")}, completed_at = ${sql.placeholder("completedAt")}, lease_owner = null, lease_until = null
    where pk = ${sql.placeholder("pk")}`);
}

/** Reads one record as it is. */
function prepareReadRecord({ prepare }: QueryContext) {
  const find = prepare<{ readonly pk: number }, RecordRow>(sql`
    select ${RECORD_COLUMNS} from belfry_processing_records r cross join belfry_notifications n on n.pk = r.notification_pk
    where r.pk = (select ${sql.placeholder("pk")})`);
  return (pk: number): readonly SourceRecord[] => find.all({ pk }).map(toSourceRecord);
}

/** Ends attempts whose lease is still held; inside a transaction that the caller opened. */
export function prepareEndRecords(context: QueryContext) {
  const end = prepareEnd(context);
  const read = prepareReadRecord(context);
  const held = context.prepare<Pick<EndedRecord, "recordId" | "fence"> & { readonly owner: string }, { readonly pk: number }>(sql`
    select pk from belfry_processing_records
    where id = ${sql.placeholder("recordId")} and lease_owner = ${sql.placeholder("owner")} and fence = ${sql.placeholder("fence")}`);
  return (owner: string, ended: readonly EndedRecord[], at: Date): readonly SourceRecord[] =>
    ended.flatMap(({ recordId, fence, dueInMs, ...outcome }) => {
      const found = held.get({ recordId, fence, owner });
      if (found === undefined) {
        return [];
      }
      const times =
        outcome.status === "PENDING"
          ? { dueAt: at.getTime() + (dueInMs ?? 0), completedAt: null }
          : { dueAt: null, completedAt: at.getTime() };
      end.run({ ...outcome, ...times, pk: found.pk });
      return read(found.pk);
    });
}

type TakeBack = Parameters<HubStorage["takeBackRecords"]>[0];

/** A record whose lease its holder lost. */
export interface LostLease {
  readonly pk: number;
  readonly attempt: number;
}

interface LostValues {
  readonly now: number;
  readonly furthest: number;
  readonly limit: number;
}

/** Finds leases that their holder lost. Those of the records under way are few: all of them may be looked at. */
export function prepareLostLeases({ prepare }: QueryContext) {
  const isOver = sql`(lease_until <= ${sql.placeholder("now")} or lease_until > ${sql.placeholder("furthest")})`;
  const lost = (condition: ReturnType<typeof sql>) => sql`
    select pk, attempt from belfry_processing_records where lease_owner is not null and ${condition} order by lease_until limit ${sql.placeholder("limit")}`;
  const ofAnybody = prepare<LostValues, LostLease>(lost(isOver));
  const ofOthers = prepare<LostValues & { readonly owner: string }, LostLease>(
    lost(sql`(lease_owner <> ${sql.placeholder("owner")} or ${isOver})`),
  );
  return ({ at, limit, leaseMs, notOwnedBy }: TakeBack): readonly LostLease[] => {
    const values = { now: at.getTime(), furthest: at.getTime() + leaseMs, limit };
    return notOwnedBy === undefined ? ofAnybody.all(values) : ofOthers.all({ ...values, owner: notOwnedBy });
  };
}

/** Takes records back whose lease their holder lost; inside a transaction that the caller opened. */
export function prepareTakeBackRecords(context: QueryContext) {
  const lostLeases = prepareLostLeases(context);
  const read = prepareReadRecord(context);
  const fail = context.prepare<{ readonly pk: number; readonly error: string; readonly at: number }>(sql`
    update belfry_processing_records set status = 'FAILED', error = ${sql.placeholder("error")}, completed_at = ${sql.placeholder("at")}, due_at = null,
      lease_owner = null, lease_until = null where pk = ${sql.placeholder("pk")}`);
  const again = context.prepare<{ readonly pk: number; readonly at: number }>(sql`
    update belfry_processing_records set status = 'PENDING', due_at = ${sql.placeholder("at")}, lease_owner = null, lease_until = null
    where pk = ${sql.placeholder("pk")}`);
  return (request: TakeBack): readonly SourceRecord[] => {
    const at = request.at.getTime();
    return lostLeases(request).flatMap(({ pk, attempt }) => {
      if (attempt >= request.maxAttempts) {
        fail.run({ pk, error: request.error, at });
      } else {
        again.run({ pk, at });
      }
      return read(pk);
    });
  };
}
