import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { joinValue } from "../inbox/conditions.ts";

/** An attempt's place among all, by the time it ended. */
export type AttemptPlace = readonly [finishedAt: number, deliveryPk: number, attempt: number];

/** A pending delivery's place among all, by the time it is due. */
export type DuePlace = readonly [dueAt: number, pk: number];

/** Attempts that are alike in all that health is about. */
export interface AttemptGroup {
  readonly channel: string;
  readonly bucket: number;
  readonly isGood: boolean;
  /** To three digits; null for attempts that failed. */
  readonly latencyMs: number | null;
  readonly attempts: number;
}

/** Pending deliveries of one channel. */
export interface PendingGroup {
  readonly channel: string;
  readonly pending: number;
  readonly oldestDueAt: number;
}

/** Attempts by their places. */
export interface AttemptRange {
  /** Exclusive. */
  readonly after: AttemptPlace;
  /** Inclusive. */
  readonly upTo: AttemptPlace;
}

const PLACE = sql`(a.finished_at, a.delivery_pk, a.attempt)`;
const AFTER = sql`${PLACE} > (${joinValue("after1")}, ${joinValue("after2")}, ${joinValue("after3")})`;
const UP_TO = sql`${PLACE} <= (${joinValue("upTo1")}, ${joinValue("upTo2")}, ${joinValue("upTo3")})`;

/** A latency cut to its first three digits. */
const THREE_DIGITS = sql`ms - ms % cast(substr('1000000000000000', 1, max(1, length(ms) - 2)) as integer)`;

/** Since when the delivery `d` of the attempt `a` could go out. */
const SINCE = sql`case
  when d.is_fallback then min(a.started_at, coalesce((
    select p.settled_at from belfry_deliveries p where p.notification_pk = d.notification_pk and p.chain = d.chain and p.is_fallback = 0),
    a.started_at))
  else (select coalesce(s.scheduled_at, s.created_at) from belfry_sends s where s.notification_pk = d.notification_pk) end`;

/** Finds the place of the attempt that is number `count` of a range; null if the range has fewer. */
export function prepareAttemptPlace({ prepareRows }: QueryContext) {
  const place = prepareRows<object, AttemptPlace>(sql`
    select a.finished_at, a.delivery_pk, a.attempt from belfry_delivery_attempts a where ${AFTER} and ${UP_TO}
    order by a.finished_at, a.delivery_pk, a.attempt limit 1 offset ${sql.placeholder("skipped")}`);
  return (range: AttemptRange, count: number): AttemptPlace | null => place.get({ ...rangeValues(range), skipped: count - 1 }) ?? null;
}

/** Groups a tenant's attempts in a range. */
export function prepareAttemptGroups({ prepareRows }: QueryContext) {
  type GroupRow = readonly [channel: string, bucket: number, isGood: number, latencyMs: number | null, attempts: number];
  // Materialized: put into the outer query, the look-ups behind `ms` would be made each time it is named there.
  const group = prepareRows<object, GroupRow>(sql`
    with ended as materialized (
      select d.channel, cast((a.finished_at - ${joinValue("from")}) / ${joinValue("bucketMs")} as integer) as bucket,
        a.status in ('sent', 'delivered') as is_good, max(0, a.finished_at - ${SINCE}) as ms
      from belfry_delivery_attempts a cross join belfry_deliveries d on d.pk = a.delivery_pk
      where ${AFTER} and ${UP_TO} and d.tenant = ${joinValue("tenant")})
    select channel, bucket, is_good, case when is_good then ${THREE_DIGITS} end as latency, count(*) from ended
    group by 1, 2, 3, 4`);
  return (tenant: string, range: AttemptRange, window: { readonly from: number; readonly bucketMs: number }): readonly AttemptGroup[] =>
    group
      .all({ tenant, ...window, ...rangeValues(range) })
      .map(([channel, bucket, isGood, latencyMs, attempts]) => ({ channel, bucket, isGood: isGood === 1, latencyMs, attempts }));
}

const IS_PENDING = sql`d.status = 'pending' and d.lease_owner is null`;
const DUE_AFTER = sql`(d.due_at, d.pk) > (${joinValue("after1")}, ${joinValue("after2")})`;

/** Finds the place of the pending delivery, of any tenant, that is number `count` after a place; null if there are fewer. */
export function prepareDuePlace({ prepareRows }: QueryContext) {
  const place = prepareRows<object, DuePlace>(sql`
    select d.due_at, d.pk from belfry_deliveries d where ${IS_PENDING} and ${DUE_AFTER}
    order by d.due_at, d.pk limit 1 offset ${sql.placeholder("skipped")}`);
  return ([after1, after2]: DuePlace, count: number): DuePlace | null => place.get({ after1, after2, skipped: count - 1 }) ?? null;
}

/** Groups a tenant's pending deliveries from one place to another. The `+` keeps SQLite from reading all that the tenant ever had. */
export function preparePendingGroups({ prepareRows }: QueryContext) {
  const group = prepareRows<object, readonly [channel: string, pending: number, oldestDueAt: number]>(sql`
    select d.channel, count(*), min(d.due_at) from belfry_deliveries d
    where ${IS_PENDING} and ${DUE_AFTER} and (d.due_at, d.pk) <= (${joinValue("upTo1")}, ${joinValue("upTo2")}) and +d.tenant = ${joinValue("tenant")}
    group by d.channel`);
  return (tenant: string, [after1, after2]: DuePlace, [upTo1, upTo2]: DuePlace): readonly PendingGroup[] =>
    group.all({ tenant, after1, after2, upTo1, upTo2 }).map(([channel, pending, oldestDueAt]) => ({ channel, pending, oldestDueAt }));
}

function rangeValues({ after, upTo }: AttemptRange) {
  const [after1, after2, after3] = after;
  const [upTo1, upTo2, upTo3] = upTo;
  return { after1, after2, after3, upTo1, upTo2, upTo3 };
}
