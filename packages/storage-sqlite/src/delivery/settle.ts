import type { Delivery, DeliveryAttempt } from "@belfry/core";
import type {
  ChainSelection,
  ClaimedDelivery,
  Completed,
  Decide,
  DeliveryFairness,
  LeaseRequest,
  LoadedSend,
  SettleChanges,
} from "@belfry/core/storage";
import { type ContentRow, isOnlyDelivery, loadedOf, NAMED, PLANNED, progressOf, type TrackingRow, toDelivery } from "@belfry/storage-sql";
import type { LeaseTable } from "../database/leases.ts";
import { TABLES } from "../database/sql.ts";
import type { QueryContext } from "../database/statement.ts";
import { prepareWriteAudit } from "./change-send.ts";
import { type ChainKey, IS_ITEM_READ, prepareSelectChains } from "./read-sends.ts";
import { DELIVERY_COLUMNS, type KeyedDeliveryRow, RECORDS } from "./rows.ts";

/** How many due deliveries a claim looks at: one endpoint may have many, and only a few of those are taken. */
const CANDIDATES = 200;

type ClaimedRow = KeyedDeliveryRow & { readonly isOnly: number };

const CLAIMED_COLUMNS = `${DELIVERY_COLUMNS}, ${isOnlyDelivery(TABLES)} AS "isOnly"`;

/** Deliveries as tasks to be leased. */
export const DELIVERY_LEASES: LeaseTable<ClaimedRow, ClaimedDelivery, DeliveryFairness> = {
  table: "belfry_deliveries",
  isDue: "status = 'pending' AND lease_owner IS NULL AND due_at <= :at",
  queues: [
    "SELECT due_at AS due FROM belfry_deliveries WHERE status = 'pending' AND lease_owner IS NULL ORDER BY due_at LIMIT 1",
    "SELECT due_at FROM belfry_deliveries WHERE status = 'waiting' AND due_at IS NOT NULL ORDER BY due_at LIMIT 1",
  ],
  select: `SELECT ${CLAIMED_COLUMNS} FROM belfry_deliveries d CROSS JOIN belfry_notifications n ON n.pk = d.notification_pk`,
  alias: "d",
  due: prepareDue,
  tasks: prepareWithContent,
};

type CandidateValues = Omit<DeliveryFairness, "exceptEndpoints"> &
  Pick<LeaseRequest, "at" | "limit" | "exceptTenants"> & { readonly exceptEndpoints: readonly string[] };

/** Finds due deliveries, for each endpoint at most its share. */
function prepareDue({ prepare }: QueryContext) {
  const candidates = prepare<CandidateValues, ClaimedRow>(`
    WITH due AS MATERIALIZED (
      SELECT pk, due_at, channel, recipient FROM belfry_deliveries
      WHERE status = 'pending' AND lease_owner IS NULL AND due_at <= :at
        AND channel IN (SELECT value FROM json_each(:channels))
        AND tenant NOT IN (SELECT value FROM json_each(:exceptTenants))
        AND channel || char(0) || recipient NOT IN (SELECT value FROM json_each(:exceptEndpoints))
      ORDER BY due_at LIMIT max(:limit, ${CANDIDATES})),
    ranked AS (SELECT pk, due_at, row_number() OVER (PARTITION BY channel, recipient ORDER BY due_at, pk) AS place FROM due)
    SELECT ${CLAIMED_COLUMNS} FROM ranked r CROSS JOIN belfry_deliveries d ON d.pk = r.pk CROSS JOIN belfry_notifications n ON n.pk = d.notification_pk
    WHERE r.place <= :perEndpoint ORDER BY r.due_at, r.pk LIMIT :limit`);
  return ({ exceptEndpoints, ...request }: LeaseRequest & DeliveryFairness): readonly ClaimedRow[] =>
    candidates.all({ ...request, exceptEndpoints: exceptEndpoints.map(({ channel, recipient }) => `${channel}\u0000${recipient}`) });
}

/** Adds the content to deliveries. */
function prepareWithContent({ prepare }: QueryContext) {
  const find = prepare<{ readonly pks: readonly number[] }, ContentRow>(`
    SELECT ${RECORDS.content} FROM json_each(:pks) k CROSS JOIN belfry_trackings t ON t.notification_pk = k.value
    CROSS JOIN belfry_notifications n ON n.pk = t.notification_pk LEFT JOIN belfry_sends s ON s.notification_pk = t.notification_pk`);
  return (rows: readonly ClaimedRow[]): readonly ClaimedDelivery[] => {
    const found = find.all({ pks: [...new Set(rows.map(({ notificationPk }) => notificationPk))] });
    const contents = new Map(found.map((row) => [row.notificationPk, RECORDS.toContent(row)]));
    return rows.map((row) => {
      const content = contents.get(row.notificationPk);
      if (content === undefined) {
        throw new Error("A delivery was found without the tracking of its notification.");
      }
      return { ...content, delivery: toDelivery(row), isOnly: Boolean(row.isOnly) };
    });
  };
}

/** Loads chains, calls `decide` on them, and writes its decisions. */
export function prepareSettle(context: QueryContext) {
  const select = prepareSelectChains(context);
  const load = prepareLoad(context);
  const save = prepareSave(context);
  return (selection: ChainSelection, at: Date, decide: Decide): void => {
    const loaded = load(select(selection, at));
    if (loaded.length > 0) {
      save(loaded, decide(loaded, at), at);
    }
  };
}

/** The keys of a delivery with a held lease. */
interface HeldKeys {
  readonly id: string;
  readonly deliveryPk: number;
  readonly notificationPk: number;
}

/** Writes the results of claimed deliveries whose leases still hold. */
export function prepareComplete({ prepare }: QueryContext) {
  const { delivery, attempt, tracking } = RECORDS.fields;
  const named = (key: string) => `:${key}`;
  const findHeld = prepare<{ readonly owner: string; readonly leases: readonly (readonly [string, number])[] }, HeldKeys>(`
    SELECT d.id, d.pk AS "deliveryPk", d.notification_pk AS "notificationPk"
    FROM json_each(:leases) e CROSS JOIN belfry_deliveries d ON d.id = e.value ->> 0
    WHERE d.lease_owner = :owner AND d.fence = e.value ->> 1 AND NOT ${IS_ITEM_READ}`);
  const saveDelivery = prepare<Delivery & HeldKeys>(`
    UPDATE belfry_deliveries SET ${delivery.assignments(named, NAMED)} WHERE pk = :deliveryPk`);
  const saveAttempt = prepare<DeliveryAttempt & HeldKeys>(`
    INSERT INTO belfry_delivery_attempts (delivery_pk, ${attempt.names}) VALUES (:deliveryPk, ${attempt.members(named)})`);
  const saveState = prepare<ReturnType<typeof progressOf> & HeldKeys>(`
    UPDATE belfry_trackings SET ${tracking.assignments(named, PLANNED)} WHERE notification_pk = :notificationPk`);
  return (owner: string, { deliveries, attempts, sends }: SettleChanges, at: Date): Completed => {
    const held = new Map(findHeld.all({ owner, leases: deliveries.map(({ id, fence }) => [id, fence]) }).map((keys) => [keys.id, keys]));
    const byNotification = new Map<string, HeldKeys>();
    for (const one of deliveries) {
      const keys = held.get(one.id);
      if (keys !== undefined) {
        byNotification.set(one.notificationId, keys);
        saveDelivery.run({ ...one, ...keys });
      }
    }
    for (const one of attempts) {
      const keys = held.get(one.deliveryId);
      if (keys !== undefined) {
        saveAttempt.run({ ...one, ...keys });
      }
    }
    for (const state of sends) {
      const keys = byNotification.get(state.id);
      if (keys !== undefined) {
        saveState.run({ ...progressOf(state, at), ...keys });
      }
    }
    return { ids: new Set(held.keys()), now: at };
  };
}

/** Loads chains with the trackings of their notifications. */
export function prepareLoad({ prepare }: QueryContext) {
  const chainsOf = prepare<{ readonly keys: readonly (readonly number[])[] }, KeyedDeliveryRow & { readonly isRead: number }>(`
    SELECT ${DELIVERY_COLUMNS}, ${IS_ITEM_READ} AS "isRead"
    FROM (SELECT DISTINCT value ->> 0 AS pk, value ->> 1 AS chain FROM json_each(:keys)) k
    CROSS JOIN belfry_deliveries d ON d.notification_pk = k.pk AND d.chain = k.chain CROSS JOIN belfry_notifications n ON n.pk = d.notification_pk
    ORDER BY d.notification_pk, d.chain, d.is_fallback`);
  const trackings = prepare<{ readonly pks: readonly number[] }, TrackingRow & { readonly id: string }>(`
    SELECT n.id, ${RECORDS.tracking} FROM json_each(:pks) k
    CROSS JOIN belfry_trackings t ON t.notification_pk = k.value CROSS JOIN belfry_notifications n ON n.pk = k.value`);
  return (keys: readonly ChainKey[]): readonly LoadedSend[] => {
    const rows = chainsOf.all({ keys: keys.map(({ pk, chain }) => [pk, chain]) });
    const byNotification = Map.groupBy(rows, ({ notificationPk }) => notificationPk);
    return trackings.all({ pks: [...byNotification.keys()] }).map((row) => loadedOf(row, byNotification.get(row.notificationPk) ?? []));
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
