import type { ChannelHealth, HealthBucket } from "@belfry/core";
import type { HealthWindow } from "@belfry/core/storage";
import type { Connection } from "../database/connection.ts";
import { turn } from "../database/turn.ts";
import {
  type AttemptGroup,
  type AttemptPlace,
  type AttemptRange,
  type DuePlace,
  type PendingGroup,
  prepareAttemptGroups,
  prepareAttemptPlace,
  prepareDuePlace,
  preparePendingGroups,
} from "./health.ts";

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
