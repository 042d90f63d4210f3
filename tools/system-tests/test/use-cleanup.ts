import { afterEach } from "vitest";

type Cleanup = () => unknown;

/** Runs a test's cleanup tasks after that test, the last task first, even if one of them fails. */
export function useCleanup(): (cleanup: Cleanup) => void {
  const cleanups: Cleanup[] = [];
  afterEach(async () => {
    const failures: unknown[] = [];
    for (const cleanup of cleanups.splice(0).reverse()) {
      try {
        await cleanup();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) {
      throw new AggregateError(failures, "What a test left behind could not be cleaned up.");
    }
  });
  return (cleanup) => void cleanups.push(cleanup);
}
