import type { InboxCounts } from "./inbox-item.ts";
import type { StepOfCall } from "./logged-change.ts";

/** A step is usually a hundred times as fast. After this time, its call counts as over. */
const STEP_MS = 3_000;

/** Steps of one call that are one change of the inbox. */
export interface Steps {
  /** How many active items they changed. */
  readonly count: number;
  /** How many items they changed, wherever they are. */
  readonly changed: number;
  /** The counts after the last of them. */
  readonly counts: InboxCounts;
  /** How many numbers the change has, up to the `rev` of its counts: one for each step. */
  readonly revs: number;
}

/**
 * Puts the steps of one call together as the log does, so that clients are told of them once: all, unless another call changed the
 * inbox between two steps. The number of each step is taken at once: if the process dies, the log has what was done.
 */
export class SteppedChange {
  readonly #tell: (steps: Steps) => void;
  #steps: Steps | null = null;

  /** @param tell is called at the end, and before that for the steps that another call's change follows */
  constructor(tell: (steps: Steps) => void) {
    this.#tell = tell;
  }

  /** What the next step continues, and until when others may wait for the one after it. */
  next(now: number): StepOfCall {
    const openUntil = new Date(now + STEP_MS);
    return this.#steps === null ? { openUntil } : { openUntil, continues: this.#steps.counts.rev };
  }

  /** Takes a step that was made. */
  add(step: Omit<Steps, "revs">): void {
    const before = this.#steps;
    if (step.changed === 0) {
      return;
    }
    if (before !== null && step.counts.rev === before.counts.rev + 1 && step.counts.epoch === before.counts.epoch) {
      const { count, changed, revs } = before;
      this.#steps = { count: count + step.count, changed: changed + step.changed, counts: step.counts, revs: revs + 1 };
    } else {
      this.end();
      this.#steps = { ...step, revs: 1 };
    }
  }

  /** Tells of the steps that were not told yet. */
  end(): void {
    const steps = this.#steps;
    this.#steps = null;
    if (steps !== null) {
      this.#tell(steps);
    }
  }
}
