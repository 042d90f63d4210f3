import type { Delivery, DeliveryAttempt } from "@belfry/core";
import type {
  ChainSelection,
  ClaimedDelivery,
  Completed,
  Decide,
  DeliveryFairness,
  DigestChange,
  DueRequest,
  Lease,
  LoadedSend,
  SettleChanges,
} from "@belfry/core/storage";
import {
  type ClaimedRow,
  type ContentColumns,
  claimedColumns,
  contentOf,
  hasNoContent,
  isOnlyDelivery,
  leaseClaimed,
  loadedOf,
  NAMED,
  PLANNED,
  progressOf,
  reopened,
  suppressingTexts,
  suppressingValues,
  type TrackingRow,
  toClaimed,
} from "@belfry/storage-sql";
import { type DueRow, type NamedLeaseTable, namedRows, prepareDueOfOthers } from "../database/leases.ts";
import { DIALECT, TABLES } from "../database/sql.ts";
import type { OfSet, QueryContext } from "../database/statement.ts";
import { type PlaceRow, prepareAddToSums } from "./attempt-sums.ts";
import { prepareWriteAudit } from "./change-send.ts";
import { type ChainKey, IS_ITEM_READ, prepareHoldsDigest, prepareSelectChains } from "./read-sends.ts";
import { DELIVERY_COLUMNS, type KeyedDeliveryRow, RECORDS } from "./rows.ts";

/** How many due deliveries a claim looks at: one endpoint may have many, and only a few of those are taken. */
const CANDIDATES = 200;

// A delivery that is the only one of its notification comes with its content, which says that it is; that of others is read once for all of them.
const CLAIMED = claimedColumns(DIALECT, TABLES, "n.pk IS NOT NULL");
const selectClaimed = (from: string) => `
  SELECT ${CLAIMED.delivery}, ${CLAIMED.content} FROM ${from}
  LEFT JOIN belfry_notifications n ON n.pk = CASE WHEN ${isOnlyDelivery(TABLES)} THEN d.notification_pk END
  LEFT JOIN belfry_trackings t ON t.notification_pk = n.pk LEFT JOIN belfry_sends s ON s.notification_pk = n.pk`;
const SELECT_CLAIMED = selectClaimed("belfry_deliveries d");

/** Deliveries as tasks to be leased. */
export const DELIVERY_LEASES: NamedLeaseTable<ClaimedRow, ClaimedDelivery, DeliveryFairness> = {
  table: "belfry_deliveries",
  isDue: "status = 'pending' AND lease_owner IS NULL AND due_at <= :at",
  queues: [
    "SELECT due_at AS due FROM belfry_deliveries WHERE status = 'pending' AND lease_owner IS NULL AND due_at IS NOT NULL ORDER BY due_at LIMIT 1",
    "SELECT due_at FROM belfry_deliveries WHERE status = 'waiting' AND due_at IS NOT NULL ORDER BY due_at LIMIT 1",
  ],
  select: SELECT_CLAIMED,
  alias: "d",
  due: prepareDue,
  dueNamed: prepareDueNamed,
  lease: leaseClaimed,
  tasks: prepareWithContent,
  leaseOf: ({ delivery }) => delivery,
};

/** A due delivery, with its endpoint's name. */
interface DueDelivery extends DueRow {
  readonly endpoint: string;
}

interface DueValues extends Pick<DueRequest, "at" | "exceptTenants">, Pick<DeliveryFairness, "channels"> {
  readonly exceptEndpoints: readonly string[];
  /** Whether there are none: then no endpoint's name is made for the comparison. */
  readonly takesAll: boolean;
}

const IS_PENDING = "d.status = 'pending' AND d.lease_owner IS NULL";
const ENDPOINT = "d.channel || char(0) || d.recipient";
const DUE_COLUMNS = `d.pk, d.tenant, d.due_at AS dueAt, ${ENDPOINT} AS endpoint`;
const IS_FAIR = `
      AND d.channel IN (SELECT value FROM json_each(:channels)) AND (:takesAll OR ${ENDPOINT} NOT IN (SELECT value FROM json_each(:exceptEndpoints)))`;

function dueValues({ at, channels, exceptTenants, exceptEndpoints }: DueRequest & DeliveryFairness): DueValues {
  const names = exceptEndpoints.map(({ channel, recipient }) => `${channel}\u0000${recipient}`);
  return { at, channels, exceptTenants, exceptEndpoints: names, takesAll: names.length === 0 };
}

/** Finds due deliveries, oldest first, for each endpoint at most its share. */
function prepareDue(context: QueryContext) {
  const of = { table: "belfry_deliveries d", isPending: IS_PENDING, columns: DUE_COLUMNS, condition: IS_FAIR };
  const first = context.prepareRows<DueValues & { readonly limit: number }, ClaimedRow>(`
    ${SELECT_CLAIMED} WHERE ${IS_PENDING} AND d.due_at <= :at ${IS_FAIR} ORDER BY d.due_at, d.pk LIMIT :limit`);
  const candidates = context.prepare<DueValues & { readonly limit: number }, DueDelivery>(`
    SELECT ${DUE_COLUMNS} FROM belfry_deliveries d WHERE ${IS_PENDING} AND due_at <= :at ${IS_FAIR} ORDER BY due_at, pk LIMIT :limit`);
  const ofOthers = prepareDueOfOthers<DueDelivery, DueValues>(context, of);
  const readShares = prepareReadShares(context);
  return (request: DueRequest & DeliveryFairness): readonly ClaimedRow[] => {
    const { exceptTenants, limit } = request;
    const values = dueValues(request);
    const most = Math.max(limit, CANDIDATES);
    if (exceptTenants.length > 0) {
      return readShares(ofOthers(values, most), request);
    }
    // Usually each is another endpoint's, and there is no need to look at more than are taken.
    const found = first.all({ ...values, limit });
    const rows = sharesOf(found, request, (row) => `${row[5]}\u0000${row[6]}`);
    return rows.length === limit || found.length < limit ? rows : readShares(candidates.all({ ...values, limit: most }), request);
  };
}

/** Finds those of the named deliveries that are due, for each endpoint at most its share. */
function prepareDueNamed(context: QueryContext) {
  const find = context.prepare<DueValues & { readonly named: readonly Lease[] }, DueDelivery>(`
    SELECT ${DUE_COLUMNS} FROM ${namedRows("belfry_deliveries", "d")} WHERE ${IS_PENDING} AND d.due_at <= :at ${IS_FAIR}
      AND d.tenant NOT IN (SELECT value FROM json_each(:exceptTenants)) ORDER BY d.due_at, d.pk`);
  const readShares = prepareReadShares(context);
  return (named: readonly Lease[], request: DueRequest & DeliveryFairness): readonly ClaimedRow[] =>
    readShares(find.all({ ...dueValues(request), named }), request);
}

function prepareReadShares(context: QueryContext) {
  const read = context.prepareRows<{ readonly pks: readonly number[] }, ClaimedRow>(`
    ${selectClaimed("json_each(:pks) k CROSS JOIN belfry_deliveries d ON d.pk = k.value")}`);
  return (found: readonly DueDelivery[], request: Pick<DeliveryFairness, "perEndpoint"> & Pick<DueRequest, "limit">) =>
    read.all({ pks: sharesOf(found, request, ({ endpoint }) => endpoint).map(({ pk }) => pk) });
}

/** The first of the candidates, for each endpoint at most its share. */
function sharesOf<Candidate>(
  candidates: readonly Candidate[],
  { perEndpoint, limit }: Pick<DeliveryFairness, "perEndpoint"> & Pick<DueRequest, "limit">,
  endpointOf: (candidate: Candidate) => string,
): readonly Candidate[] {
  const taken = new Map<string, number>();
  const shares: Candidate[] = [];
  for (const candidate of candidates) {
    const endpoint = endpointOf(candidate);
    const count = taken.get(endpoint) ?? 0;
    if (count < perEndpoint && shares.length < limit) {
      taken.set(endpoint, count + 1);
      shares.push(candidate);
    }
  }
  return shares;
}

/** Adds the content to deliveries that came without. */
function prepareWithContent({ prepareRows }: QueryContext) {
  const find = prepareRows<{ readonly pks: readonly number[] }, [pk: number, tenant: string, ...ContentColumns]>(`
    SELECT k.value, n.tenant, ${CLAIMED.content} FROM json_each(:pks) k CROSS JOIN belfry_trackings t ON t.notification_pk = k.value
    CROSS JOIN belfry_notifications n ON n.pk = t.notification_pk LEFT JOIN belfry_sends s ON s.notification_pk = t.notification_pk`);
  return (rows: readonly ClaimedRow[]): readonly ClaimedDelivery[] => {
    const pks = new Set(rows.filter(hasNoContent).map((row) => row[1]));
    const found = pks.size === 0 ? [] : find.all({ pks: [...pks] });
    const tasks = toClaimed(rows, new Map(found.map(([pk, tenant, ...content]) => [pk, contentOf(tenant, content)])));
    if (tasks.length < rows.length) {
      throw new Error("A delivery was found without the tracking of its notification.");
    }
    return tasks;
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

/** A delivery that was completed. */
type CompletedRow = readonly [id: string, pk: number, notificationPk: number];
/** A notification whose progress was written, and since when its deliveries could go out. */
type ProgressedRow = readonly [notificationPk: number, sinceMs: number];

/** Writes the results of claimed deliveries whose leases still hold, by sets: most of a batch ended alike. */
export function prepareComplete(context: QueryContext) {
  const { prepare, prepareRows } = context;
  const { delivery, attempt, tracking } = RECORDS.fields;
  const named = (key: string) => `:${key}`;
  const saveDeliveries = prepareRows<Delivery & OfSet & { readonly owner: string }, CompletedRow>(`
    UPDATE belfry_deliveries AS d SET ${delivery.assignments(named, NAMED)} WHERE d.id IN (SELECT value FROM json_each(:keys))
      AND d.lease_owner = :owner AND d.fence = :fence AND NOT ${IS_ITEM_READ} RETURNING id, pk, notification_pk`);
  const saveAttempts = prepare<DeliveryAttempt & OfSet>(`
    INSERT INTO belfry_delivery_attempts (delivery_pk, ${attempt.names}) SELECT value, ${attempt.members(named)} FROM json_each(:keys)`);
  const saveStates = prepareRows<ReturnType<typeof progressOf> & OfSet, ProgressedRow>(`
    UPDATE belfry_trackings SET ${tracking.assignments(named, PLANNED)} WHERE notification_pk IN (SELECT value FROM json_each(:keys))
    RETURNING notification_pk, coalesce(scheduled_at, created_at)`);
  const addToSums = prepareAddToSums(context);
  return (owner: string, { deliveries, attempts, sends }: SettleChanges, at: Date): Completed => {
    const byNotification = new Map(deliveries.map((one) => [one.notificationId, one]));
    const held = new Map(saveDeliveries.runSets(deliveries, ({ id }) => id, { owner }).map((row) => [row[0], row]));
    const pkOf = ({ deliveryId }: DeliveryAttempt) => held.get(deliveryId)?.[1];
    saveAttempts.runSets(attempts, pkOf);
    const states = sends.map((state) => progressOf(state, at));
    const since = new Map(saveStates.runSets(states, ({ id }) => held.get(byNotification.get(id)?.id ?? "")?.[2]));
    const places = new Map<number, PlaceRow>();
    for (const { id, tenant, channel, isFallback } of deliveries) {
      const [, pk = 0, notificationPk = 0] = held.get(id) ?? [];
      const sinceMs = since.get(notificationPk);
      // A fallback could go out once its primary had settled, which the notification does not say.
      if (sinceMs !== undefined && !isFallback) {
        places.set(pk, [pk, tenant, channel, 0, sinceMs]);
      }
    }
    addToSums(attempts, pkOf, places);
    return { ids: new Set(held.keys()), now: at };
  };
}

/** Loads chains with the trackings of their notifications. */
export function prepareLoad({ prepare }: QueryContext) {
  const chainsOf = prepare<{ readonly keys: readonly (readonly number[])[] }, KeyedDeliveryRow & { readonly isRead: number }>(`
    SELECT ${DELIVERY_COLUMNS}, ${IS_ITEM_READ} AS "isRead"
    FROM (SELECT DISTINCT value ->> 0 AS pk, value ->> 1 AS chain FROM json_each(:keys)) k
    CROSS JOIN belfry_deliveries d ON d.notification_pk = k.pk AND d.chain = k.chain CROSS JOIN belfry_notifications n ON n.pk = d.notification_pk
    ORDER BY d.notification_pk, d.chain, d.is_fallback, d.pk`);
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
  const saveAttempt = context.prepareRows<DeliveryAttempt, [pk: number]>(`
    INSERT INTO belfry_delivery_attempts (delivery_pk, ${attempt.names})
    SELECT pk, ${attempt.members(named)} FROM belfry_deliveries WHERE id = :deliveryId RETURNING delivery_pk`);
  const saveState = context.prepare<ReturnType<typeof progressOf>>(`
    UPDATE belfry_trackings SET ${tracking.assignments(named, PLANNED)}
    WHERE notification_pk = (SELECT pk FROM belfry_notifications WHERE tenant = :tenant AND id = :id)`);
  const writeAudit = prepareWriteAudit(context);
  const saveDigests = prepareSaveDigests(context);
  const suppress = prepareSuppress(context);
  const addToSums = prepareAddToSums(context);
  return (loaded: readonly LoadedSend[], changes: SettleChanges, at: Date): void => {
    for (const one of changes.deliveries) {
      saveDelivery.run(one);
    }
    const pks = new Map(changes.attempts.map((one) => [one, saveAttempt.get(one)?.[0]]));
    addToSums(changes.attempts, (one) => pks.get(one));
    for (const state of changes.sends) {
      saveState.run(progressOf(state, at));
    }
    saveDigests(changes.digests ?? []);
    suppress(changes.suppressions ?? [], at);
    for (const entry of changes.audit) {
      const of = loaded.find(({ state }) => state.id === entry.notificationId);
      writeAudit(of?.state.tenant ?? "", entry, at);
    }
  };
}

/** Writes what becomes of addresses. */
function prepareSuppress({ prepare }: QueryContext) {
  const statements = suppressingTexts(DIALECT, TABLES).map((text) => prepare<readonly unknown[]>(text));
  return (changes: NonNullable<SettleChanges["suppressions"]>, at: Date): void => {
    if (changes.length > 0) {
      const values = suppressingValues(DIALECT, changes, at);
      for (const statement of statements) {
        statement.all(values);
      }
    }
  };
}

/** Writes digests as they are to be, and ends their leases. */
function prepareSaveDigests(context: QueryContext) {
  const saveDigest = context.prepare<Omit<DigestChange, "places">>(`
    UPDATE belfry_digests AS g SET state = ${reopened(":state", { digests: "belfry_digests", of: "g" })}, closes_at = :closesAt, rendered_at = :renderedAt, closed_at = :closedAt, shown = :shown, total = :total,
      due_at = :dueAt, lease_owner = NULL, lease_until = NULL
    WHERE id = :id`);
  // One by one: SQLite would read all entries there are to update those of a list.
  const savePlace = context.prepare<{ readonly place: number; readonly id: string }>(
    "UPDATE belfry_digest_entries SET place = :place WHERE delivery_pk = (SELECT pk FROM belfry_deliveries WHERE id = :id)",
  );
  return (changes: readonly DigestChange[]): void => {
    for (const { places, ...digest } of changes) {
      saveDigest.run(digest);
      for (const [index, id] of (places ?? []).entries()) {
        savePlace.run({ place: index + 1, id });
      }
    }
  };
}
