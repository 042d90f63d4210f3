import type { Logger } from "../foundation/logger.ts";

/** Names a lease: the task, and the fence that the claim gave it. */
export interface Lease {
  readonly id: string;
  readonly fence: number;
}

/** A lease that its holder lost. */
export interface LostLease extends Lease {
  readonly owner: string;
  /** When it ran out, or was to run out. If the task has another time now, its holder has renewed the lease since. */
  readonly until: Date;
  /** The number of the task's attempts, this one included. */
  readonly attempt: number;
}

/** A worker's request for tasks. */
export interface LeaseRequest {
  /** Names the worker: random, and drawn anew for each service. */
  readonly owner: string;
  readonly at: Date;
  readonly leaseMs: number;
  /** How many at the most. */
  readonly limit: number;
  /** Tenants that have their full share now. */
  readonly exceptTenants: readonly string[];
}

/** What a claim would find. */
export type DueRequest = Pick<LeaseRequest, "at" | "limit" | "exceptTenants">;

/** Which leases count as lost. */
export interface LostLeaseQuery {
  readonly at: Date;
  /** How many at the most. */
  readonly limit: number;
  /** A lease further ahead than this was given before the clock went back: it is lost, too. */
  readonly furthestMs: number;
  /** Every lease of another owner is lost. */
  readonly notOwnedBy?: string;
}

/**
 * Leases of one kind of task. A storage builds it once for all kinds; how a task ends is a verb of its own domain, which
 * checks owner and fence again. `Fairness` is what a claim of this kind limits or leaves out beside tenants.
 *
 * `at` is the service's time. A storage with a clock that all instances share uses that one instead, unless it was told not to.
 */
export interface LeaseStorage<Task, Fairness extends object = object> {
  /**
   * Leases due tasks that nobody holds, oldest first. Their attempt and fence grow by one. Tasks that another claim is taking
   * at this moment are left to it. The claim is durable when this resolves.
   */
  claim(request: LeaseRequest & Fairness): Promise<readonly Task[]>;

  /**
   * The tasks that `owner` holds, oldest first. They include what it claimed without getting the answer, as when its
   * connection broke.
   */
  leasedTo(owner: string): Promise<readonly Task[]>;

  /** Renews those of the leases that `owner` still holds, and returns them. The others were lost. */
  renew(owner: string, leases: readonly Lease[], options: { readonly at: Date; readonly leaseMs: number }): Promise<readonly Lease[]>;

  /**
   * Leases that ran out, are further ahead than any can be, or are held by another owner than the one given, oldest first.
   * This changes nothing: the verb that ends such a task checks that the lease is still the same.
   */
  lost(query: LostLeaseQuery): Promise<readonly LostLease[]>;

  /** In how many milliseconds the next task is due or a lease runs out; 0 for now, null for none. */
  nextDueInMs(at: Date): Promise<number | null>;
}

/** Names a task, by the lease that its next claim gives: each claim has another name. */
export interface NamedTask extends Lease {
  readonly tenant: string;
}

/** Leases of tasks that may also be claimed by name, as by jobs of a queue: see {@link NamedTask}. */
export interface NamedLeaseStorage<Task, Fairness extends object = object> extends LeaseStorage<Task, Fairness> {
  /** Names the tasks that {@link claim} would lease. This changes nothing, and waits for nobody. */
  due(request: DueRequest & Fairness): Promise<readonly NamedTask[]>;

  /** Leases tasks as {@link claim} does, but only named ones. Names that no task has, or has no more, are left out. */
  claimNamed(named: readonly Lease[], request: LeaseRequest & Fairness): Promise<readonly Task[]>;
}

/** The part of a storage that says who else works on its tasks. */
export interface SharedStorage {
  /** Names the storage in errors and logs, for example `sqlite`. */
  readonly name: string;
  /** Whether one process at a time uses the storage: leases that another owner left are then released at start. */
  readonly hasSingleProcess: boolean;
  /**
   * Where {@link hasSingleProcess} holds: whether no other living process works on the data. Only then are leases that another
   * owner left released at start; it is asked while the storage is open. @default no other does
   */
  isOnlyWorker?(): boolean;
}

/**
 * Whether the leases of others at a worker's start are left over from a process that has ended. They are lost at once
 * then, instead of when they run out.
 */
export function mayTakeOver({ storage, logger }: { readonly storage: SharedStorage; readonly logger: Logger }, work: string): boolean {
  if (!storage.hasSingleProcess) {
    return false;
  }
  if (storage.isOnlyWorker?.() ?? true) {
    return true;
  }
  logger.warn(
    {},
    `Another process, or another service of this one, works on the ${work} of this ${storage.name} database. ` +
      "Let one do it, and give the others delivery: { worker: false } and hub: { worker: false }.",
  );
  return false;
}
