import { type HubEvent, type IdentifiedEvent, isUuid, type ProcessingRecord, type SourceRecord } from "@belfry/core";
import type { ClaimedRecord, EndedRecord } from "@belfry/core/storage";
import {
  type ClaimedRecordRow,
  hubRows,
  type IdentifiedEventRow,
  type RecordRow,
  toClaimedRecord,
  toEndedRecord,
  toIdentifiedEvent,
  toRecord,
  toSourceRecord,
} from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { type Choosing, keys, type LeaseTable, type NamedLeaseTable, namedRows, ofFirst } from "../database/leases.ts";
import { DIALECT } from "../database/sql.ts";
import { type JsonRow, lists, milliseconds, type StorageTime, statement, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/**
 * How many due records of all tenants a claim looks at before it looks at each tenant's by themselves. So few that
 * even without statistics PostgreSQL reads along the index instead of sorting the whole queue.
 */
const CANDIDATES = 100;

/** A row of a claim. The event comes with the first row of its notification, as JSON. */
type ClaimedRow = readonly [...record: ClaimedRecordRow, event: IdentifiedEventRow | null];

const EVENT = 12;

/** Processing records as tasks to be leased. */
export const RECORD_LEASES: NamedLeaseTable<ClaimedRow, ClaimedRecord, object> = {
  name: "records",
  table: "processingRecords",
  columns: claimedColumns,
  alias: "r",
  queues: ["status = 'PENDING'"],
  claimed: "status = 'PROCESSING',",
  choose: chooseDue,
  names: { columns: () => "r.id, r.tenant, r.fence", choose: chooseDue },
  chooseNamed: ({ processingRecords }, choosing) => {
    // $3 tenants to leave out, $4 ids, $5 fences.
    const claim = choosing.statement(
      "claim_named_records",
      `due AS MATERIALIZED (
        SELECT t.pk FROM ${namedRows(processingRecords, 4)} WHERE ${IS_STILL_PENDING} AND ${IS_IN_TIME} AND tenant <> ALL ($3::text[])
        ORDER BY t.due_at, t.pk LIMIT $2 ${choosing.locked("t")}
      )`,
      3,
    );
    return (run, { limit, exceptTenants, named }) => run(claim, limit, [exceptTenants, ...lists(named, "id", "fence")]);
  },
  tasks: toClaimed,
};

/** Prepares the choice of due records. */
function chooseDue<Row extends readonly unknown[]>(
  tables: TableNames,
  choosing: Choosing<Row>,
): ReturnType<LeaseTable<Row, unknown, object>["choose"]> {
  const { first, firstOfOthers, ofOthersByTenant } = claimStatements(tables, choosing);
  return async (runClaim, { limit, exceptTenants }) => {
    if (exceptTenants.length === 0) {
      return runClaim(first, limit, []);
    }
    const claimed = await runClaim(firstOfOthers, limit, [exceptTenants]);
    const rest = limit - claimed.length;
    // One tenant may have a million records before all others: passing them one by one would take long.
    const others = rest > 0 ? await runClaim(ofOthersByTenant, choosing.takes ? rest : limit, [exceptTenants]) : [];
    return [...claimed, ...others];
  };
}

const IS_IN_TIME = `due_at <= (SELECT ${timeOf("$1")})`;
const IS_DUE = `status = 'PENDING' AND ${IS_IN_TIME}`;
/** That a row found by its key is pending, in words that no index goes by: the planner takes one of young tables for as short as a look-up by key. */
const IS_STILL_PENDING = "CASE t.status WHEN 'PENDING' THEN true ELSE false END";

/** $3 tenants to leave out. */
function claimStatements<Row extends readonly unknown[]>({ processingRecords }: TableNames, choosing: Choosing<Row>) {
  // Takes more candidates than needed: other claims may be taking some at this moment.
  const dueCandidates = `due AS MATERIALIZED (
    SELECT t.pk FROM ${keys("candidate")} JOIN ${processingRecords} t ON t.pk = k.pk WHERE ${IS_STILL_PENDING} ORDER BY k.due_at, k.pk LIMIT $2
    ${choosing.locked("t")}
  )`;
  return {
    first: choosing.statement(
      "claim_records",
      `due AS MATERIALIZED (SELECT pk FROM ${processingRecords} WHERE ${IS_DUE} ORDER BY due_at, pk LIMIT $2 ${choosing.locked()})`,
      0,
    ),
    firstOfOthers: choosing.statement(
      "claim_others_records",
      `candidate AS MATERIALIZED (
        SELECT pk, due_at FROM (SELECT pk, due_at, tenant FROM ${processingRecords} WHERE ${IS_DUE} ORDER BY due_at, pk LIMIT ${CANDIDATES}) f
        WHERE tenant <> ALL ($3::text[]) ORDER BY due_at, pk LIMIT 4 * $2
      ), ${dueCandidates}`,
      1,
    ),
    // One step along the index for each tenant that has any pending.
    ofOthersByTenant: choosing.statement(
      "claim_records_by_tenant",
      `RECURSIVE tenant AS (
        SELECT min(tenant) AS name FROM ${processingRecords} WHERE status = 'PENDING'
        UNION ALL
        SELECT (SELECT min(p.tenant) FROM ${processingRecords} p WHERE p.status = 'PENDING' AND p.tenant > tenant.name) FROM tenant
        WHERE tenant.name IS NOT NULL
      ),
      candidate AS MATERIALIZED (
        SELECT d.pk, d.due_at FROM tenant CROSS JOIN LATERAL (
          SELECT pk, due_at FROM ${processingRecords} p WHERE p.tenant = tenant.name AND ${IS_DUE} ORDER BY due_at, pk LIMIT 4 * $2) d
        WHERE tenant.name <> ALL ($3::text[]) ORDER BY d.due_at, d.pk LIMIT 4 * $2
      ), ${dueCandidates}`,
      1,
    ),
  };
}

function claimedColumns(tables: TableNames): string {
  const { claimed, identifiedEvent, joinIdentity } = hubRows(DIALECT, tables);
  const from = `${tables.events} e JOIN ${tables.notifications} n ON n.pk = e.notification_pk ${joinIdentity} WHERE e.notification_pk = r.notification_pk`;
  return `${claimed}, ${ofFirst("r", { columns: identifiedEvent, from })}`;
}

function toClaimed(rows: readonly ClaimedRow[]): readonly ClaimedRecord[] {
  const events = new Map<number, IdentifiedEvent>();
  return rows.flatMap((row): readonly ClaimedRecord[] => {
    const notificationPk = row[1];
    const first = row[EVENT];
    const event = first === null ? events.get(notificationPk) : toIdentifiedEvent(first);
    if (event === undefined) {
      return [];
    }
    events.set(notificationPk, event);
    return [toClaimedRecord(row as unknown as ClaimedRecordRow, event)];
  });
}

/** Ends attempts whose lease is still held. It reads records again, of which the places are in $12, only if they did not come along. */
export function prepareEndRecords(tables: TableNames, time: StorageTime) {
  const { processingRecords, notifications } = tables;
  // Names the ids twice: a plan that was made while the table was small, and is kept, would otherwise read all of it.
  const end = statement<[place: number, completedAt: number | null, record: RecordRow | null]>(
    "end_records",
    `WITH clock AS MATERIALIZED (SELECT ${timeOf("$1")} AS now),
    e AS MATERIALIZED (
      SELECT * FROM unnest($3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::float8[], $11::timestamptz[])
        WITH ORDINALITY AS e(id, fence, status, result, error, input_tokens, output_tokens, due_in_ms, lost_at, place)
    ),
    r AS (
      UPDATE ${processingRecords} t SET status = e.status, result = e.result, input_tokens = e.input_tokens, output_tokens = e.output_tokens,
        error = CASE WHEN e.status = 'PENDING' THEN coalesce(e.error, t.error) ELSE e.error END,
        due_at = CASE WHEN e.status = 'PENDING' THEN clock.now + coalesce(e.due_in_ms, 0) * interval '1 millisecond' END,
        completed_at = CASE WHEN e.status <> 'PENDING' THEN clock.now END, lease_owner = NULL, lease_until = NULL
      FROM e CROSS JOIN clock WHERE t.id = e.id AND t.id = ANY ($3::uuid[]) AND t.fence = e.fence AND t.lease_owner = $2
        AND (e.lost_at IS NULL OR t.lease_until = e.lost_at) RETURNING t.*, e.place
    )
    SELECT r.place, ${milliseconds("r.completed_at")}, CASE WHEN r.place = ANY ($12::bigint[]) THEN (
      SELECT to_json(x) FROM (SELECT ${hubRows(DIALECT, tables).record} FROM ${notifications} n WHERE n.pk = r.notification_pk) x
    ) END FROM r ORDER BY r.place`,
  );
  return (owner: string, ended: readonly EndedRecord[], at: Date) => async (session: Session) => {
    const named = ended.filter(({ id }) => isUuid(id));
    const values = lists(named, "id", "fence", "status", "result", "error", "inputTokens", "outputTokens", "dueInMs");
    const lostAt = named.map((one) => one.lostAt?.toISOString() ?? null);
    const toRead = named.flatMap(({ claimed }, index) => (claimed === undefined ? [index + 1] : []));
    const rows = await session.rows(end, [time(at), owner, ...values, lostAt, toRead]);
    return rows.flatMap(([place, completedAt, record]): readonly SourceRecord[] => {
      const one = named[place - 1];
      if (one?.claimed === undefined) {
        return record === null ? [] : [toSourceRecord(record)];
      }
      return [toEndedRecord(one.claimed, one, completedAt === null ? null : new Date(completedAt))];
    });
  };
}

/** Reads the records of each event, in the order of their creation. Unknown events have none. */
export function prepareRecordsOf(tables: TableNames) {
  const { notifications, processingRecords } = tables;
  const list = statement<JsonRow<RecordRow & { readonly place: number }>>(
    "records_of",
    `SELECT to_json(x) FROM (
      SELECT ${hubRows(DIALECT, tables).record}, k.place FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS k(tenant, id, place)
      JOIN ${notifications} n ON n.tenant = k.tenant AND n.id = k.id JOIN ${processingRecords} r ON r.notification_pk = n.pk
      ORDER BY k.place, r.pk) x`,
  );
  return async (
    session: Session,
    events: readonly Pick<HubEvent, "tenant" | "id">[],
  ): Promise<readonly (readonly ProcessingRecord[])[]> => {
    const named = events.filter(({ id }) => isUuid(id));
    const rows = await session.rows(list, lists(named, "tenant", "id"));
    const byPlace = Map.groupBy(rows, ([{ place }]) => place);
    return events.map((event) => (byPlace.get(named.indexOf(event) + 1) ?? []).map(([row]) => toRecord(row)));
  };
}
