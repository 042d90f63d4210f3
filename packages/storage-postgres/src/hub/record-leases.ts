import type { ClaimedRecord } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { type JsonRow, timeOf } from "../database/json-rows.ts";
import type { LeaseTable, MakeClaim } from "../database/leases.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { IDENTIFIED_EVENT_COLUMNS, type IdentifiedEventRow, joinIdentity, toIdentifiedEvent } from "./event-row.ts";
import { RECORD_COLUMNS, type RecordRow, toRecord } from "./record-row.ts";

/**
 * How many due records are looked at, whosever they are, before each tenant's are looked at by themselves. So few that
 * even without statistics PostgreSQL goes along the index, instead of sorting the whole queue.
 */
const CANDIDATES = 100;

/** Processing records as tasks to be leased. */
export const RECORD_LEASES: LeaseTable<RecordRow, ClaimedRecord, object> = {
  name: "records",
  table: "processingRecords",
  columns: RECORD_COLUMNS,
  alias: "r",
  queues: ["status = 'PENDING'"],
  claimed: "status = 'PROCESSING',",
  claim: (tables, claim) => {
    const { first, firstOfOthers, ofOthersByTenant } = claimStatements(tables, claim);
    return async (runClaim, { limit, exceptTenants }) => {
      if (exceptTenants.length === 0) {
        return runClaim(first, limit, []);
      }
      const claimed = await runClaim(firstOfOthers, limit, [exceptTenants]);
      const rest = limit - claimed.length;
      // One tenant may have a million in front of everybody else's: going past them one by one would take as long.
      const others = rest > 0 ? await runClaim(ofOthersByTenant, rest, [exceptTenants]) : [];
      return [...claimed, ...others];
    };
  },
  tasks: prepareWithEvents,
};

/** $5 tenants to leave out. */
function claimStatements({ processingRecords }: TableNames, claim: MakeClaim<RecordRow>) {
  const isDue = `status = 'PENDING' AND due_at <= (SELECT ${timeOf("$1")})`;
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
