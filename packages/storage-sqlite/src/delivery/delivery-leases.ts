import type { ClaimedDelivery, DeliveryFairness, LeaseRequest } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { LeaseTable } from "../database/leases.ts";
import type { QueryContext } from "../database/query-context.ts";
import { DELIVERY_COLUMNS, type DeliveryRow, toDelivery } from "./delivery-row.ts";
import { SEND_COLUMNS, type SendRow, toDetails, toNotification } from "./send-row.ts";

/** How many due deliveries are looked at for one claim: one endpoint's may be many, and only a few of them are taken. */
const CANDIDATES = 1_000;

/** Deliveries as tasks to be leased. */
export const DELIVERY_LEASES: LeaseTable<DeliveryRow, ClaimedDelivery, DeliveryFairness> = {
  table: sql`belfry_deliveries`,
  isDue: sql`status = 'pending' and lease_owner is null and due_at <= ${sql.placeholder("at")}`,
  queues: [
    sql`select due_at as due from belfry_deliveries where status = 'pending' and lease_owner is null order by due_at limit 1`,
    sql`select due_at from belfry_deliveries where status = 'waiting' and due_at is not null order by due_at limit 1`,
  ],
  select: sql`select ${DELIVERY_COLUMNS} from belfry_deliveries d cross join belfry_notifications n on n.pk = d.notification_pk`,
  alias: sql`d`,
  due: prepareDue,
  tasks: prepareWithSends,
};

interface CandidateValues {
  readonly at: number;
  readonly limit: number;
  readonly perEndpoint: number;
  /** JSON arrays. */
  readonly channels: string;
  readonly exceptTenants: string;
  readonly exceptEndpoints: string;
}

/** Finds due deliveries: of one endpoint no more than its share. */
function prepareDue({ prepare }: QueryContext) {
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
  return ({ at, limit, perEndpoint, ...request }: LeaseRequest & DeliveryFairness): readonly DeliveryRow[] =>
    candidates.all({
      at: at.getTime(),
      limit,
      perEndpoint,
      channels: JSON.stringify(request.channels),
      exceptTenants: JSON.stringify(request.exceptTenants),
      exceptEndpoints: JSON.stringify(request.exceptEndpoints.map(({ channel, recipient }) => `${channel}\u0000${recipient}`)),
    });
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
