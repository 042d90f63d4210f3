/** Counts what is under way for each key, so that none takes more than its share. */
export class Share {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  /** @param most how many of one key may be under way at once */
  constructor(most: number) {
    this.#most = most;
  }

  began(key: string): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  ended(key: string): void {
    const left = (this.#counts.get(key) ?? 1) - 1;
    if (left > 0) {
      this.#counts.set(key, left);
    } else {
      this.#counts.delete(key);
    }
  }

  /** Returns the keys that have their full share now. */
  full(): readonly string[] {
    return [...this.#counts].filter(([, count]) => count >= this.#most).map(([key]) => key);
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

/** The functions that a {@link Claims} takes tasks with. */
export interface ClaimsOptions<Task> {
  idOf(task: Task): string;
  /** Leases up to `limit` tasks that are due. */
  claim(limit: number): Promise<readonly Task[]>;
  /** Returns everything that this worker holds leases of, as the storage has it. */
  leased(): Promise<readonly Task[]>;
}

/**
 * The tasks that one worker holds leases of. A claim may have taken tasks although its answer was lost with the
 * connection. This worker finds them again; otherwise nobody could do them until their leases run out.
 */
export class Claims<Task> {
  readonly #options: ClaimsOptions<Task>;
  readonly #held = new Set<string>();
  #mayHoldMore = false;

  constructor(options: ClaimsOptions<Task>) {
    this.#options = options;
  }

  /** Leases up to `limit` tasks. */
  async take(limit: number): Promise<readonly Task[]> {
    const found = await this.#findAgain(limit);
    const taken = [...found, ...(found.length < limit ? await this.#claim(limit - found.length) : [])];
    for (const task of taken) {
      this.#held.add(this.#options.idOf(task));
    }
    return taken;
  }

  /** Whether a task is in hand. */
  has(id: string): boolean {
    return this.#held.has(id);
  }

  /** Call it when a task's end is recorded, or cannot be. */
  release(task: Task): void {
    this.#held.delete(this.#options.idOf(task));
  }

  async #findAgain(limit: number): Promise<readonly Task[]> {
    if (!this.#mayHoldMore) {
      return [];
    }
    // A task that ends while the question is under way is leased in the answer, and not in hand any more.
    const before = new Set(this.#held);
    const leased = await this.#options.leased();
    const found = leased.filter((task) => {
      const id = this.#options.idOf(task);
      return !this.#held.has(id) && !before.has(id);
    });
    this.#mayHoldMore = found.length > limit;
    return found.slice(0, limit);
  }

  async #claim(limit: number): Promise<readonly Task[]> {
    try {
      return await this.#options.claim(limit);
    } catch (error) {
      this.#mayHoldMore = true;
      throw error;
    }
  }
}
