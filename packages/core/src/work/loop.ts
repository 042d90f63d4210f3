import type { Clock } from "../foundation/clock.ts";
import type { Logger } from "../foundation/logger.ts";

/** Where a {@link Loop} stands; its own documentation has the transitions. */
export type LoopState = "idle" | "running" | "again" | "retrying" | "stopping" | "stopped";

/** The milliseconds until a {@link Loop} runs again by itself; null if it runs only when it is woken. */
export type NextRun = number | null | Looking;

/** When a {@link Loop} runs again that also looks from time to time for what nobody told it of, such as work of another process. */
export interface Looking {
  /** The milliseconds until something is due that it knows of; null for nothing. */
  readonly dueInMs: number | null;
  /** The time from which `dueInMs` counts, as the clock had it: the answer may have taken long. @default the end of the run */
  readonly sinceMs?: number;
  /** The milliseconds until it looks anyway; null for never. */
  readonly lookInMs: number | null;
}

/** The work of a {@link Loop}, and its times. */
export interface LoopOptions {
  /** Completes "Belfry could not …" in the log, for example `look for deliveries`. */
  readonly task: string;
  /**
   * Does all the work there is. A run that waits for nothing returns at once and is over before `wake()` returns. A long run
   * looks at {@link Loop.isStopping} between its steps.
   */
  run(): NextRun | Promise<NextRun>;
  /** The delay after an error until it runs again; null if only a wake-up makes it run again. @default 1_000 */
  readonly retryMs?: number | null;
  /** How errors are logged. @default "error" */
  readonly level?: "error" | "warn" | "debug";
  readonly clock: Clock;
  readonly logger: Logger;
}

const RETRY_MS = 1_000;
/** Runtimes cut timers short that are longer than about 24 days; until then, it looks again and again. */
const MAX_DELAY_MS = 24 * 24 * 60 * 60 * 1_000;
/** A database that is down for an hour gets a line a minute, not one for each retry. `debug` has them all. */
const LOG_INTERVAL_MS = 60_000;

/**
 * Does some work in the background: once when it is woken, and once more if it is woken meanwhile. All background work
 * of Belfry runs on one; the two queues of writes, which are hot, have their own (`BatchQueue`, `BusyLanes`).
 *
 * | from       | event                 | to         | effect                                                    |
 * | ---------- | --------------------- | ---------- | --------------------------------------------------------- |
 * | `idle`     | wake, timer           | `running`  | a run begins; the timer is cancelled, but for what is due during a look |
 * | `idle`     | stop                  | `stopped`  | the timer is cancelled                                    |
 * | `running`  | wake                  | `again`    | another run is to follow, however many wake-ups come      |
 * | `running`  | the run ends          | `idle`     | the timer is set, if the run answered a time              |
 * | `running`  | the run ends too late | `running`  | the next run begins: the time that it answered has come   |
 * | `again`    | the run ends          | `running`  | the next run begins                                       |
 * | `running`, `again`   | the run fails | `retrying` | one line is logged, the timer is set                    |
 * | `retrying` | wake                  | `retrying` | nothing: the retry does that work too                     |
 * | `retrying` | timer, `runNow`       | `running`  | a run begins                                              |
 * | `retrying` | stop                  | `stopped`  | the timer is cancelled                                    |
 * | `running`, `again`   | stop        | `stopping` | the run at hand is the last                               |
 * | `stopping` | the run ends or fails | `stopped`  | whoever waits for the stop goes on                        |
 * | `stopping` | start                 | `running`  | the run at hand is not the last any more                  |
 * | `stopped`  | start                 | `idle`     | nothing runs before it is woken                           |
 *
 * A wake-up in `stopping` or `stopped` does nothing. With `retryMs: null`, a run that fails ends like any other.
 */
export class Loop {
  readonly #options: LoopOptions;
  #state: LoopState = "idle";
  /** The asynchronous run at hand. */
  #run: Promise<void> | null = null;
  readonly #timers: (() => void)[] = [];
  #loggedMs = Number.NEGATIVE_INFINITY;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  get state(): LoopState {
    return this.#state;
  }

  /** Whether a run is under way that is not the last. */
  get isRunning(): boolean {
    return this.#state === "running" || this.#state === "again";
  }

  /** Whether the run at hand must end soon, because no other follows. */
  get isStopping(): boolean {
    return this.#state === "stopping" || this.#state === "stopped";
  }

  /** Runs now, or once more after the run at hand. */
  wake(): void {
    if (this.#state === "idle") {
      this.#begin();
    } else if (this.#state === "running") {
      this.#state = "again";
    }
  }

  /** Runs in `delayMs`, unless it is to run earlier. */
  wakeIn(delayMs: number): void {
    if (this.#state === "idle" && this.#timers.length === 0) {
      this.#setTimer({ dueInMs: delayMs, lookInMs: null });
    }
  }

  /** Runs at least once from now on, without waiting for a retry, and resolves once nothing runs. */
  async runNow(): Promise<void> {
    if (this.#state === "retrying") {
      this.#state = "idle";
    }
    this.wake();
    await this.idle();
  }

  /** Resolves once nothing runs. */
  async idle(): Promise<void> {
    while (this.#run !== null) {
      await this.#run;
    }
  }

  /** Begins no other run, and resolves once the run at hand has ended. Idempotent. */
  stop(): Promise<void> {
    this.#clearTimers();
    this.#state = this.isRunning || this.#state === "stopping" ? "stopping" : "stopped";
    return this.idle();
  }

  /** Lets it run again after {@link stop}, whenever it is woken. */
  start(): void {
    if (this.#state === "stopped") {
      this.#state = "idle";
    } else if (this.#state === "stopping") {
      this.#state = "running";
    }
  }

  #begin(): void {
    this.#clearTimers();
    this.#runAll();
  }

  #runAll(): void {
    do {
      this.#state = "running";
      try {
        const result = this.#options.run();
        if (result instanceof Promise) {
          this.#run = result.then(
            (next) => this.#goOn(() => this.#ended(next)),
            (error: unknown) => this.#goOn(() => this.#failed(error)),
          );
          return;
        }
        this.#ended(result);
      } catch (error) {
        this.#failed(error);
      }
    } while (this.#isToGoOn());
  }

  #goOn(end: () => void): void {
    this.#run = null;
    end();
    if (this.#isToGoOn()) {
      this.#begin();
    }
  }

  /** Between two runs, and nowhere else, the state is still `again`. */
  #isToGoOn(): boolean {
    return this.#state === "again";
  }

  #ended(next: NextRun): void {
    if (this.#state === "stopping") {
      this.#state = "stopped";
    } else if (this.#state === "running") {
      this.#clearTimers();
      this.#state = "idle";
      if (next !== null) {
        this.#goOnAfter(next);
      }
    }
  }

  #goOnAfter(next: number | Looking): void {
    if (typeof next === "number") {
      this.#setTimer({ dueInMs: next, lookInMs: null });
      return;
    }
    const { dueInMs, sinceMs, lookInMs } = next;
    const passedMs = sinceMs === undefined ? 0 : this.#options.clock.now() - sinceMs;
    if (dueInMs === null || passedMs <= 0) {
      // The time of day may have gone back.
      this.#setTimer({ dueInMs, lookInMs });
    } else if (passedMs < dueInMs) {
      this.#setTimer({ dueInMs: dueInMs - passedMs, lookInMs });
    } else {
      this.#state = "again";
    }
  }

  #failed(error: unknown): void {
    const { retryMs = RETRY_MS } = this.#options;
    if (retryMs === null || this.#state === "stopping") {
      this.#log(error, this.#state === "stopping" ? "it is stopping" : "it does when it is woken");
      this.#ended(null);
      return;
    }
    this.#log(error, `it tries again in ${retryMs} ms`);
    this.#state = "retrying";
    this.#setTimer({ dueInMs: retryMs, lookInMs: null });
  }

  #log(error: unknown, consequence: string): void {
    const { task, logger, clock, level = "error" } = this.#options;
    const nowMs = clock.now();
    // The distance counts, because a clock may go back.
    const isDue = Math.abs(nowMs - this.#loggedMs) >= LOG_INTERVAL_MS;
    if (isDue) {
      this.#loggedMs = nowMs;
    }
    logger[isDue ? level : "debug"]({ error }, `Belfry could not ${task}; ${consequence}.`);
  }

  #setTimer({ dueInMs, lookInMs }: Pick<Looking, "dueInMs" | "lookInMs">): void {
    this.#clearTimers();
    const { clock } = this.#options;
    if (lookInMs !== null && (dueInMs === null || dueInMs > lookInMs)) {
      // What is due during the look has its time still.
      this.#timers.push(clock.after(lookInMs, () => this.#runAll(), "look"));
    }
    if (dueInMs !== null && dueInMs <= MAX_DELAY_MS) {
      this.#timers.push(clock.after(dueInMs, () => (this.isRunning ? this.wake() : this.#begin())));
    }
  }

  #clearTimers(): void {
    for (const cancel of this.#timers.splice(0)) {
      cancel();
    }
  }
}
