import type { Delivery, DeliveryAttempt } from "@belfry/core";
import type { ClaimedDelivery, Decide, DeliveryFairness, LeaseRequest, LoadedSend, SettleChanges } from "@belfry/core/storage";
import { type ContentRow, loadedOf, NAMED, PLANNED, progressOf, type TrackingRow, toDelivery } from "@belfry/storage-sql";
import { sql } from "drizzle-orm";
import type { LeaseTable } from "../database/leases.ts";
import type { QueryContext } from "../database/statement.ts";
import { prepareWriteAudit } from "./change-send.ts";
import { type ChainKey, IS_ITEM_READ } from "./read-sends.ts";
import { DELIVERY_COLUMNS, type KeyedDeliveryRow, RECORDS } from "./rows.ts";

/** How many due deliveries are looked at for one claim: one endpoint's may be many, and only a few of them are taken. */
const CANDIDATES = 1_000;

/** Deliveries as tasks to be leased. */
export const DELIVERY_LEASES: LeaseTable<KeyedDeliveryRow, ClaimedDelivery, DeliveryFairness> = {
  table: sql`belfry_deliveries`,
  isDue: sql`status = 'pending' and lease_owner is null and due_at <= ${sql.placeholder("at")}`,
  queues: [
    sql`select due_at as due from belfry_deliveries where status = 'pending' and lease_owner is null order by due_at limit 1`,
    sql`select due_at from belfry_deliveries where status = 'waiting' and due_at is not null order by due_at limit 1`,
  ],
  select: sql`select ${DELIVERY_COLUMNS} from belfry_deliveries d cross join belfry_notifications n on n.pk = d.notification_pk`,
  alias: sql`d`,
  due: prepareDue,
  tasks: prepareWithContent,
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
  const candidates = prepare<CandidateValues, KeyedDeliveryRow>(sql`
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
  return ({ at, limit, perEndpoint, ...request }: LeaseRequest & DeliveryFairness): readonly KeyedDeliveryRow[] =>
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
function prepareWithContent({ prepare }: QueryContext) {
  const find = prepare<{ readonly pk: number }, ContentRow>(`
    SELECT ${RECORDS.content} FROM belfry_trackings t CROSS JOIN belfry_notifications n ON n.pk = t.notification_pk
    LEFT JOIN belfry_sends s ON s.notification_pk = t.notification_pk WHERE t.notification_pk = (SELECT :pk)`);
  const contentOf = (pk: number): Omit<ClaimedDelivery, "delivery"> => {
    const row = find.get({ pk });
    if (row === undefined) {
      throw new Error("A delivery was found without the tracking of its notification.");
    }
    return RECORDS.toContent(row);
  };
  return (rows: readonly KeyedDeliveryRow[]): readonly ClaimedDelivery[] => {
    const contents = new Map<number, Omit<ClaimedDelivery, "delivery">>();
    return rows.map((row) => {
      const content = contents.get(row.notificationPk) ?? contentOf(row.notificationPk);
      contents.set(row.notificationPk, content);
      return { ...content, delivery: toDelivery(row) };
    });
  };
}

/** Loads chains, has them decided upon, and writes what was decided. */
export function prepareSettle(context: QueryContext) {
  const load = prepareLoad(context);
  const save = prepareSave(context);
  return (keys: readonly ChainKey[], at: Date, decide: Decide): void => {
    const loaded = load(keys);
    if (loaded.length > 0) {
      save(loaded, decide(loaded, at), at);
    }
  };
}

/** Loads chains with the trackings of their notifications. */
export function prepareLoad({ prepare }: QueryContext) {
  const chainsOf = prepare<{ readonly keys: string }, KeyedDeliveryRow & { readonly isRead: number }>(sql`
    select ${DELIVERY_COLUMNS}, ${IS_ITEM_READ} as "isRead"
    from (select distinct value ->> 0 as pk, value ->> 1 as chain from json_each(${sql.placeholder("keys")})) k
    cross join belfry_deliveries d on d.notification_pk = k.pk and d.chain = k.chain cross join belfry_notifications n on n.pk = d.notification_pk
    order by d.notification_pk, d.chain, d.is_fallback`);
  const trackings = prepare<{ readonly pks: string }, TrackingRow & { readonly id: string }>(`
    SELECT n.id, ${RECORDS.tracking} FROM json_each(:pks) k
    CROSS JOIN belfry_trackings t ON t.notification_pk = k.value CROSS JOIN belfry_notifications n ON n.pk = k.value`);
  return (keys: readonly ChainKey[]): readonly LoadedSend[] => {
    const rows = chainsOf.all({ keys: JSON.stringify(keys.map(({ pk, chain }) => [pk, chain])) });
    const byNotification = Map.groupBy(rows, ({ notificationPk }) => notificationPk);
    return trackings
      .all({ pks: JSON.stringify([...byNotification.keys()]) })
      .map((row) => loadedOf(row, byNotification.get(row.notificationPk) ?? []));
  };
}

/** Writes the changes to loaded chains. */
export function prepareSave(context: QueryContext) {
  const { delivery, attempt, tracking } = RECORDS.fields;
  const named = (key: string) => `:${key}`;
  const saveDelivery = context.prepare<Delivery>(`
    UPDATE belfry_deliveries SET ${delivery.assignments(named, NAMED)} WHERE id = :id AND tenant = :tenant`);
  const saveAttempt = context.prepare<DeliveryAttempt>(`
    INSERT INTO belfry_delivery_attempts (delivery_pk, ${attempt.names})
    SELECT pk, ${attempt.members(named)} FROM belfry_deliveries WHERE id = :deliveryId`);
  const saveState = context.prepare<ReturnType<typeof progressOf>>(`
    UPDATE belfry_trackings SET ${tracking.assignments(named, PLANNED)}
    WHERE notification_pk = (SELECT pk FROM belfry_notifications WHERE tenant = :tenant AND id = :id)`);
  const writeAudit = prepareWriteAudit(context);
  return (loaded: readonly LoadedSend[], changes: SettleChanges, at: Date): void => {
    for (const one of changes.deliveries) {
      saveDelivery.run(one);
    }
    for (const one of changes.attempts) {
      saveAttempt.run(one);
    }
    for (const state of changes.sends) {
      saveState.run(progressOf(state, at));
    }
    for (const entry of changes.audit) {
      const of = loaded.find(({ state }) => state.id === entry.notificationId);
      writeAudit(of?.state.tenant ?? "", entry, at);
    }
  };
}
