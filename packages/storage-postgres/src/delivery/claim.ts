import { isUuid } from "@belfry/core";
import type { ClaimedDelivery, ClaimRequest, Lease } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { StorageTime } from "../database/storage-time.ts";
import type { TableNames } from "../database/table-names.ts";
import {
  DELIVERY_COLUMNS,
  type DeliveryRow,
  type JsonRow,
  milliseconds,
  SEND_COLUMNS,
  type SendRow,
  timeOf,
  toDelivery,
  toDetails,
  toNotification,
} from "./rows.ts";

/** How many due deliveries are looked at for one that is taken: one endpoint's may be many, and only a few of them go. */
const CANDIDATES_EACH = 10;
const MAX_CANDIDATES = 1_000;

/** Leases due deliveries, leaving out what another claim is taking at this moment. */
export function prepareClaim(tables: TableNames, time: StorageTime) {
  const { deliveries, notifications } = tables;
  const withSends = prepareWithSends(tables);
  const claim = statement<JsonRow<DeliveryRow>>(
    "claim_deliveries",
    `WITH due AS MATERIALIZED (
      SELECT pk, due_at, channel, recipient FROM ${deliveries}
      WHERE status = 'pending' AND lease_owner IS NULL AND due_at <= ${timeOf("$1")} AND channel = ANY ($2::text[]) AND tenant <> ALL ($3::text[])
        AND (channel, recipient) NOT IN (SELECT e.channel, e.recipient FROM unnest($4::text[], $5::text[]) AS e(channel, recipient))
      ORDER BY due_at LIMIT $6 FOR UPDATE SKIP LOCKED
    ),
    ranked AS (SELECT pk, due_at, row_number() OVER (PARTITION BY channel, recipient ORDER BY due_at, pk) AS place FROM due),
    taken AS (SELECT pk FROM ranked WHERE place <= $7 ORDER BY due_at, pk LIMIT $8),
    d AS (
      UPDATE ${deliveries} t SET lease_owner = $9, lease_until = ${timeOf("$1")} + $10 * interval '1 millisecond', attempt = t.attempt + 1,
        fence = t.fence + 1 FROM taken WHERE t.pk = taken.pk RETURNING t.*
    )
    SELECT to_json(r) FROM (
      SELECT ${DELIVERY_COLUMNS} FROM d JOIN ${notifications} n ON n.pk = d.notification_pk ORDER BY d.due_at, d.pk) r`,
  );
  return (request: ClaimRequest) =>
    async (session: Session): Promise<readonly ClaimedDelivery[]> => {
      const { owner, leaseMs, limit, perEndpoint, channels, exceptTenants, exceptEndpoints } = request;
      const rows = await session.rows(claim, [
        time(request.at),
        channels,
        exceptTenants,
        exceptEndpoints.map(({ channel }) => channel),
        exceptEndpoints.map(({ recipient }) => recipient),
        Math.min(limit * CANDIDATES_EACH, MAX_CANDIDATES),
        perEndpoint,
        limit,
        owner,
        leaseMs,
      ]);
      return withSends(session, rows);
    };
}

/** Reads what one worker holds the leases of. */
export function prepareLeasedTo(tables: TableNames) {
  const withSends = prepareWithSends(tables);
  const find = statement<JsonRow<DeliveryRow>>(
    "leased_to",
    `SELECT to_json(r) FROM (
      SELECT ${DELIVERY_COLUMNS} FROM ${tables.deliveries} d JOIN ${tables.notifications} n ON n.pk = d.notification_pk
      WHERE d.lease_owner IS NOT NULL AND d.lease_owner = $1 ORDER BY d.due_at, d.pk) r`,
  );
  return (owner: string) =>
    async (session: Session): Promise<readonly ClaimedDelivery[]> =>
      withSends(session, await session.rows(find, [owner]));
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

/** Prolongs leases that are still held. */
export function prepareRenew({ deliveries }: TableNames, time: StorageTime) {
  const renew = statement<[id: string]>(
    "renew_leases",
    `UPDATE ${deliveries} d SET lease_until = ${timeOf("$4")} + $5 * interval '1 millisecond'
    FROM unnest($1::uuid[], $2::int[]) AS e(id, fence) WHERE d.id = e.id AND d.fence = e.fence AND d.lease_owner = $3 RETURNING d.id`,
  );
  return (owner: string, leases: readonly Lease[], { at, leaseMs }: { readonly at: Date; readonly leaseMs: number }) =>
    async (session: Session): Promise<readonly Lease[]> => {
      const named = leases.filter(({ deliveryId }) => isUuid(deliveryId));
      const values = [named.map(({ deliveryId }) => deliveryId), named.map(({ fence }) => fence), owner, time(at), leaseMs];
      const held = new Set((await session.rows(renew, values)).map(([id]) => id));
      return named.filter(({ deliveryId }) => held.has(deliveryId.toLowerCase()));
    };
}

/** Tells when the next delivery is due, or a lease runs out. */
export function prepareNextDue({ deliveries }: TableNames, time: StorageTime) {
  const next = statement<[dueInMs: number | null]>(
    "next_due",
    `SELECT greatest(0, ceil(${milliseconds("min(due)")} - ${milliseconds(timeOf("$1"))}))::bigint FROM (
      (SELECT due_at AS due FROM ${deliveries} WHERE status = 'pending' AND lease_owner IS NULL ORDER BY due_at LIMIT 1)
      UNION ALL (SELECT due_at FROM ${deliveries} WHERE status = 'waiting' AND due_at IS NOT NULL ORDER BY due_at LIMIT 1)
      UNION ALL (SELECT lease_until FROM ${deliveries} WHERE lease_owner IS NOT NULL ORDER BY lease_until LIMIT 1)) d HAVING min(due) IS NOT NULL`,
  );
  return (at: Date) =>
    async (session: Session): Promise<number | null> => {
      const [row] = await session.rows(next, [time(at)]);
      return row?.[0] ?? null;
    };
}
