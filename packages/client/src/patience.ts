const MAX_WAIT_MS = 30_000;

/** A random time to wait after some failures in a row: full jitter, so that many clients do not come back at once. */
export function jitter(failures: number): number {
  return Math.random() * Math.min(MAX_WAIT_MS, 1_000 * 2 ** Math.min(failures, 10));
}

/** Waits for a time, or until a signal. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
    if (signal.aborted) {
      done();
    }
  });
}
