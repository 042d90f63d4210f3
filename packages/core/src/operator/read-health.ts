import type { ChannelBacklog, ChannelHealth, HealthRange } from "./activity.ts";
import type { HealthWindow } from "./activity-storage.ts";
import type { OperatorContext } from "./context.ts";

/** A minute: what attempts are counted by. */
export const MINUTE_MS = 60_000;

/** How many deliveries that wait are counted: looking at more would take longer than there is time between two looks. */
export const MOST_WAITING = 100_000;

const NOTHING: ChannelBacklog["waiting"] = { scheduled: 0, due: 0, retrying: 0, held: 0 };

/** The parts of each period. */
export const HEALTH_RANGES: Readonly<Record<HealthRange, { readonly bucketMs: number; readonly buckets: number }>> = {
  "1h": { bucketMs: MINUTE_MS, buckets: 60 },
  "24h": { bucketMs: 30 * MINUTE_MS, buckets: 48 },
  "7d": { bucketMs: 120 * MINUTE_MS, buckets: 84 },
};

type HealthContext = Pick<OperatorContext, "activity" | "health" | "clock" | "ready">;

/** Reads the health of a tenant's channels over a period. */
export async function readHealth(context: HealthContext, tenant: string, range: HealthRange): Promise<readonly ChannelHealth[]> {
  using _call = await context.ready();
  const nowMs = context.clock.now();
  const window = healthWindow(range, nowMs);
  const [channels, { looked, channels: backlogs }] = await Promise.all([
    context.activity.health(tenant, window, new Date(nowMs)),
    context.health.backlogs(tenant, window),
  ]);
  return channels.map((channel) => {
    const parts = backlogs.find((of) => of.channel === channel.channel)?.parts ?? [];
    const waitingIn = (part: number) => (looked[part] === true ? (parts[part] ?? NOTHING) : null);
    return { ...channel, backlog: channel.buckets.map(({ from }, part) => ({ from, waiting: waitingIn(part) })) };
  });
}

/** A period that ends now. Parts begin at round times, so that a bar of the chart stays the same bar as time passes. The last one is the current one. */
export function healthWindow(range: HealthRange, nowMs: number): HealthWindow {
  const parts = HEALTH_RANGES[range];
  return { from: new Date(nowMs - (nowMs % parts.bucketMs) - (parts.buckets - 1) * parts.bucketMs), ...parts, mostWaiting: MOST_WAITING };
}

/** Reads what waits to go out over a tenant's channels. */
export async function readBacklog(context: HealthContext, tenant: string): Promise<readonly ChannelBacklog[]> {
  using _call = await context.ready();
  const now = new Date(context.clock.now());
  // A period without parts has no attempts to look at.
  const channels = await context.activity.health(tenant, { from: now, bucketMs: MINUTE_MS, buckets: 0, mostWaiting: MOST_WAITING }, now);
  return channels.map(({ channel, pending, waiting, oldestDueAt }) => ({ channel, pending, waiting, oldestDueAt }));
}
