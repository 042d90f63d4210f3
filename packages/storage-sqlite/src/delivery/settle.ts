import type { Delivery, DeliveryAttempt } from "@belfry/core";
import type {
  ChainSelection,
  ClaimedDelivery,
  Completed,
  Decide,
  DeliveryFairness,
  DigestChange,
  Lease,
  LeaseRequest,
  LoadedSend,
  SettleChanges,
} from "@belfry/core/storage";
import { type ContentRow, isOnlyDelivery, loadedOf, NAMED, PLANNED, progressOf, type TrackingRow, toDelivery } from "@belfry/storage-sql";
import { type DueRow, type LeaseTable, prepareDueOfOthers } from "../database/leases.ts";
import { TABLES } from "../database/sql.ts";
import type { OfSet, QueryContext } from "../database/statement.ts";
import { prepareWriteAudit } from "./change-send.ts";
import { type ChainKey, IS_ITEM_READ, prepareHoldsDigest, prepareSelectChains } from "./read-sends.ts";
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
    "SELECT due_at AS due FROM belfry_deliveries WHERE status = 'pending' AND lease_owner IS NULL AND due_at IS NOT NULL ORDER BY due_at LIMIT 1",
    "SELECT due_at FROM belfry_deliveries WHERE status = 'waiting' AND due_at IS NOT NULL ORDER BY due_at LIMIT 1",
  ],
  select: `SELECT ${CLAIMED_COLUMNS} FROM belfry_deliveries d CROSS JOIN belfry_notifications n ON n.pk = d.notification_pk`,
  alias: "d",
  due: prepareDue,
  tasks: prepareWithContent,
};

/** A due delivery, with its endpoint's name. */
interface DueDelivery extends DueRow {
  readonly endpoint: string;
}

interface DueValues extends Pick<LeaseRequest, "at" | "exceptTenants">, Pick<DeliveryFairness, "channels"> {
  readonly exceptEndpoints: readonly string[];
}

/** Finds due deliveries, oldest first, for each endpoint at most its share. */
function prepareDue(context: QueryContext) {
  const isPending = "status = 'pending' AND lease_owner IS NULL";
  const endpoint = "channel || char(0) || recipient";
  const columns = `pk, tenant, due_at AS dueAt, ${endpoint} AS endpoint`;
  const condition = `
      AND channel IN (SELECT value FROM json_each(:channels)) AND ${endpoint} NOT IN (SELECT value FROM json_each(:exceptEndpoints))`;
  const first = context.prepare<DueValues & { readonly limit: number }, DueDelivery>(`
    SELECT ${columns} FROM belfry_deliveries WHERE ${isPending} AND due_at <= :at ${condition} ORDER BY due_at, pk LIMIT :limit`);
  const ofOthers = prepareDueOfOthers<DueDelivery, DueValues>(context, { table: "belfry_deliveries", isPending, columns, condition });
  const read = context.prepare<{ readonly pks: readonly number[] }, ClaimedRow>(`
    SELECT ${CLAIMED_COLUMNS} FROM json_each(:pks) k CROSS JOIN belfry_deliveries d ON d.pk = k.value
    CROSS JOIN belfry_notifications n ON n.pk = d.notification_pk`);
  return (request: LeaseRequest & DeliveryFairness): readonly ClaimedRow[] => {
    const { at, channels, exceptTenants, limit } = request;
    const exceptEndpoints = request.exceptEndpoints.map(({ channel, recipient }) => `${channel}\u0000${recipient}`);
    const values = { at, channels, exceptTenants, exceptEndpoints };
    const take = (most: number) => {
      const found = exceptTenants.length === 0 ? first.all({ ...values, limit: most }) : ofOthers(values, most);
      return { pks: sharesOf(found, request), isAll: found.length < most };
    };
    // Usually each is another endpoint's, and there is no need to look at more than are taken.
    const some = take(limit);
    const { pks } = some.isAll || some.pks.length === limit ? some : take(Math.max(limit, CANDIDATES));
    return pks.length === 0 ? [] : read.all({ pks });
  };
}

/** The first of the candidates, for each endpoint at most its share. */
function sharesOf(
  candidates: readonly DueDelivery[],
  { perEndpoint, limit }: Pick<DeliveryFairness, "perEndpoint"> & Pick<LeaseRequest, "limit">,
): readonly number[] {
  const taken = new Map<string, number>();
  const pks: number[] = [];
  for (const { pk, endpoint } of candidates) {
    const count = taken.get(endpoint) ?? 0;
    if (count < perEndpoint && pks.length < limit) {
      taken.set(endpoint, count + 1);
      pks.push(pk);
    }
  }
  return pks;
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
  const holds = prepareHoldsDigest(context);
  const load = prepareLoad(context);
  const save = prepareSave(context);
  return (selection: ChainSelection, at: Date, decide: Decide): void => {
    const loaded = load(select(selection, at));
    if (loaded.length > 0 || holds(selection)) {
      save(loaded, decide(loaded, at), at);
    }
  };
}

/** The keys of a delivery with a held lease. */
interface HeldKeys extends Lease {
  readonly deliveryPk: number;
  readonly notificationPk: number;
}

/** Writes the results of claimed deliveries whose leases still hold, by sets: most of a batch ended alike. */
export function prepareComplete({ prepare }: QueryContext) {
  const { delivery, attempt, tracking } = RECORDS.fields;
  const named = (key: string) => `:${key}`;
  const those = "IN (SELECT value FROM json_each(:pks))";
  const findHeld = prepare<{ readonly owner: string; readonly ids: readonly string[] }, HeldKeys>(`
    SELECT d.id, d.fence, d.pk AS "deliveryPk", d.notification_pk AS "notificationPk"
    FROM json_each(:ids) e CROSS JOIN belfry_deliveries d ON d.id = e.value WHERE d.lease_owner = :owner AND NOT ${IS_ITEM_READ}`);
  const saveDeliveries = prepare<Delivery & OfSet>(`UPDATE belfry_deliveries SET ${delivery.assignments(named, NAMED)} WHERE pk ${those}`);
  const saveAttempts = prepare<DeliveryAttempt & OfSet>(`
    INSERT INTO belfry_delivery_attempts (delivery_pk, ${attempt.names}) SELECT value, ${attempt.members(named)} FROM json_each(:pks)`);
  const saveStates = prepare<ReturnType<typeof progressOf> & OfSet>(`
    UPDATE belfry_trackings SET ${tracking.assignments(named, PLANNED)} WHERE notification_pk ${those}`);
  return (owner: string, { deliveries, attempts, sends }: SettleChanges, at: Date): Completed => {
    const fences = new Map(deliveries.map(({ id, fence }) => [id, fence]));
    const found = findHeld.all({ owner, ids: [...fences.keys()] }).filter(({ id, fence }) => fences.get(id) === fence);
    const held = new Map(found.map((keys) => [keys.id, keys]));
    const byNotification = new Map(deliveries.map(({ id, notificationId }) => [notificationId, held.get(id)?.notificationPk]));
    saveDeliveries.runSets(deliveries, ({ id }) => held.get(id)?.deliveryPk);
    saveAttempts.runSets(attempts, ({ deliveryId }) => held.get(deliveryId)?.deliveryPk);
    const states = sends.map((state) => progressOf(state, at));
    saveStates.runSets(states, ({ id }) => byNotification.get(id));
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
  const saveDigest = context.prepare<Omit<DigestChange, "places">>(`
    UPDATE belfry_digests SET state = :state, closes_at = :closesAt, rendered_at = :renderedAt, closed_at = :closedAt, shown = :shown, total = :total,
      due_at = :dueAt, lease_owner = NULL, lease_until = NULL
    WHERE id = :id`);
  const savePlaces = context.prepare<{ readonly places: readonly string[] }>(`
    UPDATE belfry_digest_entries AS x SET place = e.key + 1 FROM json_each(:places) AS e CROSS JOIN belfry_deliveries d ON d.id = e.value
    WHERE x.delivery_pk = d.pk`);
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
    for (const { places, ...digest } of changes.digests ?? []) {
      saveDigest.run(digest);
      if (places !== null) {
        savePlaces.run({ places });
      }
    }
    for (const entry of changes.audit) {
      const of = loaded.find(({ state }) => state.id === entry.notificationId);
      writeAudit(of?.state.tenant ?? "", entry, at);
    }
  };
}
