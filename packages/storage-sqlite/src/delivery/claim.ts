import type { ClaimedDelivery, DeliveryFairness, DueRequest, Lease } from "@belfry/core/storage";
import {
  type ClaimedRow,
  type ContentColumns,
  claimedColumns,
  contentOf,
  hasNoContent,
  isOnlyDelivery,
  leaseClaimed,
  toClaimed,
} from "@belfry/storage-sql";
import { type DueRow, NAME_COLUMNS, type NamedLeaseTable, type NamedRow, namedRows, prepareDueOfOthers } from "../database/leases.ts";
import { DIALECT, TABLES } from "../database/sql.ts";
import type { QueryContext } from "../database/statement.ts";

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
  names: prepareNames,
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

const OF_DELIVERIES = { table: "belfry_deliveries d", isPending: IS_PENDING, condition: IS_FAIR };

/** Finds the names of due deliveries, oldest first, for each endpoint at most its share. */
function prepareNames(context: QueryContext) {
  const columns = `${NAME_COLUMNS}, ${ENDPOINT} AS endpoint`;
  const find = prepareDueOfOthers<NamedRow & DueDelivery, DueValues>(context, { ...OF_DELIVERIES, columns });
  return (request: DueRequest & DeliveryFairness): readonly NamedRow[] =>
    sharesOf(find(dueValues(request), Math.max(request.limit, CANDIDATES)), request, ({ endpoint }) => endpoint);
}

/** Finds due deliveries, oldest first, for each endpoint at most its share. */
function prepareDue(context: QueryContext) {
  const first = context.prepareRows<DueValues & { readonly limit: number }, ClaimedRow>(`
    ${SELECT_CLAIMED} WHERE ${IS_PENDING} AND d.due_at <= :at ${IS_FAIR} ORDER BY d.due_at, d.pk LIMIT :limit`);
  const candidates = context.prepare<DueValues & { readonly limit: number }, DueDelivery>(`
    SELECT ${DUE_COLUMNS} FROM belfry_deliveries d WHERE ${IS_PENDING} AND due_at <= :at ${IS_FAIR} ORDER BY due_at, pk LIMIT :limit`);
  const ofOthers = prepareDueOfOthers<DueDelivery, DueValues>(context, { ...OF_DELIVERIES, columns: DUE_COLUMNS });
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
