import type { GivenLease, ReservedTask } from "./lending.ts";
import type { WorkerLoad } from "./worker-load.ts";

/** Has due tasks of one kind done in this process. Who looks for them, and when each is claimed, is a worker's own. */
export interface DueWorker<Task> {
  /** What it does at this moment; null where it leaves the tasks to other processes. */
  readonly load: WorkerLoad | null;
  /** Looks for due tasks now. After {@link stop}, it does nothing until {@link start}. */
  wake(): void;
  /** Reserves a turn for a task that is about to be written, with the lease that `make` gets; null if there is none now. */
  reserve(make: (lease: GivenLease) => Task): ReservedTask | null;
  /** Lets it work again after {@link stop}, whenever it is woken. */
  start(): void;
  /** Does everything that is due, and resolves once nothing is left that can be done now. */
  runDue(): Promise<void>;
  /** Begins nothing more, and resolves once what is under way has ended or was aborted. All who call it wait for one stop. */
  stop(): Promise<void>;
}
