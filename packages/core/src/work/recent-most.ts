/** The largest value of the last while: of the period at hand, and the one before. */
export class RecentMost {
  readonly #periodMs: number;
  #beganMs = Number.NEGATIVE_INFINITY;
  #most: number | null = null;
  #mostBefore: number | null = null;

  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }

  note(value: number, nowMs: number): void {
    this.#turnTo(nowMs);
    this.#most = Math.max(value, this.#most ?? value);
  }

  /** Null if there was none. */
  at(nowMs: number): number | null {
    this.#turnTo(nowMs);
    return this.#most === null || this.#mostBefore === null ? (this.#most ?? this.#mostBefore) : Math.max(this.#most, this.#mostBefore);
  }

  #turnTo(nowMs: number): void {
    // The time of day may jump either way.
    const passedMs = Math.abs(nowMs - this.#beganMs);
    if (passedMs >= this.#periodMs) {
      this.#mostBefore = passedMs < 2 * this.#periodMs ? this.#most : null;
      this.#most = null;
      this.#beganMs = nowMs;
    }
  }
}
