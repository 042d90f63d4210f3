import type { Logger } from "../foundation/logger.ts";
import type { TaskEnd } from "./leased-work.ts";

/**
 * Names one attempt at a task: all that a queue is told of it. The task's content stays in the database.
 */
export interface Job {
  /** The task's id: that of a delivery, or of a processing record. */
  readonly id: string;
  /** Which time it is that a worker takes the task, from 1. It grows each time, so a job's name never comes again once it was taken. */
  readonly attempt: number;
}

/** A job to be added. */
export interface NewJob extends Job {
  /** Whether it was added before, a while ago, and its task is still due: the queue may have lost it, or kept it after its end. */
  readonly isAgain: boolean;
}

/**
 * How a job ended: as its task did ({@link TaskEnd}), or `passed`, if it was not taken. Its task has ended then, is another worker's, or waits for
 * its turn. The same job may be added again after `passed`, so a queue must not keep it.
 */
export type JobEnd = TaskEnd | "passed";

/** The work that the jobs of a queue are for. */
export interface JobWork {
  /** What it is: `deliveries` or `processing records`. */
  readonly name: string;
  /** Whether this process runs jobs, or only adds them. */
  readonly runs: boolean;
  /** The most jobs that may run in this process at once. Some of them wait for their turn. */
  readonly slots: number;
  /** How long a job that runs is this process's own without a sign of life, in milliseconds. */
  readonly leaseMs: number;
  readonly logger: Logger;
  /** Logs a warning that may come again and again, once a minute. */
  warn(fields: object, message: string): void;
  /** Runs a job. It never rejects, and does nothing for one that is not to be run now. */
  run(job: Job): Promise<JobEnd>;
  /** To be called when the queue is there again after it was away: whatever is due is added anew, in case it lost jobs. */
  returned(): void;
}

/** A queue of jobs for one kind of work. It may lose jobs, and run them twice: the database says what is due, and who may do it. */
export interface JobQueue {
  /** Adds jobs. One that waits or runs already stays as it is. Rejects soon when the queue is away. */
  add(jobs: readonly NewJob[]): Promise<void>;
  /** Takes no more jobs, and resolves once those that run have ended, and all is closed. */
  close(): Promise<void>;
}

/** The queues of a host that run Belfry's work as jobs: the option `worker` of a service. `bullmqWorker` of `@belfry/worker-bullmq` makes them. */
export interface JobQueues {
  /** Opens the queue of one kind of work, also if it is away. */
  open(work: JobWork): JobQueue;
}
