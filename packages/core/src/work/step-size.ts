/** How long steps of long work are to be. */
export interface StepSizing {
  readonly fewest: number;
  readonly most: number;
  /** How long a step is to take. */
  readonly wantedMs: number;
}

/** How much a step may grow over the one before: one that was short by chance does not make the next a long one. */
const GROWTH = 1.25;

/** Sizes steps of long work by the time that the one before took: rows may be large, disks slow, and one row may touch many others. */
export class StepSize {
  readonly #sizing: StepSizing;
  readonly #nowMs: () => number;
  #size: number;

  constructor(sizing: StepSizing, nowMs: () => number) {
    this.#sizing = sizing;
    this.#nowMs = nowMs;
    this.#size = sizing.fewest;
  }

  /** Runs a step, and tells it how large it may be. */
  async step<Result>(run: (limit: number) => Promise<Result>): Promise<Result> {
    const { fewest, most, wantedMs } = this.#sizing;
    const beganMs = this.#nowMs();
    const result = await run(this.#size);
    const tookMs = this.#nowMs() - beganMs;
    const times = Math.min(GROWTH, wantedMs / Math.max(tookMs, 1));
    this.#size = Math.max(fewest, Math.min(most, Math.round(this.#size * times)));
    return result;
  }
}
