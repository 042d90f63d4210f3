import type { Lease, LeaseStorage, LostLease, NamedLeaseStorage } from "./lease-storage.ts";
import type { TaskEnd } from "./leased-work.ts";
import type { Cancellation } from "./timing.ts";

/** A kind of task that is done under a lease: what a `LeaseEngine` needs to know of it. */
export interface LeasedTasks<Task, Fairness extends object, Ended> {
  /** Names the tasks in logs, for example `deliveries`. */
  readonly name: string;
  readonly leases: LeaseStorage<Task, Fairness>;
  /** The same leases, if tasks may be claimed by name. @default they may not */
  readonly named?: NamedLeaseStorage<Task, Fairness>;
  leaseOf(task: Task): Lease & { readonly tenant: string };
  /** When a task was due that was just claimed; null if nobody knows. */
  dueAtOf(task: Task): Date | null;
  /** Returns the limits and exclusions of a claim at this moment. */
  fairness(): Fairness;
  /** A task was claimed, by a claim that was asked for at `askedMs`. */
  began?(task: Task, askedMs: number): void;
  /** Whether a task may begin now that is still to be written, and need not be claimed. @default no task may */
  mayBegin?(task: Task): boolean;
  /** A task that is still to be written has its turn: its attempt begins right after the commit. @default nothing */
  reserved?(task: Task): void;
  /** A task's attempt is over, or its lease was lost before that began. */
  ended?(task: Task): void;
  /** Does a task once and returns the result. `cancellation` ends it when the lease is lost or the worker has no more time. */
  attempt(task: Task, cancellation: Cancellation): Promise<Ended>;
  /** Records the results of attempts, and returns which of them counted: those whose lease `owner` still held. */
  record(owner: string, ended: readonly Ended[]): Promise<readonly boolean[]>;
  /** How the task ended that had this result, if that counted. */
  endOf(ended: Ended): TaskEnd;
  /** Whether another task may be due, now or later, because of a result that counted. */
  makesDue(ended: Ended): boolean;
  /** Ends the attempts of workers that lost their leases, unless the leases were renewed since. */
  endLost(lost: readonly LostLease[]): Promise<void>;
  /** Does whatever else is due by the time. @default nothing */
  tidy?(): Promise<void>;
}
