import type { ClaimedDelivery, DeliveryFairness, DueRequest, Endpoint } from "@belfry/core/storage";
import { type ClaimedRow, claimedColumns, isOnlyDelivery, toClaimed } from "@belfry/storage-sql";
import { type Choosing, keys, type LeaseTable, type NamedLeaseTable, namedRows } from "../database/leases.ts";
import { DIALECT } from "../database/sql.ts";
import { lists, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import type { WalkReach } from "../database/walk-start.ts";

/** How many due deliveries a claim looks at for each that it takes: one endpoint may have many, and only a few go. */
const CANDIDATES_EACH = 10;
const MAX_CANDIDATES = 200;

/** Where a row has its time. */
const DUE_AT = 14;

/** What a look reads of a delivery: its name, and what the choice goes by. */
type LookedAtRow = readonly [id: string, tenant: string, fence: number, channel: string, recipient: string, dueAt: number | null];

/** Deliveries as tasks to be leased. */
export const DELIVERY_LEASES: NamedLeaseTable<ClaimedRow, ClaimedDelivery, DeliveryFairness, LookedAtRow> = {
  name: "deliveries",
  table: "deliveries",
  columns: (tables) => {
    const { delivery, content } = claimedColumns(DIALECT, tables, isOnlyDelivery(tables));
    return `${delivery}, ${content}`;
  },
  alias: "d",
  // The content comes with the first row of its notification.
  shared: ({ notifications, trackings, sends }, pk) => `LEFT JOIN ${notifications} n ON n.pk = ${pk}
    LEFT JOIN ${trackings} t ON t.notification_pk = ${pk} LEFT JOIN ${sends} s ON s.notification_pk = ${pk}`,
  queues: ["status = 'pending' AND lease_owner IS NULL", "status = 'waiting' AND due_at IS NOT NULL"],
  walk: { dueAtOf: (row) => row[DUE_AT], reachOf },
  choose: choosing((row) => ({ channel: row[5], recipient: row[6] })),
  names: {
    columns: () => `d.id, d.tenant, d.fence, d.channel, d.recipient, ${DIALECT.milliseconds("d.due_at")}`,
    walk: { dueAtOf: (row) => row[5], reachOf },
    choose: choosing(([, , , channel, recipient]) => ({ channel, recipient })),
  },
  chooseNamed: (tables, choosingNamed) => {
    const named = namedStatement(tables, choosingNamed);
    return (run, { limit, exceptTenants, perEndpoint, channels, exceptEndpoints, named: leases }) =>
      run(named, limit, [
        ...[channels, exceptTenants, ...lists(exceptEndpoints, "channel", "recipient"), leases.length, perEndpoint],
        ...lists(leases, "id", "fence"),
      ]);
  },
  tasks: toClaimed,
};

function reachOf({ exceptTenants, exceptEndpoints, channels }: DueRequest & DeliveryFairness): WalkReach {
  return { scope: channels.toSorted().join(" "), isWhole: exceptTenants.length === 0 && exceptEndpoints.length === 0 };
}

/** Prepares the choice of due deliveries, of each endpoint at most its share. @param endpointOf the endpoint of a row that is read of one */
function choosing<Row extends readonly unknown[]>(
  endpointOf: (row: Row) => Endpoint,
): LeaseTable<Row, unknown, DeliveryFairness>["choose"] {
  return (tables, by) => {
    const { first, firstSince, firstOfOthers, ofOthersByTenant } = claimStatements(tables, by);
    return async (runClaim, { limit, exceptTenants, perEndpoint, channels, exceptEndpoints, since }) => {
      const run = (statement: typeof first, most: number, { without = exceptEndpoints, looksAt = candidatesFor(most) } = {}) => {
        const values = [channels, exceptTenants, ...lists(without, "channel", "recipient"), looksAt, perEndpoint];
        return statement === first && since !== null ? runClaim(firstSince, most, [...values, since]) : runClaim(statement, most, values);
      };
      // Usually each is another endpoint's, and there is no need to look at more than are taken.
      const claimed = exceptTenants.length === 0 ? await run(first, limit, { looksAt: limit }) : await run(firstOfOthers, limit);
      const rest = limit - claimed.length;
      const served = claimed.map(endpointOf);
      if (rest === 0 || (exceptTenants.length === 0 && !hasFullShare(served, perEndpoint))) {
        return claimed;
      }
      // One endpoint, or one tenant, may have a million deliveries before all others: passing them one by one would take long. Endpoints
      // that have some by now wait for the next claim, since each statement counts an endpoint's deliveries for itself.
      const more = await run(exceptTenants.length === 0 ? first : ofOthersByTenant, rest, { without: [...exceptEndpoints, ...served] });
      return [...claimed, ...more];
    };
  };
}

function candidatesFor(most: number): number {
  return Math.max(most, Math.min(most * CANDIDATES_EACH, MAX_CANDIDATES));
}

/** Whether an endpoint has its share, so that others may be behind more of its own. */
function hasFullShare(served: readonly Endpoint[], perEndpoint: number): boolean {
  const counts = new Map<string, number>();
  return served.some(({ channel, recipient }) => {
    const key = `${channel}\u0000${recipient}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count >= perEndpoint;
  });
}

const IS_PENDING = "status = 'pending' AND lease_owner IS NULL";
/** The same of a row that was found by its key, in words that no index goes by: the planner takes one of young tables for as short as a look-up by key. */
const IS_STILL_PENDING = "CASE t.status WHEN 'pending' THEN t.lease_owner IS NULL ELSE false END";
/** $3 channels, $4 tenants to leave out, $5 and $6 endpoints to leave out, $7 how many to look at, $8 how many of one endpoint. */
const VALUES = 6;
const IS_WANTED = `due_at <= (SELECT ${timeOf("$1")}) AND channel = ANY ($3::text[])
        AND (channel, recipient) NOT IN (SELECT e.channel, e.recipient FROM unnest($5::text[], $6::text[]) AS e(channel, recipient))`;
const IS_DUE = `${IS_PENDING} AND ${IS_WANTED}`;
const DUE = `ranked AS (SELECT pk, due_at, row_number() OVER (PARTITION BY channel, recipient ORDER BY due_at, pk) AS place FROM candidate),
    due AS (SELECT pk FROM ranked WHERE place <= $8 ORDER BY due_at, pk LIMIT $2)`;

/** The candidates are locked: $9 ids and $10 fences. */
function namedStatement({ deliveries }: TableNames, by: Choosing<ClaimedRow>) {
  return by.statement(
    "claim_named_deliveries",
    `candidate AS MATERIALIZED (
      SELECT t.pk, t.due_at, t.channel, t.recipient FROM ${namedRows(deliveries, VALUES + 3)}
      WHERE ${IS_STILL_PENDING} AND ${IS_WANTED} AND tenant <> ALL ($4::text[]) ORDER BY t.due_at LIMIT $7 ${by.locked("t")}
    ), ${DUE}`,
    VALUES + 2,
  );
}

function claimStatements<Row extends readonly unknown[]>({ deliveries }: TableNames, by: Choosing<Row>) {
  // Takes more candidates than needed: other claims may be taking some at this moment.
  const dueCandidates = `candidate AS MATERIALIZED (
      SELECT t.pk, t.due_at, t.channel, t.recipient FROM ${keys("found")} JOIN ${deliveries} t ON t.pk = k.pk WHERE ${IS_STILL_PENDING}
      ORDER BY k.due_at, k.pk LIMIT $7 ${by.locked("t")}
    ), ${DUE}`;
  const first = (condition: string) => `candidate AS MATERIALIZED (
        SELECT pk, due_at, channel, recipient FROM ${deliveries} WHERE ${IS_DUE} AND tenant <> ALL ($4::text[])${condition}
        ORDER BY due_at LIMIT $7 ${by.locked()}
      ), ${DUE}`;
  return {
    first: by.statement("claim_deliveries", first(""), VALUES),
    firstSince: by.statement("claim_deliveries_since", first(" AND due_at >= $9::timestamptz"), VALUES + 1),
    firstOfOthers: by.statement(
      "claim_others_deliveries",
      `found AS MATERIALIZED (
        SELECT pk, due_at FROM (SELECT pk, due_at, tenant FROM ${deliveries} WHERE ${IS_DUE} ORDER BY due_at LIMIT ${MAX_CANDIDATES}) f
        WHERE tenant <> ALL ($4::text[])
      ), ${dueCandidates}`,
      VALUES,
    ),
    // One step along the index for each tenant that has any pending.
    ofOthersByTenant: by.statement(
      "claim_deliveries_by_tenant",
      `RECURSIVE tenant AS (
        SELECT min(tenant) AS name FROM ${deliveries} WHERE ${IS_PENDING}
        UNION ALL
        SELECT (SELECT min(p.tenant) FROM ${deliveries} p WHERE ${IS_PENDING} AND p.tenant > tenant.name) FROM tenant WHERE tenant.name IS NOT NULL
      ),
      found AS MATERIALIZED (
        SELECT d.pk, d.due_at FROM tenant CROSS JOIN LATERAL (
          SELECT pk, due_at FROM ${deliveries} p WHERE p.tenant = tenant.name AND ${IS_DUE} ORDER BY due_at LIMIT 2 * $7) d
        WHERE tenant.name <> ALL ($4::text[]) ORDER BY d.due_at, d.pk LIMIT 2 * $7
      ), ${dueCandidates}`,
      VALUES,
    ),
  };
}
