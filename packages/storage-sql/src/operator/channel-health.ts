import type { ChannelHealth, HealthBucket } from "@belfry/core";
import type { ActivityStorage, HealthWindow } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";
import { isOfLost } from "../delivery/sum-writers.ts";
import { type WaitingGroup, waitingOf } from "./waiting.ts";

/** Deliveries of a channel that wait for an attempt in one state. */
export interface ChannelWaiting extends WaitingGroup {
  readonly channel: string;
}

/** Counts up to `most` deliveries of a tenant that wait, those that are due first before others. */
export type CountWaiting = (tenant: string, at: Date, most: number | undefined) => Promise<readonly ChannelWaiting[]>;

/** Attempts with the same channel, part of the window, and latency step. */
interface SumRow {
  readonly channel: string;
  readonly part: number;
  readonly latencyMs: number;
  readonly attempts: number;
  /** Those of them whose worker was lost. */
  readonly lost: number;
}

/** The part of a window that a `minute` is in, from the beginning $4 on, each $5 long. To SQLite, numbers from JavaScript have fractions. */
export function partOf(sql: Sql): string {
  return `CAST((${sql.milliseconds("minute")} - ${sql.cast("$4", "bigint")}) / ${sql.cast("$5", "bigint")} AS integer)`;
}

/** Reads the health of channels: attempts from the sums of each minute, and what waits as it is. */
export function channelHealth(sql: Sql, countWaiting: CountWaiting): Pick<ActivityStorage, "health"> {
  const from = sql.cast("$2", "timestamptz");
  const part = partOf(sql);
  const lost = `sum(CASE WHEN ${isOfLost("writer")} THEN attempts ELSE 0 END)`;
  const sums = `SELECT channel, ${part} AS part, latency_ms AS "latencyMs", sum(attempts) AS attempts, ${lost} AS lost FROM ${sql.tables.attemptSums}
    WHERE tenant = $1 AND minute >= ${from} AND minute < ${sql.cast("$3", "timestamptz")} GROUP BY 1, 2, 3`;
  const readSums = async (tenant: string, { from: start, bucketMs, buckets }: HealthWindow) => {
    const startMs = start.getTime();
    const values = [tenant, start, new Date(startMs + buckets * bucketMs), startMs, bucketMs];
    return buckets === 0 ? [] : await sql.rows<SumRow>("attempt_sums", sums, values);
  };
  return {
    async health(tenant, window, at) {
      const [attempts, waiting] = await Promise.all([readSums(tenant, window), countWaiting(tenant, at, window.mostWaiting)]);
      const channels = new Set([...attempts, ...waiting].map(({ channel }) => channel));
      return [...channels]
        .sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
        .map((channel) => ({
          channel,
          ...attemptsOf(
            attempts.filter((row) => row.channel === channel),
            window,
          ),
          ...waitingOf(
            waiting.filter((group) => group.channel === channel),
            at,
          ),
        }));
    },
  };
}

type AttemptFigures = Pick<ChannelHealth, "succeeded" | "failed" | "lost" | "p50Ms" | "p95Ms" | "buckets">;

function attemptsOf(rows: readonly SumRow[], { from, bucketMs, buckets }: HealthWindow): AttemptFigures {
  const parts = Array.from({ length: buckets }, (_, index) => ({
    from: new Date(from.getTime() + index * bucketMs),
    succeeded: 0,
    failed: 0,
  }));
  const latencies = new Map<number, number>();
  let lost = 0;
  for (const { part, latencyMs, attempts, lost: ofLost } of rows) {
    const bucket: { -readonly [Member in keyof HealthBucket]: HealthBucket[Member] } | undefined = parts[part];
    // Latencies below 0 are none.
    const isGood = latencyMs >= 0;
    if (bucket !== undefined) {
      bucket[isGood ? "succeeded" : "failed"] += attempts;
      lost += ofLost;
    }
    if (isGood) {
      latencies.set(latencyMs, (latencies.get(latencyMs) ?? 0) + attempts);
    }
  }
  return {
    succeeded: parts.reduce((sum, { succeeded }) => sum + succeeded, 0),
    failed: parts.reduce((sum, { failed }) => sum + failed, 0),
    lost,
    p50Ms: percentile(latencies, 0.5),
    p95Ms: percentile(latencies, 0.95),
    buckets: parts,
  };
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
