import type { Owner } from "../foundation/context.ts";
import { nextTurn } from "../work/timing.ts";
import type { DeliveryContext } from "./context.ts";
import type { Digest } from "./digest.ts";
import { closingOf, DigestReach, UNKNOWN } from "./digest-times.ts";

/** How many windows one step looks at. */
const STEP = 100;

/** Moves the open windows of a user's frequencies to where the settings say now. */
export async function moveWindows(context: DeliveryContext, owner: Owner): Promise<void> {
  await move(context, owner.tenant, await context.digests.openOf(owner));
}

/**
 * Moves those of all users of a tenant, whose settings changed, step by step. A window that it does not come to, because the process
 * ends, has its time until it closes, and stays open then if its new time comes later.
 */
export async function moveWindowsOfAll(context: DeliveryContext, tenant: string): Promise<void> {
  for (let after: string | null = null; ; await nextTurn()) {
    const { digests, next } = await context.digests.openIn(tenant, { after, limit: STEP });
    await move(context, tenant, digests);
    if (next === null) {
      return;
    }
    after = next;
  }
}

async function move(context: DeliveryContext, tenant: string, digests: readonly Digest[]): Promise<void> {
  const now = context.clock.now();
  // One that is over closes, however late a worker comes to it.
  const open = digests.filter(({ plan, closesAt }) => plan.frequency !== null && closesAt.getTime() > now);
  if (open.length === 0) {
    return;
  }
  const reach = new DigestReach(context);
  const lookup = await context.preferences.of(tenant, [...new Set(open.map(({ userId }) => userId))]);
  const moved = open.map(async (digest) => {
    const { settings } = lookup(digest.userId);
    const { timeZone: zone } = settings.hasTimeZone ? UNKNOWN : await reach.of(digest).catch(() => UNKNOWN);
    const closesAt = closingOf(digest.plan, settings, { zone, atMs: now });
    return closesAt === null || closesAt === digest.closesAt.getTime() ? [] : [{ id: digest.id, closesAt }];
  });
  for (const [closesAt, those] of Map.groupBy((await Promise.all(moved)).flat(), (one) => one.closesAt)) {
    await context.digests.move(
      tenant,
      those.map(({ id }) => id),
      new Date(closesAt),
    );
  }
  context.closeDigests();
}
