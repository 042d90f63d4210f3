import type { ActivityStorage } from "./activity-storage.ts";
import { walkFailing } from "./walk-failing.ts";

/** How many attempts have to fail, and at how many endpoints: one that is gone says nothing of its channel, however often it is tried. */
const LEAST = { attempts: 3, endpoints: 2 } as const;

/** Which failures to look at. */
interface InDoubt {
  readonly tenant: string;
  readonly channels: readonly string[];
  readonly from: Date;
}

/**
 * Returns those of the channels over which some attempts have failed since a time, at two or more endpoints, so that they are tried again. What was
 * refused for good is about its recipient, so it does not count.
 */
export async function failingTogether(
  activity: Pick<ActivityStorage, "failing">,
  { tenant, channels, from }: InDoubt,
): Promise<ReadonlySet<string>> {
  const failures = new Map(channels.map((channel) => [channel, { attempts: 0, recipients: new Set<string>() }]));
  const together = new Set<string>();
  if (failures.size === 0) {
    return together;
  }
  for await (const { channel, recipient, attempts, firstAt, lastAt } of walkFailing(activity, tenant, "retrying")) {
    const own = failures.get(channel);
    if (own === undefined || lastAt < from) {
      continue;
    }
    // Of one that has failed for longer than that, its last attempt alone is known to be within.
    own.attempts += firstAt >= from ? attempts : 1;
    own.recipients.add(recipient);
    if (own.attempts >= LEAST.attempts && own.recipients.size >= LEAST.endpoints) {
      together.add(channel);
    }
    if (together.size === failures.size) {
      break;
    }
  }
  return together;
}
