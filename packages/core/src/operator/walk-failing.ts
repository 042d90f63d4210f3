import { nextTurn } from "../work/timing.ts";
import type { ActivityStorage, FailingDelivery, FailingKind } from "./activity-storage.ts";

/** How many failing deliveries are looked at of a kind, the newest first: a list of more endpoints than these name would not help anybody. */
export const MOST_LOOKED_AT = 10_000;
/** How many one step reads: a few milliseconds' work. */
const STEP = 500;

/** The failing deliveries of a kind in a tenant, the newest first, in steps between which others get their turn. */
export async function* walkFailing(
  activity: Pick<ActivityStorage, "failing">,
  tenant: string,
  kind: FailingKind,
): AsyncGenerator<FailingDelivery> {
  let after: FailingDelivery["place"] | null = null;
  for (let looked = 0; looked < MOST_LOOKED_AT; looked += STEP) {
    const found: readonly FailingDelivery[] = await activity.failing(tenant, { kind, after, limit: STEP });
    yield* found;
    after = found.at(-1)?.place ?? null;
    if (found.length < STEP) {
      break;
    }
    await nextTurn();
  }
}
