import { isUuid } from "@belfry/core";
import type { ClaimedRecord, RecordClaim, RecordLease } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { type Statement, statement } from "../database/statement.ts";
import type { StorageTime } from "../database/storage-time.ts";
import type { TableNames } from "../database/table-names.ts";
import { type JsonRow, milliseconds, timeOf } from "../delivery/rows.ts";
import { IDENTIFIED_EVENT_COLUMNS, type IdentifiedEventRow, joinIdentity, toIdentifiedEvent } from "./event-row.ts";
import { RECORD_COLUMNS, type RecordRow, toRecord } from "./record-row.ts";

/**
 * How many due records are looked at, whosever they are, before each tenant's are looked at by themselves. So few that
 * even without statistics PostgreSQL goes along the index, instead of sorting the whole queue.
 */
const CANDIDATES = 100;

/** Leases due records, leaving out what another claim is taking at this moment. */
export function prepareClaimRecords(tables: TableNames, time: StorageTime) {
  const withEvents = prepareWithEvents(tables);
  const { first, firstOfOthers, ofOthersByTenant } = claimStatements(tables);
  return ({ owner, at, leaseMs, limit, exceptTenants }: RecordClaim) =>
    async (session: Session) => {
      const claim = (run: Statement<JsonRow<RecordRow>>, upTo: number, ...more: readonly unknown[]) =>
        session.rows(run, [time(at), upTo, owner, leaseMs, ...more]);
      if (exceptTenants.length === 0) {
        return withEvents(session, await claim(first, limit));
      }
      const claimed = await claim(firstOfOthers, limit, exceptTenants);
      const rest = limit - claimed.length;
      // One tenant may have a million in front of everybody else's: going past them one by one would take as long.
      const others = rest > 0 ? await claim(ofOthersByTenant, rest, exceptTenants) : [];
      return withEvents(session, [...claimed, ...others]);
    };
}

/** $1 the time, $2 how many, $3 the owner, $4 the length of the lease, $5 tenants to leave out. */
function claimStatements({ processingRecords, notifications }: TableNames) {
  const isDue = `status = 'PENDING' AND due_at <= (SELECT ${timeOf("$1")})`;
  // Keys as a list, because a plan for any limit expects a tenth of the table behind it, and would read all of it to join.
  const claim = (operation: string, due: string) =>
    statement<JsonRow<RecordRow>>(
      operation,
      `WITH ${due},
      r AS (
        UPDATE ${processingRecords} t SET status = 'PROCESSING', lease_owner = $3, lease_until = ${timeOf("$1")} + $4 * interval '1 millisecond',
          attempt = t.attempt + 1, fence = t.fence + 1 WHERE t.pk = ANY (ARRAY(SELECT pk FROM due)) RETURNING t.*
      )
      SELECT to_json(x) FROM (
        SELECT ${RECORD_COLUMNS} FROM r JOIN ${notifications} n ON n.pk = r.notification_pk ORDER BY r.due_at, r.pk) x`,
    );
  // Of candidates there are more than are wanted: some may be taken by others at this moment.
  const dueCandidates = `due AS MATERIALIZED (
    SELECT t.pk FROM candidate c JOIN ${processingRecords} t ON t.pk = c.pk WHERE t.status = 'PENDING' ORDER BY c.due_at, c.pk LIMIT $2
    FOR UPDATE OF t SKIP LOCKED
  )`;
  return {
    first: claim(
      "claim_records",
      `due AS MATERIALIZED (SELECT pk FROM ${processingRecords} WHERE ${isDue} ORDER BY due_at, pk LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    ),
    firstOfOthers: claim(
      "claim_others_records",
      `candidate AS MATERIALIZED (
        SELECT pk, due_at FROM (SELECT pk, due_at, tenant FROM ${processingRecords} WHERE ${isDue} ORDER BY due_at, pk LIMIT ${CANDIDATES}) f
        WHERE tenant <> ALL ($5::text[]) ORDER BY due_at, pk LIMIT 4 * $2
      ), ${dueCandidates}`,
    ),
    // One step along the index for each tenant that has any pending.
    ofOthersByTenant: claim(
      "claim_records_by_tenant",
      `RECURSIVE tenant AS (
        SELECT min(tenant) AS name FROM ${processingRecords} WHERE status = 'PENDING'
        UNION ALL
        SELECT (SELECT min(p.tenant) FROM ${processingRecords} p WHERE p.status = 'PENDING' AND p.tenant > tenant.name) FROM tenant
        WHERE tenant.name IS NOT NULL
      ),
      candidate AS MATERIALIZED (
        SELECT d.pk, d.due_at FROM tenant CROSS JOIN LATERAL (
          SELECT pk, due_at FROM ${processingRecords} p WHERE p.tenant = tenant.name AND ${isDue} ORDER BY due_at, pk LIMIT 4 * $2) d
        WHERE tenant.name <> ALL ($5::text[]) ORDER BY d.due_at, d.pk LIMIT 4 * $2
      ), ${dueCandidates}`,
    ),
  };
}

/** Reads what one worker holds the leases of. */
export function prepareRecordsLeasedTo(tables: TableNames) {
  const withEvents = prepareWithEvents(tables);
  const find = statement<JsonRow<RecordRow>>(
    "records_leased_to",
    `SELECT to_json(x) FROM (
      SELECT ${RECORD_COLUMNS} FROM ${tables.processingRecords} r JOIN ${tables.notifications} n ON n.pk = r.notification_pk
      WHERE r.lease_owner IS NOT NULL AND r.lease_owner = $1 ORDER BY r.due_at, r.pk) x`,
  );
  return (owner: string) =>
    async (session: Session): Promise<readonly ClaimedRecord[]> =>
      withEvents(session, await session.rows(find, [owner]));
}

/** Adds to records the events that are to be processed. */
function prepareWithEvents(tables: TableNames) {
  const { notifications, events } = tables;
  const eventsOf = statement<JsonRow<IdentifiedEventRow>>(
    "claimed_events",
    `SELECT to_json(x) FROM (
      SELECT ${IDENTIFIED_EVENT_COLUMNS} FROM ${events} e JOIN ${notifications} n ON n.pk = e.notification_pk ${joinIdentity(tables)}
      WHERE e.notification_pk = ANY ($1::bigint[])) x`,
  );
  return async (session: Session, rows: readonly JsonRow<RecordRow>[]): Promise<readonly ClaimedRecord[]> => {
    if (rows.length === 0) {
      return [];
    }
    const found = await session.rows(eventsOf, [[...new Set(rows.map(([row]) => row.notification_pk))]]);
    const byPk = new Map(found.map(([row]) => [row.pk, row]));
    // What was deleted since the claim has nothing left to process.
    return rows.flatMap(([row]) => {
      const event = byPk.get(row.notification_pk);
      return event ? [{ record: toRecord(row), fence: row.fence, event: toIdentifiedEvent(event) }] : [];
    });
  };
}

/** Prolongs leases that are still held. */
export function prepareRenewRecords({ processingRecords }: TableNames, time: StorageTime) {
  const renew = statement<[id: string]>(
    "renew_records",
    `UPDATE ${processingRecords} r SET lease_until = ${timeOf("$4")} + $5 * interval '1 millisecond'
    FROM unnest($1::uuid[], $2::int[]) AS e(id, fence) WHERE r.id = e.id AND r.fence = e.fence AND r.lease_owner = $3 RETURNING r.id`,
  );
  return (owner: string, leases: readonly RecordLease[], { at, leaseMs }: { readonly at: Date; readonly leaseMs: number }) =>
    async (session: Session): Promise<readonly RecordLease[]> => {
      const named = leases.filter(({ recordId }) => isUuid(recordId));
      const values = [named.map(({ recordId }) => recordId), named.map(({ fence }) => fence), owner, time(at), leaseMs];
      const held = new Set((await session.rows(renew, values)).map(([id]) => id));
      return named.filter(({ recordId }) => held.has(recordId.toLowerCase()));
    };
}

/** Tells when the next record is due, or a lease runs out. */
export function prepareNextRecordDue({ processingRecords }: TableNames, time: StorageTime) {
  const next = statement<[dueInMs: number | null]>(
    "next_record_due",
    `SELECT greatest(0, ceil(${milliseconds("min(due)")} - ${milliseconds(timeOf("$1"))}))::bigint FROM (
      (SELECT due_at AS due FROM ${processingRecords} WHERE status = 'PENDING' ORDER BY due_at LIMIT 1)
      UNION ALL (SELECT lease_until FROM ${processingRecords} WHERE lease_owner IS NOT NULL ORDER BY lease_until LIMIT 1)) d
    HAVING min(due) IS NOT NULL`,
  );
  return (at: Date) =>
    async (session: Session): Promise<number | null> => {
      const [row] = await session.rows(next, [time(at)]);
      return row?.[0] ?? null;
    };
}
