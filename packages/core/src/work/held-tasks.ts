import type { Lease } from "./lease-storage.ts";

/** The tasks that a worker has in hand: claimed, and not recorded yet. And those that it must not begin again, although it holds their leases. */
export class HeldTasks<Task> {
  readonly #leaseOf: (task: Task) => Lease;
  readonly #held = new Set<string>();
  /** Those that were let go since the question under way was asked; null while there is none. */
  #letGo: Set<string> | null = null;
  /**
   * Whether it may hold tasks that it does not know of, as those of a claim whose answer was lost with the connection. It finds them again;
   * otherwise nobody could do them until their leases run out.
   */
  #mayHoldMore = false;
  /** How many it has found again so far. */
  #found = 0;
  /**
   * The fences of tasks that were attempted, and whose ends could not be recorded. They stay leased until that runs out: another attempt
   * under the same lease would be counted by nobody.
   */
  readonly #unrecorded = new Map<string, number>();

  constructor(leaseOf: (task: Task) => Lease) {
    this.#leaseOf = leaseOf;
  }

  get mayHoldMore(): boolean {
    return this.#mayHoldMore;
  }

  get found(): number {
    return this.#found;
  }

  has(id: string): boolean {
    return this.#held.has(id);
  }

  add(id: string): void {
    this.#held.add(id);
  }

  delete(id: string): void {
    this.#held.delete(id);
    this.#letGo?.add(id);
  }

  /** Notes that a task was attempted, but its end not recorded. */
  leaveUnrecorded({ id, fence }: Lease): void {
    this.#unrecorded.set(id, fence);
  }

  /** Has the next look ask for all that is leased to the worker. */
  lookForMore(): void {
    this.#mayHoldMore = true;
  }

  /** Has the next look ask which of the tasks whose ends could not be recorded are still leased to the worker: the others are forgotten then. */
  forgetUnrecorded(): void {
    this.#mayHoldMore ||= this.#unrecorded.size > 0;
  }

  /**
   * If there may be more, asks for all that is leased to the worker, and returns up to `limit` tasks that it may begin of that: those that it
   * neither has in hand nor has attempted. No claim may be under way meanwhile, as what it was given would be among them.
   */
  async findMore(limit: number, askLeased: () => Promise<readonly Task[]>): Promise<readonly Task[]> {
    if (!this.#mayHoldMore) {
      return [];
    }
    // Whoever notes meanwhile that there may be more wants another question.
    this.#mayHoldMore = false;
    // A task that ends while the question is under way is leased in the answer, and not in hand any more.
    const letGo = new Set<string>();
    this.#letGo = letGo;
    const unrecordedBefore = [...this.#unrecorded.keys()];
    let leased: readonly Task[];
    try {
      leased = await askLeased();
    } catch (error) {
      this.#mayHoldMore = true;
      throw error;
    } finally {
      this.#letGo = null;
    }
    const ids = new Set(leased.map((task) => this.#leaseOf(task).id));
    for (const id of unrecordedBefore.filter((one) => !ids.has(one))) {
      this.#unrecorded.delete(id);
    }
    const found = leased.filter((task) => {
      const { id, fence } = this.#leaseOf(task);
      return !this.#held.has(id) && !letGo.has(id) && this.#unrecorded.get(id) !== fence;
    });
    this.#mayHoldMore ||= found.length > limit;
    this.#found += Math.min(found.length, limit);
    return found.slice(0, limit);
  }
}
