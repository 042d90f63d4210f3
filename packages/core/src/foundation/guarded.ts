import type { Logger } from "./logger.ts";

/** Tells a listener, whose error is its own: those told after it, and what has just been committed, go on. */
export function guarded(logger: Logger, tell: () => void): void {
  try {
    tell();
  } catch (error) {
    logger.error({ error }, "A subscriber's listener threw an error.");
  }
}
