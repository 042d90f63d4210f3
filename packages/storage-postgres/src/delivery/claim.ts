import type { ClaimedDelivery, DeliveryFairness } from "@belfry/core/storage";
import { type ClaimedContent, type ContentRow, type DeliveryRow, isOnlyDelivery, toDelivery } from "@belfry/storage-sql";
import { type LeaseTable, type MakeClaim, ofFirst } from "../database/leases.ts";
import { type JsonRow, lists, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { RECORDS } from "./rows.ts";

/** How many due deliveries a claim looks at for each that it takes: one endpoint may have many, and only a few go. */
const CANDIDATES_EACH = 10;
const MAX_CANDIDATES = 200;

/** A row of a claim. The content comes with the first row of its notification. */
type ClaimedRow = JsonRow<DeliveryRow & { readonly isOnly: boolean; readonly content: ContentRow | null }>;

/** Deliveries as tasks to be leased. */
export const DELIVERY_LEASES: LeaseTable<ClaimedRow, ClaimedDelivery, DeliveryFairness> = {
  name: "deliveries",
  table: "deliveries",
  form: "objects",
  columns: claimedColumns,
  alias: "d",
  joined: ({ notifications }) => `JOIN ${notifications} n ON n.pk = d.notification_pk`,
  queues: ["status = 'pending' AND lease_owner IS NULL", "status = 'waiting' AND due_at IS NOT NULL"],
  claim: (tables, claim) => {
    const { first, firstOfOthers, ofOthersByTenant } = claimStatements(tables, claim);
    return async (runClaim, { limit, exceptTenants, perEndpoint, channels, exceptEndpoints }) => {
      const run = (statement: typeof first, most: number, without: DeliveryFairness["exceptEndpoints"] = exceptEndpoints) => {
        const endpoints = lists(without, "channel", "recipient");
        const candidates = Math.max(most, Math.min(most * CANDIDATES_EACH, MAX_CANDIDATES));
        return runClaim(statement, most, [channels, exceptTenants, ...endpoints, candidates, perEndpoint]);
      };
      if (exceptTenants.length === 0) {
        return run(first, limit);
      }
      const claimed = await run(firstOfOthers, limit);
      const rest = limit - claimed.length;
      // One tenant may have a million deliveries before all others: passing them one by one would take long. Endpoints that
      // have some by now wait for the next claim, since each statement counts an endpoint's deliveries for itself.
      const served = claimed.map(([row]) => row);
      const others = rest > 0 ? await run(ofOthersByTenant, rest, [...exceptEndpoints, ...served]) : [];
      return [...claimed, ...others];
    };
  },
  tasks: toClaimed,
};

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

function claimedColumns(tables: TableNames): string {
  const { trackings, sends } = tables;
  const from = `${trackings} t LEFT JOIN ${sends} s ON s.notification_pk = t.notification_pk WHERE t.notification_pk = n.pk`;
  return `${RECORDS.delivery}, ${isOnlyDelivery(tables)} AS "isOnly", ${ofFirst("d", { columns: RECORDS.content, from })} AS content`;
}

function toClaimed(rows: readonly ClaimedRow[]): readonly ClaimedDelivery[] {
  const contents = new Map<number, ClaimedContent>();
  return rows.flatMap(([row]) => {
    const { notificationPk, isOnly } = row;
    const content = row.content === null ? contents.get(notificationPk) : RECORDS.toContent(row.content);
    if (content === undefined) {
      return [];
    }
    contents.set(notificationPk, content);
    return [{ ...content, delivery: toDelivery(row), isOnly }];
  });
}
