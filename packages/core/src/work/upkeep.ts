import type { LeasedWork, LeasedWorkerOptions } from "./leased-work.ts";
import type { Looking, NextRun } from "./loop.ts";

/** The pause before the next look when tasks are due that could not be had: others hold them, or they wait for their turn. */
const OVERDUE_DELAY_MS = 250;
/** While tasks end all the time, it tidies this often. */
const TIDYING_INTERVAL_MS = 250;
/** The longest sleep. Some runtimes cut timers of a day and more short. */
const MAX_DELAY_MS = 3_600_000;

/** In how many milliseconds something is due, null for never, counted from the time of the question. */
export type NextDue = Required<Pick<Looking, "dueInMs" | "sinceMs">>;

/** Tidies leased work now and then, and says when it is to be looked at again. */
export class Upkeep {
  readonly #work: Pick<LeasedWork<unknown>, "tidy" | "nextDueInMs">;
  readonly #options: Pick<LeasedWorkerOptions, "clock" | "pollIntervalMs">;
  #tidiedMs = Number.NEGATIVE_INFINITY;

  constructor(work: Pick<LeasedWork<unknown>, "tidy" | "nextDueInMs">, options: Pick<LeasedWorkerOptions, "clock" | "pollIntervalMs">) {
    this.#work = work;
    this.#options = options;
  }

  /** Tidies, unless it did a moment ago. Returns whether it did. */
  async tidyNowAndThen(): Promise<boolean> {
    const isDue = !this.hasTidiedWithin(TIDYING_INTERVAL_MS);
    if (isDue) {
      await this.tidy();
    }
    return isDue;
  }

  /** Whether it tidied less than so many milliseconds ago. */
  hasTidiedWithin(ms: number): boolean {
    // The time of day may jump either way.
    return Math.abs(this.#options.clock.now() - this.#tidiedMs) < ms;
  }

  async tidy(): Promise<void> {
    await this.#work.tidy();
    this.#tidiedMs = this.#options.clock.now();
  }

  async nextDue(): Promise<NextDue> {
    const sinceMs = this.#options.clock.now();
    return { dueInMs: await this.#work.nextDueInMs(), sinceMs };
  }

  /** A wait counts from the time of the question: until the answer, it may have passed. */
  nextRun({ dueInMs, sinceMs }: NextDue): NextRun {
    const { pollIntervalMs: lookInMs } = this.#options;
    if (dueInMs !== null && dueInMs <= 0) {
      return { dueInMs: OVERDUE_DELAY_MS, lookInMs };
    }
    return { dueInMs: dueInMs === null ? null : Math.min(Math.max(dueInMs, 1), MAX_DELAY_MS), sinceMs, lookInMs };
  }
}
