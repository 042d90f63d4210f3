import type { ActivityStorage } from "./activity-storage.ts";

/** How many deliveries that wait for another attempt are looked at, those of the newest notifications. */
const MOST_LOOKED_AT = 500;
/** How many attempts have to fail, and at how many endpoints: one that is gone says nothing of its channel, however often it is tried. */
const LEAST = { attempts: 3, endpoints: 2 } as const;

/**
 * Returns the channels over which some attempts have failed since a time, at two or more endpoints, so that they are tried again. What was refused for
 * good is about its recipient, so it does not count.
 */
export async function failingTogether(
  activity: Pick<ActivityStorage, "failing">,
  tenant: string,
  from: Date,
): Promise<ReadonlySet<string>> {
  const found = await activity.failing(tenant, { kind: "retrying", after: null, limit: MOST_LOOKED_AT });
  const recent = found.filter(({ lastAt }) => lastAt >= from);
  const channels = new Set(recent.map(({ channel }) => channel));
  return new Set(
    [...channels].filter((channel) => {
      const own = recent.filter((delivery) => delivery.channel === channel);
      // Of one that has failed for longer than that, its last attempt alone is known to be within.
      const attempts = own.reduce((sum, { attempts: all, firstAt }) => sum + (firstAt >= from ? all : 1), 0);
      return attempts >= LEAST.attempts && new Set(own.map(({ recipient }) => recipient)).size >= LEAST.endpoints;
    }),
  );
}
