import type { WorkContext } from "../foundation/context.ts";
import { isUuid } from "../foundation/ids.ts";
import type { Job, JobEnd } from "./job-queue.ts";
import type { Lease } from "./lease-storage.ts";
import type { NamedTasks } from "./leased-work.ts";
import type { LeasedWorker } from "./leased-worker.ts";
import { Loop, type NextRun } from "./loop.ts";
import { nextTurn } from "./timing.ts";

/** How long a job may wait in this process for its turn. Then it is passed, and added again once it may be taken. */
const MAX_WAIT_MS = 1_000;
/** The pause between two claims for jobs that wait, unless an attempt ends before. */
const WAITING_DELAY_MS = 100;
/** The largest number that both databases count attempts with. */
const MAX_ATTEMPT = 2 ** 31 - 1;

/** The parts that {@link JobTurns} uses. */
export interface JobTurnsOptions extends Omit<WorkContext, "ready"> {
  /** Names the work in logs. */
  readonly name: string;
  /** Whether jobs may claim their tasks now. */
  mayClaim(): boolean;
}

/** A job that waits for its turn. */
interface WaitingJob {
  readonly name: Lease;
  readonly sinceMs: number;
  resolve(end: JobEnd): void;
}

/** A job's name as one text. */
export function keyOf({ id, fence }: Lease): string {
  return `${id}-${fence}`;
}

/** Gives jobs that run their turns: claims their tasks, and has a worker perform them. */
export class JobTurns<Task> {
  readonly #worker: Pick<LeasedWorker<Task>, "begin" | "room">;
  readonly #tasks: NamedTasks<Task>;
  readonly #options: JobTurnsOptions;
  readonly #loop: Loop;
  readonly #waiting = new Map<string, WaitingJob>();

  constructor(worker: Pick<LeasedWorker<Task>, "begin" | "room">, tasks: NamedTasks<Task>, options: JobTurnsOptions) {
    this.#worker = worker;
    this.#tasks = tasks;
    this.#options = options;
    const { name, clock, logger } = options;
    this.#loop = new Loop({ task: `claim ${name} of jobs`, run: () => this.#take(), clock, logger });
  }

  /** Runs a job, once it has its turn. It is passed if it has none soon. */
  run({ id, attempt }: Job): Promise<JobEnd> {
    const name = { id, fence: attempt };
    // Whoever can write into the queue may have made it.
    const isName = typeof id === "string" && isUuid(id) && Number.isSafeInteger(attempt) && attempt > 0 && attempt <= MAX_ATTEMPT;
    if (!isName || this.#loop.isStopping || this.#waiting.has(keyOf(name))) {
      return Promise.resolve("passed");
    }
    return new Promise((resolve) => {
      this.#waiting.set(keyOf(name), { name, sinceMs: this.#options.clock.now(), resolve });
      this.#loop.wake();
    });
  }

  /** There may be room for jobs that wait. */
  wake(): void {
    if (this.#waiting.size > 0) {
      this.#loop.wake();
    }
  }

  start(): void {
    this.#loop.start();
  }

  /** Passes jobs that wait. Those that have begun go on. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    this.#pass([...this.#waiting.values()]);
  }

  async #take(): Promise<NextRun> {
    // Jobs come one after another: those of one turn are claimed together.
    await nextTurn();
    try {
      await this.#claim();
    } finally {
      // A process that cannot reach the database leaves its jobs to others.
      const nowMs = this.#options.clock.now();
      this.#pass([...this.#waiting.values()].filter(({ sinceMs }) => Math.abs(nowMs - sinceMs) >= MAX_WAIT_MS));
    }
    return this.#waiting.size > 0 ? WAITING_DELAY_MS : null;
  }

  async #claim(): Promise<void> {
    const names = [...this.#waiting.values()].map(({ name }) => name);
    const { room } = this.#worker;
    if (names.length > 0 && room > 0 && this.#options.mayClaim()) {
      for (const task of await this.#tasks.claim(names, room)) {
        this.#begin(task);
      }
    }
  }

  #begin(task: Task): void {
    const key = keyOf(this.#tasks.nameOf(task));
    const job = this.#waiting.get(key);
    this.#waiting.delete(key);
    void this.#worker.begin(task).then((end) => job?.resolve(end ?? "lost"));
  }

  #pass(jobs: readonly WaitingJob[]): void {
    for (const { name, resolve } of jobs) {
      this.#waiting.delete(keyOf(name));
      resolve("passed");
    }
  }
}
