import type { ClaimedDelivery, DeliveryFairness } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { type JsonRow, timeOf } from "../database/json-rows.ts";
import type { LeaseTable, MakeClaim } from "../database/leases.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { DELIVERY_COLUMNS, type DeliveryRow, SEND_COLUMNS, type SendRow, toDelivery, toDetails, toNotification } from "./rows.ts";

/** How many due deliveries are looked at for one that is taken: one endpoint's may be many, and only a few of them go. */
const CANDIDATES_EACH = 10;
const MAX_CANDIDATES = 1_000;

/** Deliveries as tasks to be leased. */
export const DELIVERY_LEASES: LeaseTable<DeliveryRow, ClaimedDelivery, DeliveryFairness> = {
  name: "deliveries",
  table: "deliveries",
  columns: DELIVERY_COLUMNS,
  alias: "d",
  queues: ["status = 'pending' AND lease_owner IS NULL", "status = 'waiting' AND due_at IS NOT NULL"],
  claim: (tables, claim) => {
    const run = claimStatement(tables, claim);
    return (runClaim, { limit, exceptTenants, perEndpoint, channels, exceptEndpoints }) =>
      runClaim(run, limit, [
        channels,
        exceptTenants,
        exceptEndpoints.map(({ channel }) => channel),
        exceptEndpoints.map(({ recipient }) => recipient),
        Math.min(limit * CANDIDATES_EACH, MAX_CANDIDATES),
        perEndpoint,
      ]);
  },
  tasks: prepareWithSends,
};

/** $5 channels, $6 tenants to leave out, $7 and $8 endpoints to leave out, $9 how many to look at, $10 how many of one endpoint. */
function claimStatement({ deliveries }: TableNames, claim: MakeClaim<DeliveryRow>) {
  return claim(
    "claim_deliveries",
    `candidate AS MATERIALIZED (
      SELECT pk, due_at, channel, recipient FROM ${deliveries}
      WHERE status = 'pending' AND lease_owner IS NULL AND due_at <= ${timeOf("$1")} AND channel = ANY ($5::text[]) AND tenant <> ALL ($6::text[])
        AND (channel, recipient) NOT IN (SELECT e.channel, e.recipient FROM unnest($7::text[], $8::text[]) AS e(channel, recipient))
      ORDER BY due_at LIMIT $9 FOR UPDATE SKIP LOCKED
    ),
    ranked AS (SELECT pk, due_at, row_number() OVER (PARTITION BY channel, recipient ORDER BY due_at, pk) AS place FROM candidate),
    due AS (SELECT pk FROM ranked WHERE place <= $10 ORDER BY due_at, pk LIMIT $2)`,
  );
}

/** Adds to deliveries what is to be delivered. */
function prepareWithSends({ notifications, sends }: TableNames) {
  const sendsOf = statement<JsonRow<SendRow>>(
    "claimed_sends",
    `SELECT to_json(r) FROM (
      SELECT ${SEND_COLUMNS} FROM ${sends} s JOIN ${notifications} n ON n.pk = s.notification_pk WHERE s.notification_pk = ANY ($1::bigint[])) r`,
  );
  return async (session: Session, rows: readonly JsonRow<DeliveryRow>[]): Promise<readonly ClaimedDelivery[]> => {
    if (rows.length === 0) {
      return [];
    }
    const pks = [...new Set(rows.map(([row]) => row.notification_pk))];
    const found = await session.rows(sendsOf, [pks]);
    const byPk = new Map(found.map(([row]) => [row.pk, { notification: toNotification(row), details: toDetails(row) }]));
    // What was deleted since the claim has nothing left to deliver.
    return rows.flatMap(([row]) => {
      const send = byPk.get(row.notification_pk);
      return send ? [{ ...send, delivery: toDelivery(row) }] : [];
    });
  };
}
