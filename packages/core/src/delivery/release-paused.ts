import { nextTurn } from "../work/timing.ts";
import type { DeliveryContext } from "./context.ts";
import type { PausedPlace, StoredPause } from "./pause.ts";

/** How many deliveries one step releases: few enough that it holds its locks for a few milliseconds. */
const RELEASED = 50;
/**
 * For how long after a resume another process may hold back more: what it knows of pauses is a second old at the most, and then it has to write
 * what it decided.
 */
const SETTLING_MS = 60_000;

type ReleasingContext = Pick<DeliveryContext, "holds" | "clock" | "deliverDue">;

/**
 * Makes due what resumed pauses held back, the oldest notifications first, step by step. Several processes may do it at once. Returns the
 * milliseconds until it has to be done again; null for never.
 */
export async function releasePaused(context: ReleasingContext, isStopping: () => boolean): Promise<number | null> {
  const { holds, clock } = context;
  const pauses = await holds.pauses();
  let againMs: number | null = null;
  for (const pause of pauses.filter(({ resumedAt }) => resumedAt !== null)) {
    // What a wider pause still holds back, that one releases.
    if (!pauses.some((other) => isHeldBy(pause, other))) {
      await releaseAll(context, pause, isStopping);
    }
    const leftMs = (pause.resumedAt?.getTime() ?? 0) + SETTLING_MS - clock.now();
    if (leftMs > 0 || isStopping()) {
      againMs = Math.max(0, Math.min(againMs ?? leftMs, leftMs));
    } else {
      await holds.forgetPause(pause);
    }
  }
  return againMs;
}

async function releaseAll({ holds, clock, deliverDue }: ReleasingContext, pause: StoredPause, isStopping: () => boolean): Promise<void> {
  for (let released = RELEASED; released === RELEASED && !isStopping(); await nextTurn()) {
    released = await holds.release(pause, RELEASED, new Date(clock.now()));
    if (released > 0) {
      deliverDue();
    }
  }
}

/** Whether another pause, which lasts, covers the whole place of a pause. */
function isHeldBy({ tenant, channel, recipient }: StoredPause, other: StoredPause): boolean {
  const isWithin = (wide: PausedPlace) =>
    (wide.channel === null || wide.channel === channel) && (wide.recipient === null || wide.recipient === recipient);
  return other.resumedAt === null && other.tenant === tenant && isWithin(other);
}
