import type { Logger } from "./logger.ts";

/**
 * Calls a host's listener, whose error is its own: whoever is told after it, and what has just been committed, go on. A
 * listener may be asynchronous, whatever its type says; what it rejects with is logged too.
 *
 * @param whose begins the line that is logged
 */
export function guarded(logger: Logger, tell: () => unknown, whose = "A subscriber's listener"): void {
  const failed = (error: unknown) => logger.error({ error }, `${whose} threw an error.`);
  try {
    const told = tell();
    if (told instanceof Promise) {
      told.catch(failed);
    }
  } catch (error) {
    failed(error);
  }
}
