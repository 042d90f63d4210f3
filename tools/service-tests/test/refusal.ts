import type { BelfryError } from "@belfry/core";

/** Resolves with the error that `work` rejects with, and rejects when it was not refused. */
export async function refusal(work: Promise<unknown>): Promise<BelfryError> {
  return work.then(
    () => Promise.reject(new Error("It was not refused.")),
    (error: BelfryError) => error,
  );
}
