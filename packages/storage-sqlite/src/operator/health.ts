import type { ChannelHealth, HealthBucket } from "@belfry/core";
import type { HealthWindow } from "@belfry/core/storage";
import { type Connection, turn } from "../database/connection.ts";
import type { QueryContext } from "../database/statement.ts";

/** How many attempts or deliveries one step looks at: a few milliseconds' work, in which nobody else gets a turn. */
const STEP = 2_000;

/** Reads how a tenant's channels do, in steps. */
export async function readHealth(
  connection: Connection,
  tenant: string,
  { window, at }: { readonly window: HealthWindow; readonly at: Date },
): Promise<readonly ChannelHealth[]> {
  const tally = new Tally(window, at);
  await readAttempts(connection, tenant, { window, tally });
  await readPending(connection, tenant, tally);
  return tally.channels();
}

async function readAttempts(
  connection: Connection,
  tenant: string,
  { window, tally }: { readonly window: HealthWindow; readonly tally: Tally },
): Promise<void> {
  const [from, { bucketMs }] = [window.from.getTime(), window];
  // Before the first attempt of the window's first millisecond, and before the first of the one after its last.
  const end: AttemptPlace = [from + window.buckets * bucketMs, -1, -1];
  for (let after: AttemptPlace | null = [from, -1, -1]; after !== null; ) {
    const range: AttemptRange = { after, upTo: end };
    const place: AttemptPlace | null = await connection.query(() => connection.prepared(prepareAttemptPlace)(range, STEP));
    const part: AttemptRange = { after, upTo: place ?? end };
    tally.addAttempts(await connection.query(() => connection.prepared(prepareAttemptGroups)(tenant, part, { from, bucketMs })));
    after = place;
    await turn();
  }
}

async function readPending(connection: Connection, tenant: string, tally: Tally): Promise<void> {
  const end: DuePlace = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  for (let after: DuePlace | null = [-1, -1]; after !== null; ) {
    const start: DuePlace = after;
    const place: DuePlace | null = await connection.query(() => connection.prepared(prepareDuePlace)(start, STEP));
    tally.addPending(await connection.query(() => connection.prepared(preparePendingGroups)(tenant, start, place ?? end)));
    after = place;
    await turn();
  }
}

interface ChannelTally {
  readonly buckets: { -readonly [Member in keyof HealthBucket]: HealthBucket[Member] }[];
  /** How many attempts took each latency. */
  readonly latencies: Map<number, number>;
  pending: number;
  oldestDueAt: number;
}

/** Adds up what the steps found. */
class Tally {
  readonly #window: HealthWindow;
  readonly #at: Date;
  readonly #byChannel = new Map<string, ChannelTally>();

  constructor(window: HealthWindow, at: Date) {
    this.#window = window;
    this.#at = at;
  }

  addAttempts(groups: readonly AttemptGroup[]): void {
    for (const { channel, bucket, isGood, latencyMs, attempts } of groups) {
      const { buckets, latencies } = this.#of(channel);
      const part = buckets[bucket];
      if (part !== undefined) {
        part[isGood ? "succeeded" : "failed"] += attempts;
      }
      if (latencyMs !== null) {
        latencies.set(latencyMs, (latencies.get(latencyMs) ?? 0) + attempts);
      }
    }
  }

  addPending(groups: readonly PendingGroup[]): void {
    for (const { channel, pending, oldestDueAt } of groups) {
      const tally = this.#of(channel);
      tally.pending += pending;
      tally.oldestDueAt = Math.min(tally.oldestDueAt, oldestDueAt);
    }
  }

  channels(): readonly ChannelHealth[] {
    return [...this.#byChannel]
      .sort(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
      .map(([channel, { buckets, latencies, pending, oldestDueAt }]) => ({
        channel,
        succeeded: buckets.reduce((sum, { succeeded }) => sum + succeeded, 0),
        failed: buckets.reduce((sum, { failed }) => sum + failed, 0),
        p50Ms: percentile(latencies, 0.5),
        p95Ms: percentile(latencies, 0.95),
        pending,
        oldestDueAt: oldestDueAt <= this.#at.getTime() ? new Date(oldestDueAt) : null,
        buckets,
      }));
  }

  #of(channel: string): ChannelTally {
    const known = this.#byChannel.get(channel);
    if (known) {
      return known;
    }
    const { from, bucketMs, buckets } = this.#window;
    const parts = Array.from({ length: buckets }, (_, index) => ({
      from: new Date(from.getTime() + index * bucketMs),
      succeeded: 0,
      failed: 0,
    }));
    const tally = { buckets: parts, latencies: new Map<number, number>(), pending: 0, oldestDueAt: Number.POSITIVE_INFINITY };
    this.#byChannel.set(channel, tally);
    return tally;
  }
}

/** The least latency that a share of all stayed within; null for none. */
function percentile(latencies: ReadonlyMap<number, number>, share: number): number | null {
  const ascending = [...latencies].sort(([left], [right]) => left - right);
  const wanted = Math.ceil(ascending.reduce((sum, [, attempts]) => sum + attempts, 0) * share);
  let within = 0;
  for (const [latencyMs, attempts] of ascending) {
    within += attempts;
    if (within >= wanted) {
      return latencyMs;
    }
  }
  return null;
}

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

const PLACE = "(a.finished_at, a.delivery_pk, a.attempt)";
const AFTER = `${PLACE} > ((SELECT :after1), (SELECT :after2), (SELECT :after3))`;
const UP_TO = `${PLACE} <= ((SELECT :upTo1), (SELECT :upTo2), (SELECT :upTo3))`;

/** A latency cut to its first three digits. */
const THREE_DIGITS = `ms - ms % cast(substr('1000000000000000', 1, max(1, length(ms) - 2)) as integer)`;

/** Since when the delivery `d` of the attempt `a` could go out. */
const SINCE = `case
  when d.is_fallback then min(a.started_at, coalesce((
    select p.settled_at from belfry_deliveries p where p.notification_pk = d.notification_pk and p.chain = d.chain and p.is_fallback = 0),
    a.started_at))
  else (select coalesce(t.scheduled_at, t.created_at) from belfry_trackings t where t.notification_pk = d.notification_pk) end`;

/** Finds the place of the attempt that is number `count` of a range; null if the range has fewer. */
export function prepareAttemptPlace({ prepareRows }: QueryContext) {
  const place = prepareRows<object, AttemptPlace>(`
    select a.finished_at, a.delivery_pk, a.attempt from belfry_delivery_attempts a where ${AFTER} and ${UP_TO}
    order by a.finished_at, a.delivery_pk, a.attempt limit 1 offset :skipped`);
  return (range: AttemptRange, count: number): AttemptPlace | null => place.get({ ...rangeValues(range), skipped: count - 1 }) ?? null;
}

/** Groups a tenant's attempts in a range. */
export function prepareAttemptGroups({ prepareRows }: QueryContext) {
  type GroupRow = readonly [channel: string, bucket: number, isGood: number, latencyMs: number | null, attempts: number];
  // Materialized: put into the outer query, the look-ups behind `ms` would be made each time it is named there.
  const group = prepareRows<object, GroupRow>(`
    with ended as materialized (
      select d.channel, cast((a.finished_at - (SELECT :from)) / (SELECT :bucketMs) as integer) as bucket,
        a.status in ('sent', 'delivered') as is_good, max(0, a.finished_at - ${SINCE}) as ms
      from belfry_delivery_attempts a cross join belfry_deliveries d on d.pk = a.delivery_pk
      where ${AFTER} and ${UP_TO} and d.tenant = (SELECT :tenant))
    select channel, bucket, is_good, case when is_good then ${THREE_DIGITS} end as latency, count(*) from ended
    group by 1, 2, 3, 4`);
  return (tenant: string, range: AttemptRange, window: { readonly from: number; readonly bucketMs: number }): readonly AttemptGroup[] =>
    group
      .all({ tenant, ...window, ...rangeValues(range) })
      .map(([channel, bucket, isGood, latencyMs, attempts]) => ({ channel, bucket, isGood: isGood === 1, latencyMs, attempts }));
}

const IS_PENDING = `d.status = 'pending' and d.lease_owner is null`;
const DUE_AFTER = "(d.due_at, d.pk) > ((SELECT :after1), (SELECT :after2))";

/** Finds the place of the pending delivery, of any tenant, that is number `count` after a place; null if there are fewer. */
export function prepareDuePlace({ prepareRows }: QueryContext) {
  const place = prepareRows<object, DuePlace>(`
    select d.due_at, d.pk from belfry_deliveries d where ${IS_PENDING} and ${DUE_AFTER}
    order by d.due_at, d.pk limit 1 offset :skipped`);
  return ([after1, after2]: DuePlace, count: number): DuePlace | null => place.get({ after1, after2, skipped: count - 1 }) ?? null;
}

/** Groups a tenant's pending deliveries from one place to another. The `+` keeps SQLite from reading all that the tenant ever had. */
export function preparePendingGroups({ prepareRows }: QueryContext) {
  const group = prepareRows<object, readonly [channel: string, pending: number, oldestDueAt: number]>(`
    select d.channel, count(*), min(d.due_at) from belfry_deliveries d
    where ${IS_PENDING} and ${DUE_AFTER} and (d.due_at, d.pk) <= ((SELECT :upTo1), (SELECT :upTo2)) and +d.tenant = (SELECT :tenant)
    group by d.channel`);
  return (tenant: string, [after1, after2]: DuePlace, [upTo1, upTo2]: DuePlace): readonly PendingGroup[] =>
    group.all({ tenant, after1, after2, upTo1, upTo2 }).map(([channel, pending, oldestDueAt]) => ({ channel, pending, oldestDueAt }));
}

function rangeValues({ after, upTo }: AttemptRange) {
  const [after1, after2, after3] = after;
  const [upTo1, upTo2, upTo3] = upTo;
  return { after1, after2, after3, upTo1, upTo2, upTo3 };
}
