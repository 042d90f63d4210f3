import type { Clock } from "./clock.ts";
import type { Logger } from "./logger.ts";

const INTERVAL_MS = 60_000;
/** Messages are Belfry's own and few; the limit only keeps a mistake from growing without end. */
const MAX_MESSAGES = 1_000;

/** Logs a warning that may come with every request once a minute, and says how often it came meanwhile. */
export class RepeatedLines {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #lines = new Map<string, { loggedMs: number; leftOut: number }>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Logs `message`, unless it was logged less than a minute ago. */
  warn(fields: object, message: string): void {
    const nowMs = this.#clock.now();
    const line = this.#lines.get(message);
    // By how far apart, as a clock may go back.
    if (line !== undefined && Math.abs(nowMs - line.loggedMs) < INTERVAL_MS) {
      line.leftOut += 1;
      return;
    }
    if (this.#lines.size >= MAX_MESSAGES) {
      this.#lines.clear();
    }
    this.#lines.set(message, { loggedMs: nowMs, leftOut: 0 });
    this.#logger.warn(line?.leftOut ? { ...fields, timesSinceTheLastLine: line.leftOut + 1 } : fields, message);
  }
}
