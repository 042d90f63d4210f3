import type { WorkContext } from "../foundation/context.ts";
import type { Lease } from "./lease-storage.ts";
import type { Lending } from "./lending.ts";
import type { Cancellation } from "./timing.ts";
import type { WorkerLoad } from "./worker-load.ts";

/**
 * How a task ended for now: `done`, also if it was decided that there is nothing to do; put off until `later`; its attempt failed, and is
 * to be `repeated`; it `failed` for good; or it was `lost` to another worker, or had ended otherwise.
 */
export type TaskEnd = "done" | "later" | "repeated" | "failed" | "lost";

/** What became of a task that was performed. */
export interface Performed {
  readonly end: TaskEnd;
  /** Whether another task may be due because of that. */
  readonly mayBeDue: boolean;
}

/** The work of a `LeasedWorker`, which is claimed by lease. */
export interface LeasedWork<Task> extends Partial<Pick<WorkerLoad, "lagMs">> {
  /** Names the work in logs, for example `deliveries`. */
  readonly name: string;
  /** Ends leases that ran out and waits that are over. */
  tidy(): Promise<void>;
  /**
   * Whether a claim may find more than one did a moment ago. Not while one tenant has all turns that it may have, and no other had anything due
   * then. Asked where nobody woke the worker since. @default always
   */
  mayFindMore?(): boolean;
  /** Leases up to `limit` tasks that are due, by the clock or by `wokenMs`, which is later where the clock has gone back since. */
  claim(limit: number, wokenMs: number): Promise<readonly Task[]>;
  /**
   * Does a task, and records how it ended. `cancellation` ends it when the lease is lost or the worker has no more time. It calls
   * `attempted` once what is to be done is done, before it is recorded.
   * Rejects only if the end could not be recorded; the lease then runs out.
   */
  perform(task: Task, cancellation: Cancellation, attempted: () => void): Promise<Performed>;
  /** Renews leases and returns the tasks whose lease was lost. */
  renew(tasks: readonly Task[]): Promise<readonly Task[]>;
  /** Returns the milliseconds until something is due; null for never. */
  nextDueInMs(): Promise<number | null>;
  /** @default no task begins that was not claimed */
  readonly lending?: Lending<Task>;
  /** @default tasks cannot be claimed by name */
  readonly byName?: NamedTasks<Task>;
}

/** Tasks that are claimed by name. A task's name is the lease that its next claim gives, so that each claim has another one. */
export interface NamedTasks<Task> {
  /** Names up to `limit` tasks that may be claimed now, oldest first; four fifths of them at most are one tenant's. */
  due(limit: number): Promise<readonly Lease[]>;
  /**
   * Claims up to `limit` of the named tasks, as fairly as any claim. What it answers may have others in it: those of a claim whose answer was
   * lost.
   */
  claim(named: readonly Lease[], limit: number): Promise<readonly Task[]>;
  /** The name that a claimed task was claimed by. */
  nameOf(task: Task): Lease;
}

/** Options of a `LeasedWorker`. */
export interface LeasedWorkerOptions extends Omit<WorkContext, "ready"> {
  /** The most tasks that are attempted at once. Others may wait to be recorded meanwhile, less than three times as many. */
  readonly concurrency: number;
  readonly leaseMs: number;
  /** The interval at which to look for tasks of other processes; null if there are none. */
  readonly pollIntervalMs: number | null;
  /** How long a stop waits for tasks under way before it aborts them. */
  readonly drainMs: number;
}
