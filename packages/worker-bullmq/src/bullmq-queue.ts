import type { Job, JobEnd, JobQueue, JobWork, NewJob } from "@belfry/core";
import { type Job as BullmqJob, Queue, UnrecoverableError, WaitingError } from "bullmq";
import { impatientClient, isConnected, waitingClient, withoutCommand } from "./connections.ts";
import { JobWorker } from "./job-worker.ts";
import type { BullmqWorkerOptions } from "./options.ts";
import { lackedRule } from "./refusals.ts";

/** How long whoever adds the first jobs waits for Redis. */
const CONNECT_MS = 2_000;
/** How long each step of a close may take once no job runs: then Redis is away. */
const CLOSE_MS = 2_000;
/** After a failure of Redis, a worker asks again so soon. */
const RETRY_MS = 1_000;
/** A job whose process says nothing for so long is another one's. It is no lease: whoever takes it claims its task in the database. */
const LOCK_MS = 5_000;

/** What is told of jobs that failed. It has no content: the database has the reason, which may name people. */
const FAILURES: Partial<Record<JobEnd, string>> = {
  repeated: "The attempt failed. Another one follows, at the time that the database has.",
  failed: "The attempt failed for good. Belfry's dashboard shows why.",
};

/** What runs jobs in this process. */
interface Runner {
  readonly client: ReturnType<typeof waitingClient>;
  readonly worker: JobWorker;
}

/** A queue of BullMQ, with a worker where this process runs its jobs. */
export class BullmqQueue implements JobQueue {
  readonly #work: JobWork;
  readonly #prefix: string;
  readonly #adder: ReturnType<typeof impatientClient>;
  readonly #queue: Queue<Job>;
  /** Null where this process only adds jobs. */
  readonly #runner: Runner | null;
  readonly #connected: Promise<void>;
  readonly #running = new Set<Promise<JobEnd>>();
  #isClosing = false;

  constructor(work: JobWork, { connection, prefix, keptCompleted, keptFailed }: Required<BullmqWorkerOptions>) {
    this.#work = work;
    this.#prefix = prefix;
    const name = `belfry-${work.name.replaceAll(" ", "-")}`;
    this.#adder = impatientClient(connection);
    this.#adder.on("error", (error) => this.#note(error));
    this.#connected = new Promise((resolve) => {
      setTimeout(resolve, CONNECT_MS).unref();
      this.#adder.on("ready", () => {
        resolve();
        work.returned();
      });
    });
    // One Redis is as good as another, and a queue that asks which it is would not get over an answer that it missed.
    const unasked = { skipVersionCheck: true, skipWaitingForReady: true };
    const defaultJobOptions = { attempts: 1, stackTraceLimit: 0 };
    try {
      this.#queue = new Queue(name, { connection: this.#adder, prefix, defaultJobOptions, ...unasked });
      this.#queue.on("error", (error) => this.#note(error));
      this.#runner = work.runs ? this.#run(name, { connection, prefix, keptCompleted, keptFailed }) : null;
    } catch (error) {
      this.#adder.disconnect();
      throw error;
    }
  }

  async add(jobs: readonly NewJob[]): Promise<void> {
    await this.#connected;
    try {
      await Promise.all(jobs.filter(({ isAgain }) => isAgain).map((job) => this.#forgetEnded(idOf(job))));
      const named = jobs.map(({ id, attempt }) => ({
        name: this.#work.name,
        data: { id, attempt },
        opts: { jobId: idOf({ id, attempt }) },
      }));
      await this.#queue.addBulk(named);
    } catch (error) {
      const failure = withoutCommand(error);
      this.#noteRefusal(failure);
      throw failure;
    }
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    try {
      if (this.#runner !== null) {
        await this.#end(this.#runner);
      }
      await this.#queue.close();
    } finally {
      this.#runner?.client.disconnect();
      this.#adder.disconnect();
    }
  }

  async #end({ client, worker }: Runner): Promise<void> {
    // Without Redis there is nothing to tell it, and no end of a connection to wait for.
    const closed = worker.close(!isConnected(client));
    while (this.#running.size > 0) {
      await Promise.all(this.#running);
    }
    await within(CLOSE_MS, closed);
    await within(CLOSE_MS, worker.leave());
  }

  #run(name: string, { connection, prefix, keptCompleted, keptFailed }: Required<BullmqWorkerOptions>): Runner {
    const { slots } = this.#work;
    const client = waitingClient(connection);
    client.on("error", (error) => this.#note(error));
    const worker = new JobWorker(name, (job, token) => this.#process(job, token), {
      ...{ connection: client, prefix, concurrency: slots, runRetryDelay: RETRY_MS, skipVersionCheck: true },
      ...{ lockDuration: LOCK_MS, stalledInterval: LOCK_MS },
      ...{ removeOnComplete: { count: keptCompleted }, removeOnFail: { count: keptFailed } },
    });
    worker.on("error", (error) => this.#note(error));
    return { client, worker };
  }

  async #process(job: BullmqJob<Job, JobEnd>, token: string | undefined): Promise<JobEnd> {
    const running = this.#work.run(job.data);
    this.#running.add(running);
    const end = await running;
    this.#running.delete(running);
    if (end === "passed" && this.#isClosing) {
      // Another process may run it.
      await job.moveToWait(token);
      throw new WaitingError();
    }
    if (end === "passed") {
      // The same job may be wanted again.
      job.opts.removeOnComplete = true;
    }
    const failure = FAILURES[end];
    if (failure !== undefined) {
      throw new UnrecoverableError(failure);
    }
    return end;
  }

  /** A job that ended and was kept would hide another one of its name. */
  async #forgetEnded(id: string): Promise<void> {
    const state = await this.#queue.getJobState(id);
    if (state === "completed" || state === "failed") {
      await this.#queue.remove(id);
    }
  }

  /** Whoever adds jobs says once that Redis is away. */
  #note(error: Error): void {
    this.#work.logger.debug({ error: withoutCommand(error) }, `BullMQ reports an error in the queue of ${this.#work.name}.`);
    this.#noteRefusal(error);
  }

  /** Jobs that a worker may not take stay where they are, and nobody else would say so. */
  #noteRefusal(error: Error): void {
    const grant = lackedRule(error, this.#prefix);
    if (grant !== null) {
      const message = `Redis' access rules (ACL) refuse BullMQ a command in the queue of ${this.#work.name}. Add to the rules of its user: ${grant}. See docs/guides/bullmq.md.`;
      this.#work.warn({ grant }, message);
    }
  }
}

/** Waits until something is done, but no longer than that. */
async function within(ms: number, done: Promise<void>): Promise<void> {
  const { promise: isLate, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  try {
    await Promise.race([done, isLate]);
  } finally {
    clearTimeout(timer);
  }
}

function idOf({ id, attempt }: Job): string {
  return `${id}-${attempt}`;
}
