import type { Clock } from "../foundation/clock.ts";
import { BelfryError } from "../foundation/errors.ts";

const RETRY_MS = 500;

/** For how long, and by which clock, the end of an attempt is recorded. */
export interface RecordingLimit {
  readonly leaseMs: number;
  readonly clock: Clock;
  /** Aborts when the lease is lost or the worker stops: the record is tried once then, and not again. */
  readonly signal: AbortSignal;
}

/** Records how an attempt ended, for as long as its lease lasts: until then, nobody else makes another attempt. */
export async function untilRecorded<Result>(record: () => Promise<Result>, limit: RecordingLimit): Promise<Result> {
  try {
    return await record();
  } catch (error) {
    if (!isRetryable(error) || limit.signal.aborted) {
      throw error;
    }
    return await retrying(record, limit);
  }
}

async function retrying<Result>(record: () => Promise<Result>, { leaseMs, clock, signal }: RecordingLimit): Promise<Result> {
  const lease = new AbortController();
  // By a timer, as the time of day may jump.
  const cancel = clock.after(leaseMs, () => lease.abort());
  const ends = AbortSignal.any([signal, lease.signal]);
  try {
    for (;;) {
      await pause(clock, ends);
      try {
        return await record();
      } catch (error) {
        if (!isRetryable(error) || ends.aborted) {
          throw error;
        }
      }
    }
  } finally {
    cancel();
  }
}

/** Resolves after a while, or at once when `signal` aborts. */
async function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(RETRY_MS, resolve);
  const onAbort = () => resolve();
  signal.addEventListener("abort", onAbort);
  await promise;
  cancel();
  signal.removeEventListener("abort", onAbort);
}

function isRetryable(error: unknown): boolean {
  return error instanceof BelfryError && error.retryable;
}
