import { isUuid, type SourceRecord } from "@belfry/core";
import type { EndedRecord } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { type JsonRow, timeOf } from "../database/json-rows.ts";
import { statement } from "../database/statement.ts";
import type { StorageTime } from "../database/storage-time.ts";
import type { TableNames } from "../database/table-names.ts";
import { RECORD_COLUMNS, type RecordRow, toSourceRecord } from "./record-row.ts";

/** Ends attempts whose lease is still held. */
export function prepareEndRecords({ processingRecords, notifications }: TableNames, time: StorageTime) {
  const end = statement<JsonRow<RecordRow>>(
    "end_records",
    `WITH clock AS MATERIALIZED (SELECT ${timeOf("$1")} AS now),
    e AS MATERIALIZED (
      SELECT * FROM unnest($3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::float8[], $11::timestamptz[])
        WITH ORDINALITY AS e(id, fence, status, result, error, input_tokens, output_tokens, due_in_ms, lost_at, place)
    ),
    r AS (
      UPDATE ${processingRecords} t SET status = e.status, result = e.result, error = CASE WHEN e.status = 'PENDING' THEN coalesce(e.error, t.error) ELSE e.error END, input_tokens = e.input_tokens,
        output_tokens = e.output_tokens,
        due_at = CASE WHEN e.status = 'PENDING' THEN clock.now + coalesce(e.due_in_ms, 0) * interval '1 millisecond' END,
        completed_at = CASE WHEN e.status <> 'PENDING' THEN clock.now END, lease_owner = NULL, lease_until = NULL
      FROM e CROSS JOIN clock WHERE t.id = e.id AND t.fence = e.fence AND t.lease_owner = $2
        AND (e.lost_at IS NULL OR t.lease_until = e.lost_at) RETURNING t.*, e.place
    )
    SELECT to_json(x) FROM (SELECT ${RECORD_COLUMNS} FROM r JOIN ${notifications} n ON n.pk = r.notification_pk ORDER BY r.place) x`,
  );
  return (owner: string, ended: readonly EndedRecord[], at: Date) => async (session: Session) => {
    const named = ended.filter(({ id }) => isUuid(id));
    const rows = await session.rows(end, [
      time(at),
      owner,
      named.map(({ id }) => id),
      named.map(({ fence }) => fence),
      named.map(({ status }) => status),
      named.map(({ result }) => result),
      named.map(({ error }) => error),
      named.map(({ inputTokens }) => inputTokens),
      named.map(({ outputTokens }) => outputTokens),
      named.map(({ dueInMs }) => dueInMs),
      named.map(({ lostAt }) => lostAt?.toISOString() ?? null),
    ]);
    return rows.map(([row]): SourceRecord => toSourceRecord(row));
  };
}
