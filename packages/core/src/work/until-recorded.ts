import { BelfryError } from "../foundation/errors.ts";

const RETRY_MS = 500;

/** Records how an attempt ended, for as long as its lease lasts: until then, nobody else makes another attempt. */
export async function untilRecorded<Result>(record: () => Promise<Result>, leaseMs: number): Promise<Result> {
  const deadlineMs = performance.now() + leaseMs;
  for (;;) {
    try {
      return await record();
    } catch (error) {
      if (!(error instanceof BelfryError && error.retryable) || performance.now() >= deadlineMs) {
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
