import type { Clock } from "../foundation/clock.ts";
import type { Logger } from "../foundation/logger.ts";

/** Work that is claimed by lease: what {@link LeasedWorker} does, and how. */
export interface LeasedWork<Task> {
  /** Names the work in logs, for example `deliveries`. */
  readonly name: string;
  /** Puts right what time has overtaken: leases that ran out, waits that are over. */
  tidy(): Promise<void>;
  /** Leases up to `limit` tasks that are due. */
  claim(limit: number): Promise<readonly Task[]>;
  /**
   * Does a task and records how it ended. `signal` aborts when the lease is lost or the worker has no more time. Rejects
   * only if the end could not be recorded; the lease then runs out.
   */
  perform(task: Task, signal: AbortSignal): Promise<void>;
  /** Prolongs leases and answers the tasks whose lease was lost. */
  renew(tasks: readonly Task[]): Promise<readonly Task[]>;
  /** In how many milliseconds something is due; null for never. */
  nextDueInMs(): Promise<number | null>;
}

/** How a {@link LeasedWorker} works. */
export interface LeasedWorkerOptions {
  /** How many tasks at once. */
  readonly concurrency: number;
  readonly leaseMs: number;
  /** How often to look for tasks that nobody told of; null if nobody else makes any. */
  readonly pollIntervalMs: number | null;
  /** How long to wait on stop for tasks under way before they are aborted. */
  readonly drainMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What is due and not claimed belongs to somebody else or has to wait its turn. */
const OVERDUE_DELAY_MS = 250;
const ERROR_DELAY_MS = 1_000;
/** The longest sleep; timers of a day and more are cut short by some runtimes. */
const MAX_DELAY_MS = 3_600_000;
/** How long aborted tasks may take to record their end. */
const ABORT_GRACE_MS = 2_000;

/**
 * Claims tasks and does them, several at once: whenever it is woken, when the next one is due, and from time to time.
 *
 * ```
 * idle ──wake, timer──> tidy ──> claim ──> perform … ──> record ──> idle
 * any ──stop──> no more claims ──> tasks end, or are aborted ──> stopped
 * ```
 */
export class LeasedWorker<Task> {
  readonly #work: LeasedWork<Task>;
  readonly #options: LeasedWorkerOptions;
  readonly #underWay = new Map<Task, { readonly abort: AbortController; readonly done: Promise<void> }>();
  #cycle: Promise<void> | null = null;
  #again = false;
  #isStopped = false;
  #cancelTimer: (() => void) | null = null;
  #cancelRenewal: (() => void) | null = null;
  #roomMade: (() => void) | null = null;

  constructor(work: LeasedWork<Task>, options: LeasedWorkerOptions) {
    this.#work = work;
    this.#options = options;
  }

  /** Looks for due tasks now. After {@link stop}, it does nothing until {@link start}. */
  wake(): void {
    if (this.#isStopped) {
      return;
    }
    this.#again = true;
    this.#cycle ??= this.#run().finally(() => {
      this.#cycle = null;
      if (this.#again) {
        // Woken after the last look, before this.
        this.wake();
      }
    });
  }

  start(): void {
    this.#isStopped = false;
    this.wake();
  }

  /** Does everything that is due, and resolves once nothing is left that can be done now. */
  async runDue(): Promise<void> {
    do {
      this.wake();
      await this.#cycle;
      await Promise.all([...this.#underWay.values()].map(({ done }) => done));
    } while (this.#cycle !== null || this.#underWay.size > 0);
  }

  /** Claims nothing more, and resolves once what is under way has ended or was aborted. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#roomMade?.();
    await this.#cycle;
    await this.#within(this.#options.drainMs);
    for (const { abort } of this.#underWay.values()) {
      abort.abort(new Error("The service is stopping."));
    }
    await this.#within(ABORT_GRACE_MS);
    this.#cancelRenewal?.();
    this.#cancelRenewal = null;
  }

  async #run(): Promise<void> {
    let delayMs: number | null = null;
    while (this.#again && !this.#isStopped) {
      this.#again = false;
      try {
        await this.#claimAll();
        delayMs = await this.#nextDelayMs();
      } catch (error) {
        this.#options.logger.error({ error }, `Belfry could not look for ${this.#work.name}; it tries again in ${ERROR_DELAY_MS} ms.`);
        delayMs = ERROR_DELAY_MS;
      }
    }
    this.#cancelTimer?.();
    this.#cancelTimer = delayMs === null || this.#isStopped ? null : this.#options.clock.after(delayMs, () => this.wake());
  }

  async #claimAll(): Promise<void> {
    const { concurrency } = this.#options;
    for (;;) {
      await this.#work.tidy();
      const room = concurrency - this.#underWay.size;
      const tasks = room > 0 && !this.#isStopped ? await this.#work.claim(room) : [];
      for (const task of tasks) {
        this.#begin(task);
      }
      if (tasks.length < room || this.#isStopped) {
        return;
      }
      await this.#untilRoom();
    }
  }

  async #nextDelayMs(): Promise<number | null> {
    const { pollIntervalMs } = this.#options;
    const dueInMs = await this.#work.nextDueInMs();
    const untilDue = dueInMs === null ? null : Math.max(dueInMs, dueInMs <= 0 ? OVERDUE_DELAY_MS : 1);
    const delays = [untilDue, pollIntervalMs].filter((delay) => delay !== null);
    return delays.length === 0 ? null : Math.min(...delays, MAX_DELAY_MS);
  }

  #begin(task: Task): void {
    const abort = new AbortController();
    const done = this.#work
      .perform(task, abort.signal)
      .catch((error: unknown) => {
        this.#options.logger.error({ error }, `Belfry could not record how one of the ${this.#work.name} ended; its lease runs out.`);
      })
      .finally(() => {
        this.#underWay.delete(task);
        this.#roomMade?.();
        // What had to wait for its turn may go now.
        this.wake();
      });
    this.#underWay.set(task, { abort, done });
    this.#cancelRenewal ??= this.#options.clock.after(this.#options.leaseMs / 3, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    try {
      for (const lost of await this.#work.renew([...this.#underWay.keys()])) {
        this.#underWay.get(lost)?.abort.abort(new Error("The lease was lost to another worker."));
      }
    } catch (error) {
      this.#options.logger.warn({ error }, `Belfry could not renew its leases of ${this.#work.name}; it tries again.`);
    }
    this.#cancelRenewal = this.#underWay.size > 0 ? this.#options.clock.after(this.#options.leaseMs / 3, () => void this.#renew()) : null;
  }

  #untilRoom(): Promise<void> {
    if (this.#underWay.size < this.#options.concurrency) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#roomMade = () => {
        this.#roomMade = null;
        resolve();
      };
    });
  }

  async #within(limitMs: number): Promise<void> {
    if (this.#underWay.size === 0) {
      return;
    }
    const ended = Promise.all([...this.#underWay.values()].map(({ done }) => done));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([ended, late]);
    clearTimeout(timer);
  }
}
