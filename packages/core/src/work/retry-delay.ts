const MAX_RETRY_AFTER_MS = 24 * 60 * 60 * 1_000;
/** Retries are spread by this much either way, so that what failed together does not come back together. */
const JITTER = 0.2;

/** What failed, and what is known of it. */
export interface FailedAttempt {
  /** Counted from 1. */
  readonly attempt: number;
  readonly retryAfterMs?: number | undefined;
  /** From 0 to 1. */
  readonly random: number;
}

/**
 * In how many milliseconds to try again after a transient failure, null for not at all: by the schedule ±20 %, or as long
 * as the provider asked for, at least the first delay and at most 24 hours.
 */
export function retryDelayMs(delaysMs: readonly number[], { attempt, retryAfterMs, random }: FailedAttempt): number | null {
  const delayMs = delaysMs[attempt - 1];
  if (delayMs === undefined) {
    return null;
  }
  // What is no number, as what a missing header was converted to, is no wait either.
  if (retryAfterMs !== undefined && Number.isFinite(retryAfterMs)) {
    return Math.round(Math.min(Math.max(retryAfterMs, delaysMs[0] ?? 0), MAX_RETRY_AFTER_MS));
  }
  return Math.round(delayMs * (1 + JITTER * (2 * random - 1)));
}
