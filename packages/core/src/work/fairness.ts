/** So few turns have no fifth to keep free. */
const FEW = 5;

/** Keeps one tenant from taking every turn of a worker: a tenant gets four fifths of them at most. */
export class TenantShare {
  readonly #concurrency: number;
  readonly #perTenant: number;
  readonly #counts = new Map<string, number>();

  /** @param concurrency how many tasks are under way at once */
  constructor(concurrency: number) {
    this.#concurrency = concurrency;
    this.#perTenant = Math.max(1, Math.floor(concurrency * 0.8));
  }

  began(tenant: string): void {
    this.#counts.set(tenant, (this.#counts.get(tenant) ?? 0) + 1);
  }

  ended(tenant: string): void {
    const left = (this.#counts.get(tenant) ?? 1) - 1;
    if (left > 0) {
      this.#counts.set(tenant, left);
    } else {
      this.#counts.delete(tenant);
    }
  }

  /**
   * Returns how many tasks one claim may take, whosever they are, so that no tenant gets more than its share; those with a full one
   * get none. Of fewer than {@link FEW} turns nothing is kept free: a tenant that is alone would lose too many of them.
   */
  room(): number {
    if (this.#concurrency < FEW) {
      return this.#concurrency;
    }
    const counts = [...this.#counts.values()].filter((count) => count < this.#perTenant);
    return this.#perTenant - Math.max(0, ...counts);
  }

  /** Returns the tenants that have their full share now. */
  full(): readonly string[] {
    return [...this.#counts].filter(([, count]) => count >= this.#perTenant).map(([tenant]) => tenant);
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
