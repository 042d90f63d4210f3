import type { WorkContext } from "../foundation/context.ts";
import type { LeasedTasks } from "./leased-tasks.ts";

/** How many lost leases are ended at once. */
const MAX_LOST = 256;
/** Other processes' leases are no longer than this, or than twice one of ours. */
const MAX_LEASE_MS = 3_600_000;

/** The parts that {@link LostLeases} use. */
export interface LostLeasesOptions extends Pick<WorkContext, "clock"> {
  readonly owner: string;
  readonly leaseMs: number;
  /** The tasks in hand. Their leases are not lost, whatever the clock says: they end, or another worker takes them over. */
  readonly held: { has(id: string): boolean };
}

/** Ends the leases whose workers did not renew them in time, as after a crash. */
export class LostLeases<Task, Fairness extends object, Ended> {
  readonly #tasks: Pick<LeasedTasks<Task, Fairness, Ended>, "leases" | "endLost">;
  readonly #options: LostLeasesOptions;
  /** Whether no other process works on the storage; null until what others left was taken over. */
  #isAlone: boolean | null = null;

  constructor(tasks: Pick<LeasedTasks<Task, Fairness, Ended>, "leases" | "endLost">, options: LostLeasesOptions) {
    this.#tasks = tasks;
    this.#options = options;
  }

  /**
   * Ends all of them.
   *
   * @param mayTakeOver asked the first time: whether no other process works on the storage, so that every lease that an earlier process
   * held is lost, though it has not run out
   */
  async end(mayTakeOver: () => boolean): Promise<void> {
    const isAlone = this.#isAlone ?? mayTakeOver();
    while (await this.#endSome(isAlone)) {
      // There may be more.
    }
    this.#isAlone = isAlone;
  }

  /** Ends a batch, and returns whether there may be more. */
  async #endSome(isAlone: boolean): Promise<boolean> {
    const { owner, leaseMs, clock, held } = this.#options;
    const lost = await this.#tasks.leases.lost({
      at: new Date(clock.now()),
      limit: MAX_LOST,
      furthestMs: isAlone ? leaseMs : Math.max(MAX_LEASE_MS, 2 * leaseMs),
      ...(isAlone && this.#isAlone === null ? { notOwnedBy: owner } : {}),
    });
    const gone = lost.filter((lease) => lease.owner !== owner || !held.has(lease.id));
    if (gone.length === 0) {
      return false;
    }
    await this.#tasks.endLost(gone);
    return lost.length === MAX_LOST;
  }
}
