import type { ChannelHealth, WaitingState } from "@belfry/core";

/** Deliveries that wait for an attempt in one state, and the first due time of them in milliseconds. */
export interface WaitingGroup {
  readonly state: WaitingState;
  readonly count: number;
  readonly firstDueAt: number;
}

/** Adds up how many deliveries of a channel wait. The oldest one due is one that nothing holds back. */
export function waitingOf(groups: readonly WaitingGroup[], at: Date): Pick<ChannelHealth, "pending" | "waiting" | "oldestDueAt"> {
  const waiting: Record<WaitingState, number> = { scheduled: 0, due: 0, retrying: 0, held: 0 };
  let oldest = Number.POSITIVE_INFINITY;
  for (const { state, count, firstDueAt } of groups) {
    waiting[state] += count;
    if (state !== "held") {
      oldest = Math.min(oldest, firstDueAt);
    }
  }
  const pending = Object.values(waiting).reduce((sum, count) => sum + count, 0);
  return { pending, waiting, oldestDueAt: oldest <= at.getTime() ? new Date(oldest) : null };
}
