const MAX_WAIT_MS = 30_000;

/** A random time to wait after some failures in a row: full jitter, so that many clients do not come back at once. */
export function jitter(failures: number): number {
  return Math.random() * Math.min(MAX_WAIT_MS, 1_000 * 2 ** Math.min(failures, 10));
}
