import type { Lease } from "./lease-storage.ts";

/** The tasks that a worker has in hand: claimed, and not recorded yet. And those that it must not begin again, although it holds their leases. */
export class HeldTasks<Task> {
  readonly #leaseOf: (task: Task) => Lease;
  readonly #held = new Set<string>();
  /**
   * The fences of tasks that were attempted, and whose ends could not be recorded. They stay leased until that runs out: another attempt
   * under the same lease would be counted by nobody.
   */
  readonly #unrecorded = new Map<string, number>();

  constructor(leaseOf: (task: Task) => Lease) {
    this.#leaseOf = leaseOf;
  }

  has(id: string): boolean {
    return this.#held.has(id);
  }

  add(id: string): void {
    this.#held.add(id);
  }

  delete(id: string): void {
    this.#held.delete(id);
  }

  /** Notes that a task was attempted, but its end not recorded. */
  leaveUnrecorded({ id, fence }: Lease): void {
    this.#unrecorded.set(id, fence);
  }

  /** Asks for all that is leased to the worker, and returns what it may begin of that: what it neither has in hand nor has attempted. */
  async findMore(askLeased: () => Promise<readonly Task[]>): Promise<readonly Task[]> {
    // A task that ends while the question is under way is leased in the answer, and not in hand any more.
    const before = new Set(this.#held);
    const unrecordedBefore = [...this.#unrecorded.keys()];
    const leased = await askLeased();
    const ids = new Set(leased.map((task) => this.#leaseOf(task).id));
    for (const id of unrecordedBefore.filter((one) => !ids.has(one))) {
      this.#unrecorded.delete(id);
    }
    return leased.filter((task) => {
      const { id, fence } = this.#leaseOf(task);
      return !this.#held.has(id) && !before.has(id) && this.#unrecorded.get(id) !== fence;
    });
  }
}
