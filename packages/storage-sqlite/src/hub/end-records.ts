import type { SourceRecord } from "@belfry/core";
import type { EndedRecord, Lease } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { RECORD_COLUMNS, type RecordRow, toSourceRecord } from "./record-row.ts";

interface EndValues extends Omit<EndedRecord, "id" | "dueInMs" | "fence" | "lostAt"> {
  readonly pk: number;
  readonly dueAt: number | null;
  readonly completedAt: number | null;
}

/** Gives a record that was leased the status it is to have, and takes its lease off. */
function prepareEnd({ prepare }: QueryContext) {
  return prepare<EndValues>(sql`
    update belfry_processing_records set status = ${sql.placeholder("status")}, result = ${sql.placeholder("result")},
      error = case when ${sql.placeholder("status")} = 'PENDING' then coalesce(${sql.placeholder("error")}, error) else ${sql.placeholder("error")} end, input_tokens = ${sql.placeholder("inputTokens")}, output_tokens = ${sql.placeholder("outputTokens")},
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
  const held = context.prepare<Lease & { readonly owner: string }, { readonly pk: number; readonly until: number }>(sql`
    select pk, lease_until as "until" from belfry_processing_records
    where id = ${sql.placeholder("id")} and lease_owner = ${sql.placeholder("owner")} and fence = ${sql.placeholder("fence")}`);
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
      return read(found.pk);
    });
}
