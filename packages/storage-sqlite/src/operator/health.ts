import type { ChannelHealth, HealthBucket } from "@belfry/core";
import type { HealthWindow } from "@belfry/core/storage";
import { stateOf, type WaitingGroup, waitingOf } from "@belfry/storage-sql";
import { type Connection, turn } from "../database/connection.ts";
import { ask, TABLES } from "../database/sql.ts";

/** How many attempts or deliveries one step looks at: a few milliseconds' work, in which nobody else gets a turn. */
const STEP = 2_000;

/** Reads the health of a tenant's channels in steps. */
export async function readHealth(
  connection: Connection,
  tenant: string,
  { window, at }: { readonly window: HealthWindow; readonly at: Date },
): Promise<readonly ChannelHealth[]> {
  const tally = new Tally(window);
  await readAttempts(connection, tenant, { window, tally });
  await readPending(connection, tenant, { at, tally, most: window.mostWaiting ?? Number.POSITIVE_INFINITY });
  return tally.channels(at);
}

async function readAttempts(
  connection: Connection,
  tenant: string,
  { window, tally }: { readonly window: HealthWindow; readonly tally: Tally },
): Promise<void> {
  const [from, { bucketMs, buckets }] = [window.from.getTime(), window];
  // From before any attempt in the window's first millisecond to before any in the millisecond after its last.
  const end: AttemptPlace = [from + buckets * bucketMs, -1, -1];
  for (let after: AttemptPlace | null = [from, -1, -1]; after !== null; ) {
    const start: AttemptPlace = after;
    const [last] = await connection.query(() => ask<AttemptKey>(connection, ATTEMPT_PLACE, [...start, ...end]));
    after = last === undefined ? null : [last.finishedAt, last.deliveryPk, last.attempt];
    const values = [...start, ...(after ?? end), tenant, from, bucketMs];
    tally.addAttempts(await connection.query(() => ask<AttemptGroup>(connection, ATTEMPT_GROUPS, values)));
    await turn();
  }
}

async function readPending(
  connection: Connection,
  tenant: string,
  { at, tally, most }: { readonly at: Date; readonly tally: Tally; readonly most: number },
): Promise<void> {
  const end: DuePlace = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  let left = most;
  for (let after: DuePlace | null = [-1, -1]; after !== null && left > 0; ) {
    const start: DuePlace = after;
    const step = Math.min(STEP, left);
    left -= step;
    const [last] = await connection.query(() => ask<DueKey>(connection, DUE_PLACE, [...start, tenant, step - 1]));
    after = last === undefined ? null : [last.dueAt, last.pk];
    const values = [...start, tenant, ...(after ?? end), at.getTime()];
    tally.addPending(await connection.query(() => ask<PendingGroup>(connection, PENDING_GROUPS, values)));
    await turn();
  }
}

interface ChannelTally {
  readonly buckets: { -readonly [Member in keyof HealthBucket]: HealthBucket[Member] }[];
  /** How many attempts took each latency. */
  readonly latencies: Map<number, number>;
  readonly waiting: WaitingGroup[];
}

/** Adds up what the steps found. */
class Tally {
  readonly #window: HealthWindow;
  readonly #byChannel = new Map<string, ChannelTally>();

  constructor(window: HealthWindow) {
    this.#window = window;
  }

  addAttempts(groups: readonly AttemptGroup[]): void {
    for (const { channel, bucket, isGood, latencyMs, attempts } of groups) {
      const { buckets, latencies } = this.#of(channel);
      const part = buckets[bucket];
      if (part !== undefined) {
        part[isGood === 1 ? "succeeded" : "failed"] += attempts;
      }
      if (latencyMs !== null) {
        latencies.set(latencyMs, (latencies.get(latencyMs) ?? 0) + attempts);
      }
    }
  }

  addPending(groups: readonly PendingGroup[]): void {
    for (const { channel, ...group } of groups) {
      this.#of(channel).waiting.push(group);
    }
  }

  channels(at: Date): readonly ChannelHealth[] {
    return [...this.#byChannel]
      .sort(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
      .map(([channel, { buckets, latencies, waiting }]) => ({
        channel,
        succeeded: buckets.reduce((sum, { succeeded }) => sum + succeeded, 0),
        failed: buckets.reduce((sum, { failed }) => sum + failed, 0),
        p50Ms: percentile(latencies, 0.5),
        p95Ms: percentile(latencies, 0.95),
        ...waitingOf(waiting, at),
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
    const tally = { buckets: parts, latencies: new Map<number, number>(), waiting: [] };
    this.#byChannel.set(channel, tally);
    return tally;
  }
}

/** The lowest latency that covers a share of all; null for none. */
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
type AttemptPlace = readonly [finishedAt: number, deliveryPk: number, attempt: number];

interface AttemptKey {
  readonly finishedAt: number;
  readonly deliveryPk: number;
  readonly attempt: number;
}

/** A pending delivery's place among all, by the time it is due. */
type DuePlace = readonly [dueAt: number, pk: number];

interface DueKey {
  readonly dueAt: number;
  readonly pk: number;
}

/** Attempts with the same channel, bucket, result and latency. */
interface AttemptGroup {
  readonly channel: string;
  readonly bucket: number;
  /** 0 or 1. */
  readonly isGood: number;
  /** To three digits; null for attempts that failed. */
  readonly latencyMs: number | null;
  readonly attempts: number;
}

/** Pending deliveries of one channel in one state. */
interface PendingGroup extends WaitingGroup {
  readonly channel: string;
}

const PLACE = "(a.finished_at, a.delivery_pk, a.attempt)";

/** From $1 to $3, exclusive, to $4 to $6, inclusive. */
const IN_RANGE = `${PLACE} > ((SELECT $1), (SELECT $2), (SELECT $3)) AND ${PLACE} <= ((SELECT $4), (SELECT $5), (SELECT $6))`;

/** The last attempt of a whole step in a range; none if the range has fewer. */
const ATTEMPT_PLACE = `SELECT a.finished_at AS "finishedAt", a.delivery_pk AS "deliveryPk", a.attempt
  FROM belfry_delivery_attempts a WHERE ${IN_RANGE} ORDER BY a.finished_at, a.delivery_pk, a.attempt LIMIT 1 OFFSET ${STEP - 1}`;

/** A latency cut to its first three digits. */
const THREE_DIGITS = "ms - ms % CAST(substr('1000000000000000', 1, max(1, length(ms) - 2)) AS integer)";

/** The earliest time that delivery `d` of attempt `a` could go out. */
const SINCE = `CASE
  WHEN d.is_fallback THEN min(a.started_at, coalesce((
    SELECT min(p.settled_at) FROM belfry_deliveries p WHERE p.notification_pk = d.notification_pk AND p.chain = d.chain AND p.is_fallback = 0),
    a.started_at))
  ELSE (SELECT coalesce(t.scheduled_at, t.created_at) FROM belfry_trackings t WHERE t.notification_pk = d.notification_pk) END`;

/**
 * Groups the attempts of the tenant $7 in a range, by the parts of a window from $8 on, each $9 long. Materialized, because
 * in the outer query the look-ups behind `ms` would run each time it is named.
 */
const ATTEMPT_GROUPS = `WITH ended AS MATERIALIZED (
    SELECT d.channel, CAST((a.finished_at - (SELECT $8)) / (SELECT $9) AS integer) AS bucket,
      a.status IN ('sent', 'delivered') AS is_good, max(0, a.finished_at - ${SINCE}) AS ms
    FROM belfry_delivery_attempts a CROSS JOIN belfry_deliveries d ON d.pk = a.delivery_pk
    WHERE ${IN_RANGE} AND d.tenant = (SELECT $7) AND NOT (d.channel = 'inbox' AND a.status = 'failed'))
  SELECT channel, bucket, is_good AS "isGood", CASE WHEN is_good THEN ${THREE_DIGITS} END AS "latencyMs", count(*) AS attempts
  FROM ended GROUP BY 1, 2, 3, 4`;

/** The tenant's pending deliveries after a place. By another index, SQLite could read all that the tenant ever had. */
const PENDING_AFTER = `FROM belfry_deliveries d INDEXED BY belfry_deliveries_tenant_due
  WHERE d.status = 'pending' AND d.lease_owner IS NULL AND d.tenant = (SELECT $3) AND (d.due_at, d.pk) > ((SELECT $1), (SELECT $2))`;

/** The last pending delivery of a whole step after a place; none if there are fewer. */
const DUE_PLACE = `SELECT d.due_at AS "dueAt", d.pk ${PENDING_AFTER} ORDER BY d.due_at, d.pk LIMIT 1 OFFSET (SELECT $4)`;

/** Groups a tenant's pending deliveries from one place to another. */
const PENDING_GROUPS = `SELECT d.channel, ${stateOf("d", "(SELECT $6)", TABLES)} AS state, count(*) AS count, min(d.due_at) AS "firstDueAt"
  ${PENDING_AFTER} AND (d.due_at, d.pk) <= ((SELECT $4), (SELECT $5)) GROUP BY 1, 2`;
