/** Counts what is under way for each key, so that none takes more than its share. */
export class Share {
  readonly #most: number;
  readonly #counts = new Map<string, number>();
  /** The keys that have their full share: every claim asks for them, and there may be many counts. */
  readonly #full = new Set<string>();

  /** @param most how many of one key may be under way at once */
  constructor(most: number) {
    this.#most = most;
  }

  began(key: string): void {
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (count >= this.#most) {
      this.#full.add(key);
    }
  }

  ended(key: string): void {
    const left = (this.#counts.get(key) ?? 1) - 1;
    if (left < this.#most) {
      this.#full.delete(key);
    }
    if (left > 0) {
      this.#counts.set(key, left);
    } else {
      this.#counts.delete(key);
    }
  }

  /** Whether one more of a key may begin. */
  mayBegin(key: string): boolean {
    return (this.#counts.get(key) ?? 0) < this.#most;
  }

  /** Returns the keys that have their full share now. */
  full(): readonly string[] {
    return [...this.#full];
  }

  /** Returns how many may begin, whosever they are, so that no key gets more than its share; those with a full one get none. */
  room(): number {
    return this.#most - Math.max(0, ...[...this.#counts.values()].filter((count) => count < this.#most));
  }
}

/** So few turns have no fifth to keep free. */
const FEW = 5;

/**
 * Keeps one tenant from taking every turn of a worker: a tenant gets four fifths of them at most. Of fewer than {@link FEW}
 * turns nothing is kept free: a tenant that is alone would lose too many of them.
 */
export class TenantShare extends Share {
  readonly #concurrency: number;

  /** @param concurrency how many tasks are under way at once */
  constructor(concurrency: number) {
    super(Math.max(1, Math.floor(concurrency * 0.8)));
    this.#concurrency = concurrency;
  }

  override room(): number {
    return this.#concurrency < FEW ? this.#concurrency : super.room();
  }
}
