import type { HealthBucket, HealthRange } from "./activity.ts";
import type { OperatorContext } from "./context.ts";
import { lostSince } from "./heartbeat.ts";
import { healthWindow } from "./read-health.ts";
import type { HubHealth, RecentRecord, WorkHealth } from "./work-health.ts";

const MOST_WAITING = 10_000;
const MOST_RECENT = 5_000;

/** How many workers are read. */
const MOST_WORKERS = 200;

type WorkContext = Pick<OperatorContext, "activity" | "health" | "instance" | "workers" | "clock" | "ready">;

/** Reads how the work in the background stands. */
export async function readWorkHealth(context: WorkContext, tenant: string, range: HealthRange): Promise<WorkHealth> {
  using _call = await context.ready();
  const { activity, health, instance, clock } = context;
  const now = new Date(clock.now());
  const { from, bucketMs, buckets } = healthWindow(range, now.getTime());
  const lost = lostSince(now.getTime());
  const [seen, leases, recent, records, digests] = await Promise.all([
    health.workers(MOST_WORKERS, lost),
    activity.leases(tenant),
    activity.recentRecords(tenant, from, MOST_RECENT),
    activity.waitingRecords(tenant, now, MOST_WAITING),
    activity.waitingDigests(tenant, now, MOST_WAITING),
  ]);
  const parts = Array.from({ length: buckets }, (_, bucket) => new Date(from.getTime() + bucket * bucketMs));
  const others = seen.filter((worker) => worker.instance !== instance).map((worker) => ({ ...worker, isLost: worker.seenAt <= lost }));
  return { workers: context.workers(), others, leases, hub: { ...records, ...hubHealth(recent, parts, bucketMs) }, digests };
}

function hubHealth(
  recent: readonly RecentRecord[],
  parts: readonly Date[],
  bucketMs: number,
): Omit<HubHealth, "waiting" | "due" | "oldestDueAt"> {
  const count = (records: readonly RecentRecord[], status: RecentRecord["status"]) =>
    records.filter((record) => record.status === status).length;
  const fromMs = parts[0]?.getTime() ?? 0;
  const byPart = Map.groupBy(recent, ({ createdAt }) => Math.floor((createdAt.getTime() - fromMs) / bucketMs));
  const buckets = parts.map((from, part): HealthBucket => {
    const records = byPart.get(part) ?? [];
    return { from, succeeded: count(records, "COMPLETED"), failed: count(records, "FAILED") };
  });
  const took = recent
    .flatMap(({ createdAt, completedAt }) => (completedAt === null ? [] : [Math.max(0, completedAt.getTime() - createdAt.getTime())]))
    .sort((left, right) => left - right);
  const percentile = (share: number) => took[Math.ceil(took.length * share) - 1] ?? null;
  const all = { succeeded: count(recent, "COMPLETED"), failed: count(recent, "FAILED") };
  return { ...all, p50Ms: percentile(0.5), p95Ms: percentile(0.95), buckets };
}
