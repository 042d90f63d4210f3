import type { ClaimedDelivery, DeliveryFairness, Endpoint } from "@belfry/core/storage";
import { type ClaimedRow, claimedColumns, isOnlyDelivery, toClaimed } from "@belfry/storage-sql";
import { type Choosing, type NamedLeaseTable, namedRows } from "../database/leases.ts";
import { DIALECT } from "../database/sql.ts";
import { lists, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** How many due deliveries a claim looks at for each that it takes: one endpoint may have many, and only a few go. */
const CANDIDATES_EACH = 10;
const MAX_CANDIDATES = 200;

/** Where a row has its time. */
const DUE_AT = 14;

/** Deliveries as tasks to be leased. */
export const DELIVERY_LEASES: NamedLeaseTable<ClaimedRow, ClaimedDelivery, DeliveryFairness> = {
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
  walk: {
    dueAtOf: (row) => row[DUE_AT],
    reachOf: ({ exceptTenants, exceptEndpoints, channels }) => ({
      scope: channels.toSorted().join(" "),
      isWhole: exceptTenants.length === 0 && exceptEndpoints.length === 0,
    }),
  },
  choose: (tables, choosing) => {
    const { first, firstSince, firstOfOthers, ofOthersByTenant } = claimStatements(tables, choosing);
    return async (runClaim, { limit, exceptTenants, perEndpoint, channels, exceptEndpoints, since }) => {
      const run = (statement: typeof first, most: number, { without = exceptEndpoints, looksAt = candidatesFor(most) } = {}) => {
        const values = [channels, exceptTenants, ...lists(without, "channel", "recipient"), looksAt, perEndpoint];
        return statement === first && since !== null ? runClaim(firstSince, most, [...values, since]) : runClaim(statement, most, values);
      };
      // Usually each is another endpoint's, and there is no need to look at more than are taken.
      const claimed = exceptTenants.length === 0 ? await run(first, limit, { looksAt: limit }) : await run(firstOfOthers, limit);
      const rest = limit - claimed.length;
      const served = claimed.map((row) => ({ channel: row[5], recipient: row[6] }));
      if (rest === 0 || (exceptTenants.length === 0 && !hasFullShare(served, perEndpoint))) {
        return claimed;
      }
      // One endpoint, or one tenant, may have a million deliveries before all others: passing them one by one would take long. Endpoints
      // that have some by now wait for the next claim, since each statement counts an endpoint's deliveries for itself.
      const more = await run(exceptTenants.length === 0 ? first : ofOthersByTenant, rest, { without: [...exceptEndpoints, ...served] });
      return [...claimed, ...more];
    };
  },
  chooseNamed: (tables, choosing) => {
    const named = namedStatement(tables, choosing);
    return (run, { limit, exceptTenants, perEndpoint, channels, exceptEndpoints, named: leases }) =>
      run(named, limit, [
        ...[channels, exceptTenants, ...lists(exceptEndpoints, "channel", "recipient"), leases.length, perEndpoint],
        ...lists(leases, "id", "fence"),
      ]);
  },
  tasks: toClaimed,
  leaseOf: ({ delivery }) => delivery,
};

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
/** $3 channels, $4 tenants to leave out, $5 and $6 endpoints to leave out, $7 how many to look at, $8 how many of one endpoint. */
const VALUES = 6;
const IS_DUE = `${IS_PENDING} AND due_at <= (SELECT ${timeOf("$1")}) AND channel = ANY ($3::text[])
        AND (channel, recipient) NOT IN (SELECT e.channel, e.recipient FROM unnest($5::text[], $6::text[]) AS e(channel, recipient))`;
const DUE = `ranked AS (SELECT pk, due_at, row_number() OVER (PARTITION BY channel, recipient ORDER BY due_at, pk) AS place FROM candidate),
    due AS (SELECT pk FROM ranked WHERE place <= $8 ORDER BY due_at, pk LIMIT $2)`;

/** The candidates are locked: $9 ids and $10 fences. */
function namedStatement({ deliveries }: TableNames, choosing: Choosing<ClaimedRow>) {
  return choosing.statement(
    "claim_named_deliveries",
    `candidate AS MATERIALIZED (
      SELECT t.pk, t.due_at, t.channel, t.recipient FROM ${namedRows(deliveries, VALUES + 3)}
      WHERE ${IS_DUE} AND tenant <> ALL ($4::text[]) ORDER BY t.due_at LIMIT $7 ${choosing.locked("t")}
    ), ${DUE}`,
    VALUES + 2,
  );
}

function claimStatements({ deliveries }: TableNames, choosing: Choosing<ClaimedRow>) {
  // Takes more candidates than needed: other claims may be taking some at this moment.
  const dueCandidates = `candidate AS MATERIALIZED (
      SELECT t.pk, t.due_at, t.channel, t.recipient FROM found f JOIN ${deliveries} t ON t.pk = f.pk WHERE ${IS_PENDING}
      ORDER BY f.due_at, f.pk LIMIT $7 ${choosing.locked("t")}
    ), ${DUE}`;
  const first = (condition: string) => `candidate AS MATERIALIZED (
        SELECT pk, due_at, channel, recipient FROM ${deliveries} WHERE ${IS_DUE} AND tenant <> ALL ($4::text[])${condition}
        ORDER BY due_at LIMIT $7 ${choosing.locked()}
      ), ${DUE}`;
  return {
    first: choosing.statement("claim_deliveries", first(""), VALUES),
    firstSince: choosing.statement("claim_deliveries_since", first(" AND due_at >= $9::timestamptz"), VALUES + 1),
    firstOfOthers: choosing.statement(
      "claim_others_deliveries",
      `found AS MATERIALIZED (
        SELECT pk, due_at FROM (SELECT pk, due_at, tenant FROM ${deliveries} WHERE ${IS_DUE} ORDER BY due_at LIMIT ${MAX_CANDIDATES}) f
        WHERE tenant <> ALL ($4::text[])
      ), ${dueCandidates}`,
      VALUES,
    ),
    // One step along the index for each tenant that has any pending.
    ofOthersByTenant: choosing.statement(
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
