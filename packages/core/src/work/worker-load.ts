/** Whether a worker claims, and what it does with tasks under way; `LeasedWorker` has the transitions. */
export type WorkerMode = "working" | "draining" | "aborting" | "stopped";

/** What a worker of a process does at a moment. */
export interface WorkerLoad {
  /** What it works on: `deliveries`, `digests` or `processing records`. */
  readonly name: string;
  /** Its name as an owner of leases, another one for each start of a process; null if it lends none. */
  readonly owner: string | null;
  /** Whether it claims tasks, ends those it has, or rests. */
  readonly mode: WorkerMode;
  /** The most tasks that it attempts at once. */
  readonly concurrency: number;
  /** The tasks that are attempted at this moment. */
  readonly attempting: number;
  /** The tasks whose leases it holds: those that are attempted, and those whose end is still to be recorded. */
  readonly leased: number;
  /** For how long a task that it claimed in the last minute or two had been due, at the most, in milliseconds; null if it claimed none. */
  readonly lagMs: number | null;
}
