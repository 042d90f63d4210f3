import type { ClaimedDelivery, ClaimRequest, Lease } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { DELIVERY_COLUMNS, type DeliveryRow, toDelivery } from "./delivery-row.ts";
import { SEND_COLUMNS, type SendRow, toDetails, toNotification } from "./send-row.ts";

/** How many due deliveries are looked at for one claim: one endpoint's may be many, and only a few of them are taken. */
const CANDIDATES = 1_000;

/** Whether anything is due that nobody holds: then a claim is worth a transaction. */
export function prepareHasDue({ prepare }: QueryContext) {
  const find = prepare<{ readonly at: number }, { readonly pk: number }>(sql`
    select pk from belfry_deliveries where status = 'pending' and lease_owner is null and due_at <= ${sql.placeholder("at")} limit 1`);
  return (at: Date): boolean => find.get({ at: at.getTime() }) !== undefined;
}

interface CandidateValues {
  readonly at: number;
  readonly limit: number;
  readonly perEndpoint: number;
  /** JSON arrays. */
  readonly channels: string;
  readonly exceptTenants: string;
  readonly exceptEndpoints: string;
}

/** Leases due deliveries. */
export function prepareClaim(context: QueryContext) {
  const { prepare } = context;
  const withSends = prepareWithSends(context);
  const candidates = prepare<CandidateValues, DeliveryRow>(sql`
    with due as materialized (
      select pk, due_at, channel, recipient from belfry_deliveries
      where status = 'pending' and lease_owner is null and due_at <= ${sql.placeholder("at")}
        and channel in (select value from json_each(${sql.placeholder("channels")}))
        and tenant not in (select value from json_each(${sql.placeholder("exceptTenants")}))
        and channel || char(0) || recipient not in (select value from json_each(${sql.placeholder("exceptEndpoints")}))
      order by due_at limit ${sql.raw(String(CANDIDATES))}),
    ranked as (select pk, due_at, row_number() over (partition by channel, recipient order by due_at, pk) as place from due)
    select ${DELIVERY_COLUMNS} from ranked r cross join belfry_deliveries d on d.pk = r.pk cross join belfry_notifications n on n.pk = d.notification_pk
    where r.place <= ${sql.placeholder("perEndpoint")} order by r.due_at, r.pk limit ${sql.placeholder("limit")}`);
  const lease = prepare<{ readonly pk: number; readonly owner: string; readonly until: number }>(sql`
    update belfry_deliveries set lease_owner = ${sql.placeholder("owner")}, lease_until = ${sql.placeholder("until")}, attempt = attempt + 1,
      fence = fence + 1 where pk = ${sql.placeholder("pk")}`);
  return (request: ClaimRequest): readonly ClaimedDelivery[] => {
    const { at, owner, leaseMs, limit, perEndpoint } = request;
    const rows = candidates.all({
      at: at.getTime(),
      limit,
      perEndpoint,
      channels: JSON.stringify(request.channels),
      exceptTenants: JSON.stringify(request.exceptTenants),
      exceptEndpoints: JSON.stringify(request.exceptEndpoints.map(({ channel, recipient }) => `${channel}\u0000${recipient}`)),
    });
    const leaseUntil = new Date(at.getTime() + leaseMs);
    for (const { pk } of rows) {
      lease.run({ pk, owner, until: leaseUntil.getTime() });
    }
    return withSends(rows).map(({ delivery, ...send }) => ({
      ...send,
      delivery: { ...delivery, leaseOwner: owner, leaseUntil, attempt: delivery.attempt + 1, fence: delivery.fence + 1 },
    }));
  };
}

/** Reads what one worker holds the leases of. */
export function prepareLeasedTo(context: QueryContext) {
  const withSends = prepareWithSends(context);
  const find = context.prepare<{ readonly owner: string }, DeliveryRow>(sql`
    select ${DELIVERY_COLUMNS} from belfry_deliveries d cross join belfry_notifications n on n.pk = d.notification_pk
    where d.lease_owner is not null and d.lease_owner = ${sql.placeholder("owner")} order by d.due_at, d.pk`);
  return (owner: string): readonly ClaimedDelivery[] => withSends(find.all({ owner }));
}

/** Adds to deliveries what is to be delivered. */
function prepareWithSends({ prepare }: QueryContext) {
  const sendOf = prepare<{ readonly pk: number }, SendRow>(sql`
    select ${SEND_COLUMNS} from belfry_sends s cross join belfry_notifications n on n.pk = s.notification_pk
    where s.notification_pk = (select ${sql.placeholder("pk")})`);
  return (rows: readonly DeliveryRow[]): readonly ClaimedDelivery[] => {
    const sends = new Map<number, Omit<ClaimedDelivery, "delivery">>();
    return rows.map((row) => {
      const send = sends.get(row.notification_pk) ?? whatToDeliver(sendOf.get({ pk: row.notification_pk }));
      sends.set(row.notification_pk, send);
      return { ...send, delivery: toDelivery(row) };
    });
  };
}

function whatToDeliver(row: SendRow | undefined): Omit<ClaimedDelivery, "delivery"> {
  if (row === undefined) {
    throw new Error("A delivery was found without its send.");
  }
  return { notification: toNotification(row), details: toDetails(row) };
}

/** Prolongs leases that are still held. */
export function prepareRenew({ prepare }: QueryContext) {
  const renew = prepare<Lease & { readonly owner: string; readonly until: number }>(sql`
    update belfry_deliveries set lease_until = ${sql.placeholder("until")}
    where id = ${sql.placeholder("deliveryId")} and lease_owner = ${sql.placeholder("owner")} and fence = ${sql.placeholder("fence")}`);
  return (owner: string, leases: readonly Lease[], { at, leaseMs }: { readonly at: Date; readonly leaseMs: number }): readonly Lease[] =>
    leases.filter((lease) => renew.run({ ...lease, owner, until: at.getTime() + leaseMs }).changes > 0);
}

/** Tells when the next delivery is due, or a lease runs out. */
export function prepareNextDue({ prepare }: QueryContext) {
  const next = prepare<object, { readonly due: number | null }>(sql`
    select min(due) as due from (
      select * from (select due_at as due from belfry_deliveries where status = 'pending' and lease_owner is null order by due_at limit 1)
      union all select * from (
        select due_at from belfry_deliveries where status = 'waiting' and due_at is not null order by due_at limit 1)
      union all select * from (select lease_until from belfry_deliveries where lease_owner is not null order by lease_until limit 1))`);
  return (at: Date): number | null => {
    const due = next.get({})?.due ?? null;
    return due === null ? null : Math.max(0, due - at.getTime());
  };
}
