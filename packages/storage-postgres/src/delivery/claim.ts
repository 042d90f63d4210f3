import type { ClaimedDelivery, DeliveryFairness, Endpoint } from "@belfry/core/storage";
import { type ClaimedRow, claimedColumns, toClaimed } from "@belfry/storage-sql";
import type { LeaseTable, MakeClaim } from "../database/leases.ts";
import { DIALECT } from "../database/sql.ts";
import { lists, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** How many due deliveries a claim looks at for each that it takes: one endpoint may have many, and only a few go. */
const CANDIDATES_EACH = 10;
const MAX_CANDIDATES = 200;

/** Deliveries as tasks to be leased. */
export const DELIVERY_LEASES: LeaseTable<ClaimedRow, ClaimedDelivery, DeliveryFairness> = {
  name: "deliveries",
  table: "deliveries",
  columns: (tables) => {
    const { delivery, content } = claimedColumns(DIALECT, tables);
    return `${delivery}, ${content}`;
  },
  alias: "d",
  // The content comes with the first row of its notification.
  shared: ({ notifications, trackings, sends }, pk) => `LEFT JOIN ${notifications} n ON n.pk = ${pk}
    LEFT JOIN ${trackings} t ON t.notification_pk = ${pk} LEFT JOIN ${sends} s ON s.notification_pk = ${pk}`,
  queues: ["status = 'pending' AND lease_owner IS NULL", "status = 'waiting' AND due_at IS NOT NULL"],
  claim: (tables, claim) => {
    const { first, firstOfOthers, ofOthersByTenant } = claimStatements(tables, claim);
    return async (runClaim, { limit, exceptTenants, perEndpoint, channels, exceptEndpoints }) => {
      const run = (statement: typeof first, most: number, { without = exceptEndpoints, looksAt = candidatesFor(most) } = {}) =>
        runClaim(statement, most, [channels, exceptTenants, ...lists(without, "channel", "recipient"), looksAt, perEndpoint]);
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
  tasks: toClaimed,
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

/** $5 channels, $6 tenants to leave out, $7 and $8 endpoints to leave out, $9 how many to look at, $10 how many of one endpoint. */
function claimStatements({ deliveries }: TableNames, claim: MakeClaim<ClaimedRow>) {
  const isPending = "status = 'pending' AND lease_owner IS NULL";
  const isDue = `${isPending} AND due_at <= (SELECT ${timeOf("$1")}) AND channel = ANY ($5::text[])
        AND (channel, recipient) NOT IN (SELECT e.channel, e.recipient FROM unnest($7::text[], $8::text[]) AS e(channel, recipient))`;
  const due = `ranked AS (SELECT pk, due_at, row_number() OVER (PARTITION BY channel, recipient ORDER BY due_at, pk) AS place FROM candidate),
    due AS (SELECT pk FROM ranked WHERE place <= $10 ORDER BY due_at, pk LIMIT $2)`;
  // Takes more candidates than needed: other claims may be taking some at this moment.
  const dueCandidates = `candidate AS MATERIALIZED (
      SELECT t.pk, t.due_at, t.channel, t.recipient FROM found f JOIN ${deliveries} t ON t.pk = f.pk WHERE ${isPending}
      ORDER BY f.due_at, f.pk LIMIT $9 FOR UPDATE OF t SKIP LOCKED
    ), ${due}`;
  return {
    first: claim(
      "claim_deliveries",
      `candidate AS MATERIALIZED (
        SELECT pk, due_at, channel, recipient FROM ${deliveries} WHERE ${isDue} AND tenant <> ALL ($6::text[])
        ORDER BY due_at LIMIT $9 FOR UPDATE SKIP LOCKED
      ), ${due}`,
    ),
    firstOfOthers: claim(
      "claim_others_deliveries",
      `found AS MATERIALIZED (
        SELECT pk, due_at FROM (SELECT pk, due_at, tenant FROM ${deliveries} WHERE ${isDue} ORDER BY due_at LIMIT ${MAX_CANDIDATES}) f
        WHERE tenant <> ALL ($6::text[])
      ), ${dueCandidates}`,
    ),
    // One step along the index for each tenant that has any pending.
    ofOthersByTenant: claim(
      "claim_deliveries_by_tenant",
      `RECURSIVE tenant AS (
        SELECT min(tenant) AS name FROM ${deliveries} WHERE ${isPending}
        UNION ALL
        SELECT (SELECT min(p.tenant) FROM ${deliveries} p WHERE ${isPending} AND p.tenant > tenant.name) FROM tenant WHERE tenant.name IS NOT NULL
      ),
      found AS MATERIALIZED (
        SELECT d.pk, d.due_at FROM tenant CROSS JOIN LATERAL (
          SELECT pk, due_at FROM ${deliveries} p WHERE p.tenant = tenant.name AND ${isDue} ORDER BY due_at LIMIT 2 * $9) d
        WHERE tenant.name <> ALL ($6::text[]) ORDER BY d.due_at, d.pk LIMIT 2 * $9
      ), ${dueCandidates}`,
    ),
  };
}
