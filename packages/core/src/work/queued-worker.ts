import { RepeatedLines } from "../foundation/repeated-lines.ts";
import type { DueWorker } from "./due-worker.ts";
import type { Job, JobEnd, JobQueue, JobQueues } from "./job-queue.ts";
import { JobTurns, keyOf } from "./job-turns.ts";
import type { LeasedWork, LeasedWorkerOptions, NamedTasks } from "./leased-work.ts";
import { LeasedWorker } from "./leased-worker.ts";
import { Loop, type NextRun } from "./loop.ts";
import { nextTurn } from "./timing.ts";
import { Upkeep } from "./upkeep.ts";
import type { WorkerLoad } from "./worker-load.ts";

/** A task that is still due so long after its job was added gets that job again: the queue may have lost it. */
const AGAIN_MS = 2_000;
/** While the queue is away, jobs are offered to it this often. */
const OFFER_INTERVAL_MS = 1_000;

/** Options of a {@link QueuedWorker}. */
export interface QueuedWorkerOptions extends LeasedWorkerOptions {
  readonly queues: JobQueues;
  /** Whether this process runs jobs, or only adds them. */
  readonly runs: boolean;
}

/**
 * Does tasks as jobs of a queue. The database stays the truth: jobs are added for what is due there, and a job that runs claims its task
 * by name, so that a job too many does nothing.
 *
 * | the queue   | what it does                                                              | ends with                                |
 * | ----------- | ------------------------------------------------------------------------- | ---------------------------------------- |
 * | there       | adds jobs for what is due; jobs that run claim their tasks                | a job cannot be added: away              |
 * | away        | claims due tasks itself, as a {@link LeasedWorker}; offers jobs each second | a job was added, or it says so: there    |
 *
 * So few jobs are added that they begin soon: what is due beyond that waits in the database, where it has its order. A job waits here for
 * its turn, for a moment, while its tenant or its endpoint has its share.
 */
export class QueuedWorker<Task> implements DueWorker<Task> {
  readonly #work: LeasedWork<Task>;
  readonly #tasks: NamedTasks<Task>;
  readonly #options: QueuedWorkerOptions;
  /** Performs tasks. It claims some itself while the queue is away, and when everything is to be done now. */
  readonly #own: LeasedWorker<Task>;
  readonly #adding: Loop;
  readonly #turns: JobTurns<Task>;
  readonly #upkeep: Upkeep;
  /** When the jobs of tasks that are due were added. */
  #added = new Map<string, number>();
  #queue: JobQueue | null = null;
  /** When jobs were last offered in vain; null while the queue is there. */
  #refusedMs: number | null = null;
  /** How many ask for everything to be done now. */
  #hurrying = 0;
  /** How many tasks were due when it looked, with those that had jobs. */
  #named = 0;
  /** How many attempts have ended since. */
  #attempted = 0;
  #stopping: Promise<void> | null = null;

  /** @param tasks `work`'s own, by name */
  constructor(work: LeasedWork<Task>, tasks: NamedTasks<Task>, options: QueuedWorkerOptions) {
    this.#work = work;
    this.#tasks = tasks;
    this.#options = options;
    const { clock, logger } = options;
    this.#own = new LeasedWorker(this.#ownWork(), { ...options, pollIntervalMs: null });
    this.#upkeep = new Upkeep(work, options);
    this.#adding = new Loop({ task: `look for ${work.name}`, run: () => this.#addDue(), clock, logger });
    this.#turns = new JobTurns(this.#own, tasks, { name: work.name, clock, logger, mayClaim: () => !this.#claimsItself });
  }

  get load(): WorkerLoad | null {
    return this.#options.runs ? this.#own.load : null;
  }

  wake(): void {
    if (this.#refusedMs !== null) {
      // An offer may be under way that the queue leaves unanswered for a while.
      this.#claimInstead();
    }
    this.#adding.wake();
  }

  /** Every task has a job, so nothing begins without one. */
  reserve(): null {
    return null;
  }

  start(): void {
    this.#own.start();
    this.#adding.start();
    this.#turns.start();
  }

  async runDue(): Promise<void> {
    if (!this.#options.runs) {
      await this.#adding.runNow();
      return;
    }
    this.#hurrying += 1;
    try {
      await this.#own.runDue();
    } finally {
      this.#hurrying -= 1;
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = null;
    });
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.#adding.stop();
    const closed = this.#close();
    await this.#turns.stop();
    await this.#own.stop();
    await closed;
    this.#added = new Map();
  }

  async #close(): Promise<void> {
    const queue = this.#queue;
    this.#queue = null;
    try {
      await queue?.close();
    } catch (error) {
      this.#options.logger.warn(
        { error },
        `Belfry could not close its queue of ${this.#work.name}; whatever is due stays in the database.`,
      );
    }
  }

  get #claimsItself(): boolean {
    return this.#stopping === null && (this.#refusedMs !== null || this.#hurrying > 0);
  }

  /** The work of the worker that performs tasks: it finds some to claim only while it is to. */
  #ownWork(): LeasedWork<Task> {
    const work = this.#work;
    const attempted = () => {
      this.#attempted += 1;
      this.#turns.wake();
    };
    return {
      name: work.name,
      get lagMs() {
        return work.lagMs ?? null;
      },
      tidy: () => work.tidy(),
      claim: async (limit, wokenMs) => (this.#claimsItself ? work.claim(limit, wokenMs) : []),
      perform: async (task, cancellation, ended) => {
        const performed = await work.perform(task, cancellation, () => {
          ended();
          attempted();
        });
        // Further jobs are wanted before the last of these has ended.
        if (performed.mayBeDue || (this.#named > 0 && this.#attempted >= this.#named / 4)) {
          this.wake();
        }
        return { ...performed, mayBeDue: performed.mayBeDue && this.#claimsItself };
      },
      renew: (tasks) => work.renew(tasks),
      nextDueInMs: async () => (this.#claimsItself ? work.nextDueInMs() : null),
      ...(work.lending === undefined ? {} : { lending: work.lending }),
    };
  }

  /** The most tasks that have jobs at once, beside those under way. */
  get #window(): number {
    return Math.max(20, 2 * this.#options.concurrency);
  }

  async #addDue(): Promise<NextRun> {
    await nextTurn();
    this.#attempted = 0;
    await this.#addJobs();
    if (!this.#options.runs) {
      return this.#upkeep.nextRun(await this.#upkeep.nextDue());
    }
    const hasTidied = await this.#upkeep.tidyNowAndThen();
    const next = await this.#upkeep.nextDue();
    if (next.dueInMs !== 0 || hasTidied) {
      return this.#upkeep.nextRun(next);
    }
    // It is due, and there may be nothing to claim: a wait that is over, or a lost lease.
    await this.#upkeep.tidy();
    await this.#addJobs();
    return this.#upkeep.nextRun(await this.#upkeep.nextDue());
  }

  /** Adds jobs for what is due and has none, as far as this process knows. */
  async #addJobs(): Promise<void> {
    const nowMs = this.#options.clock.now();
    if (this.#refusedMs !== null && Math.abs(nowMs - this.#refusedMs) < OFFER_INTERVAL_MS) {
      this.#claimInstead();
      return;
    }
    const due = await this.#tasks.due(this.#window);
    // When the queue comes back meanwhile, it may have lost these: they are forgotten then.
    const added = this.#added;
    const isOld = (addedMs: number) => Math.abs(nowMs - addedMs) >= AGAIN_MS;
    const wanted = due.filter((name) => isOld(added.get(keyOf(name)) ?? Number.NEGATIVE_INFINITY));
    const jobs = wanted.map((name) => ({ id: name.id, attempt: name.fence, isAgain: added.has(keyOf(name)) }));
    this.#named = due.length;
    try {
      // Jobs of other processes run here, too, whether or not there are some to add.
      this.#queue ??= this.#open();
      if (jobs.length > 0) {
        await this.#queue.add(jobs);
        this.#isThere();
      }
    } catch (error) {
      this.#isAway(error);
      return;
    }
    const stillDue = new Set(due.map(keyOf));
    for (const [key, addedMs] of added) {
      if (isOld(addedMs) && !stillDue.has(key)) {
        added.delete(key);
      }
    }
    for (const key of wanted.map(keyOf)) {
      added.set(key, nowMs);
    }
  }

  #open(): JobQueue {
    const { queues, runs, concurrency, leaseMs, logger, clock } = this.#options;
    const lines = new RepeatedLines(logger, clock);
    return queues.open({
      ...{ name: this.#work.name, runs, leaseMs, logger },
      warn: (fields, message) => lines.warn(fields, message),
      // All jobs that wait may be one tenant's, whose turns are taken: another one's finds a place.
      slots: concurrency + this.#window,
      run: (job) => this.#run(job),
      returned: () => {
        this.#added = new Map();
        this.#isThere();
        this.wake();
      },
    });
  }

  async #run(job: Job): Promise<JobEnd> {
    const end = await this.#turns.run(job);
    if (end === "passed") {
      // It may be added again, as soon as its task may be claimed.
      this.#added.delete(keyOf({ id: job.id, fence: job.attempt }));
    }
    return end;
  }

  #isAway(error: unknown): void {
    const { clock, logger, runs } = this.#options;
    if (this.#refusedMs === null) {
      const instead = runs ? "this process claims them itself" : "they wait in the database";
      logger.warn({ error }, `Belfry's queue of ${this.#work.name} is away; ${instead} until it is back.`);
    }
    this.#refusedMs = clock.now();
    this.#claimInstead();
  }

  #isThere(): void {
    if (this.#refusedMs !== null) {
      this.#refusedMs = null;
      this.#options.logger.info({}, `Belfry's queue of ${this.#work.name} is back.`);
    }
  }

  #claimInstead(): void {
    if (this.#options.runs) {
      this.#own.wake();
    }
  }
}
