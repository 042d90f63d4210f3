import type { Clock } from "../foundation/clock.ts";
import type { Work, WorkSignal } from "./transport.ts";

/** The least time between two calls for the same work. */
const INTERVAL_MS = 100;

/** The parts that calls use. */
export interface WorkerCallsOptions {
  publish(signals: readonly WorkSignal[]): void;
  readonly clock: Clock;
}

/** Calls the workers of other processes from one that has none itself: at once, and then ten times a second at the most. */
export class WorkerCalls {
  readonly #options: WorkerCallsOptions;
  /** The work that was called for a moment ago, with whether it is to be called for again. */
  readonly #called = new Map<Work, boolean>();

  constructor(options: WorkerCallsOptions) {
    this.#options = options;
  }

  call(work: Work): void {
    if (this.#called.has(work)) {
      this.#called.set(work, true);
      return;
    }
    const { publish, clock } = this.#options;
    this.#called.set(work, false);
    clock.after(INTERVAL_MS, () => this.#maybeAgain(work));
    publish([{ topic: "work", work }]);
  }

  #maybeAgain(work: Work): void {
    const isCalledAgain = this.#called.get(work) === true;
    this.#called.delete(work);
    if (isCalledAgain) {
      this.call(work);
    }
  }
}
