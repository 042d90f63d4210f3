import type { Delivery, DeliveryAttempt, TrackedDelivery } from "../delivery/index.ts";
import { compareBytewise } from "../notifications/index.ts";
import { type ChannelHealth, type HealthWindow, threeDigits } from "../operator/index.ts";
import type { MemorySend } from "./memory-send.ts";

interface EndedAttempt {
  readonly delivery: TrackedDelivery;
  readonly attempt: DeliveryAttempt;
  readonly latencyMs: number;
}

/** How the channels of these sends do. */
export function healthOf(sends: readonly MemorySend[], window: HealthWindow, at: Date): readonly ChannelHealth[] {
  const ended = Map.groupBy(
    sends.flatMap((send) => endedIn(send, window)),
    ({ delivery }) => delivery.channel,
  );
  const pending = Map.groupBy(
    sends.flatMap(({ deliveries }) => deliveries.filter(({ status, leaseOwner }) => status === "pending" && leaseOwner === null)),
    ({ channel }) => channel,
  );
  const channels = [...new Set([...ended.keys(), ...pending.keys()])].sort(compareBytewise);
  return channels.map((channel) =>
    channelHealth(channel, { ended: ended.get(channel) ?? [], pending: pending.get(channel) ?? [] }, { window, at }),
  );
}

function channelHealth(
  channel: string,
  { ended, pending }: { readonly ended: readonly EndedAttempt[]; readonly pending: readonly Delivery[] },
  { window, at }: { readonly window: HealthWindow; readonly at: Date },
): ChannelHealth {
  const [good, bad] = [ended.filter(isGood), ended.filter((one) => !isGood(one))];
  const latencies = good.map(({ latencyMs }) => latencyMs).sort((left, right) => left - right);
  const due = pending.flatMap(({ dueAt }) => (dueAt !== null && dueAt <= at ? [dueAt.getTime()] : []));
  return {
    channel,
    succeeded: good.length,
    failed: bad.length,
    p50Ms: latencies[Math.ceil(latencies.length * 0.5) - 1] ?? null,
    p95Ms: latencies[Math.ceil(latencies.length * 0.95) - 1] ?? null,
    pending: pending.length,
    oldestDueAt: due.length === 0 ? null : new Date(Math.min(...due)),
    buckets: Array.from({ length: window.buckets }, (_, index) => {
      const from = window.from.getTime() + index * window.bucketMs;
      const isIn = ({ attempt }: EndedAttempt) =>
        attempt.finishedAt.getTime() >= from && attempt.finishedAt.getTime() < from + window.bucketMs;
      return { from: new Date(from), succeeded: good.filter(isIn).length, failed: bad.filter(isIn).length };
    }),
  };
}

function isGood({ attempt: { status } }: EndedAttempt): boolean {
  return status === "sent" || status === "delivered";
}

function endedIn(send: MemorySend, { from, bucketMs, buckets }: HealthWindow): readonly EndedAttempt[] {
  const before = from.getTime() + buckets * bucketMs;
  const tracked = send.tracked();
  return tracked.flatMap((delivery) =>
    delivery.attempts
      .filter(({ finishedAt }) => finishedAt >= from && finishedAt.getTime() < before)
      .map((attempt) => ({ delivery, attempt, latencyMs: latency(send, { delivery, attempt }, tracked) })),
  );
}

function latency(
  send: MemorySend,
  { delivery, attempt }: Pick<EndedAttempt, "delivery" | "attempt">,
  tracked: readonly TrackedDelivery[],
): number {
  const { scheduledAt, createdAt } = send.view();
  const primary = delivery.isFallback ? tracked.find(({ chain, isFallback }) => chain === delivery.chain && !isFallback) : undefined;
  const steppedIn = primary?.settledAt ?? attempt.startedAt;
  // A primary that was acknowledged after all settled again, later.
  const since = delivery.isFallback ? Math.min(steppedIn.getTime(), attempt.startedAt.getTime()) : (scheduledAt ?? createdAt).getTime();
  return threeDigits(Math.max(0, attempt.finishedAt.getTime() - since));
}
