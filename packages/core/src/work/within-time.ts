import type { Clock } from "../foundation/clock.ts";

/** The work took longer than it may. */
export class OutOfTime extends Error {}

/** How long some work may take, and what else ends it. */
export interface TimeLimit {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Does `work`, which is the host's own, within its time. Rejects when it throws, takes too long or is aborted; work that
 * does not heed its signal is not waited for.
 */
export async function withinTime<Result>(work: (signal: AbortSignal) => Promise<Result>, limit: TimeLimit): Promise<Result> {
  const { timeoutMs, clock, signal } = limit;
  const late = new AbortController();
  const cancel = clock.after(timeoutMs, () => late.abort(new OutOfTime(`The attempt took longer than ${timeoutMs} ms.`)));
  const ends = AbortSignal.any([signal, late.signal]);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(ends.reason);
  ends.addEventListener("abort", onAbort);
  try {
    ends.throwIfAborted();
    return await Promise.race([work(ends), aborted]);
  } finally {
    cancel();
    ends.removeEventListener("abort", onAbort);
  }
}
