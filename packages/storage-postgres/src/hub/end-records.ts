import { isUuid, type SourceRecord } from "@belfry/core";
import type { EndedRecord, HubStorage } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { StorageTime } from "../database/storage-time.ts";
import type { TableNames } from "../database/table-names.ts";
import { type JsonRow, timeOf } from "../delivery/rows.ts";
import { RECORD_COLUMNS, type RecordRow, toSourceRecord } from "./record-row.ts";

/** Ends attempts whose lease is still held. */
export function prepareEndRecords({ processingRecords, notifications }: TableNames, time: StorageTime) {
  const end = statement<JsonRow<RecordRow>>(
    "end_records",
    `WITH clock AS MATERIALIZED (SELECT ${timeOf("$1")} AS now),
    e AS MATERIALIZED (
      SELECT * FROM unnest($3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::float8[])
        WITH ORDINALITY AS e(id, fence, status, result, error, input_tokens, output_tokens, due_in_ms, place)
    ),
    r AS (
      UPDATE ${processingRecords} t SET status = e.status, result = e.result, error = e.error, input_tokens = e.input_tokens,
        output_tokens = e.output_tokens,
        due_at = CASE WHEN e.status = 'PENDING' THEN clock.now + coalesce(e.due_in_ms, 0) * interval '1 millisecond' END,
        completed_at = CASE WHEN e.status <> 'PENDING' THEN clock.now END, lease_owner = NULL, lease_until = NULL
      FROM e CROSS JOIN clock WHERE t.id = e.id AND t.fence = e.fence AND t.lease_owner = $2 RETURNING t.*, e.place
    )
    SELECT to_json(x) FROM (SELECT ${RECORD_COLUMNS} FROM r JOIN ${notifications} n ON n.pk = r.notification_pk ORDER BY r.place) x`,
  );
  return (owner: string, ended: readonly EndedRecord[], at: Date) => async (session: Session) => {
    const named = ended.filter(({ recordId }) => isUuid(recordId));
    const rows = await session.rows(end, [
      time(at),
      owner,
      named.map(({ recordId }) => recordId),
      named.map(({ fence }) => fence),
      named.map(({ status }) => status),
      named.map(({ result }) => result),
      named.map(({ error }) => error),
      named.map(({ inputTokens }) => inputTokens),
      named.map(({ outputTokens }) => outputTokens),
      named.map(({ dueInMs }) => dueInMs),
    ]);
    return rows.map(([row]): SourceRecord => toSourceRecord(row));
  };
}

/** Takes records back whose lease their holder lost, leaving out what another call is taking back at this moment. */
export function prepareTakeBackRecords({ processingRecords, notifications }: TableNames, time: StorageTime) {
  const take = (operation: string, others: string) =>
    statement<JsonRow<RecordRow>>(
      operation,
      `WITH clock AS MATERIALIZED (SELECT ${timeOf("$1")} AS now),
      lost AS MATERIALIZED (
        SELECT r.pk FROM ${processingRecords} r
        WHERE r.lease_owner IS NOT NULL AND (${others}r.lease_until <= (SELECT now FROM clock)
          OR r.lease_until > (SELECT now + $2 * interval '1 millisecond' FROM clock))
        ORDER BY r.lease_until LIMIT $3 FOR UPDATE SKIP LOCKED
      ),
      r AS (
        UPDATE ${processingRecords} t SET status = CASE WHEN t.attempt >= $4 THEN 'FAILED' ELSE 'PENDING' END,
          error = CASE WHEN t.attempt >= $4 THEN $5 ELSE t.error END, completed_at = CASE WHEN t.attempt >= $4 THEN clock.now END,
          due_at = CASE WHEN t.attempt >= $4 THEN NULL ELSE clock.now END, lease_owner = NULL, lease_until = NULL
        FROM clock WHERE t.pk = ANY (ARRAY(SELECT pk FROM lost)) RETURNING t.*
      )
      SELECT to_json(x) FROM (SELECT ${RECORD_COLUMNS} FROM r JOIN ${notifications} n ON n.pk = r.notification_pk ORDER BY r.pk) x`,
    );
  const ofAnybody = take("take_back_records", "");
  const ofOthers = take("take_back_others", "r.lease_owner <> $6 OR ");
  return ({ at, leaseMs, limit, maxAttempts, error, notOwnedBy }: Parameters<HubStorage["takeBackRecords"]>[0]) =>
    async (session: Session): Promise<readonly SourceRecord[]> => {
      const values = [time(at), leaseMs, limit, maxAttempts, error];
      const rows = notOwnedBy === undefined ? await session.rows(ofAnybody, values) : await session.rows(ofOthers, [...values, notOwnedBy]);
      return rows.map(([row]) => toSourceRecord(row));
    };
}
