import { BelfryError } from "../foundation/errors.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";

/** The modes of a service. {@link Lifecycle} has the transitions. */
export type LifecycleMode = "running" | "retiring" | "stopping" | "closing" | "stopped";

/**
 * Why requests should not be sent to a process: `starting` until `start()` has resolved, with the tables brought up to date; `retiring`
 * after `retire()`; `stopped` from `stop()` on; `database` when it does not answer.
 */
export type UnreadyReason = "starting" | "retiring" | "stopped" | "database";

/** The steps that a {@link Lifecycle} runs. */
export interface LifecycleParts {
  /** Opens the storage. */
  open(): Promise<void>;
  /** Begins to hear signals; the storage is open then. */
  listen(): Promise<void>;
  /** Lets the background work run again, whenever something wakes it. */
  resume(): void;
  /** Wakes the background work, so that it looks for work that an earlier process left. */
  wake(): void;
  /** Ends the background work, which may still use the storage. */
  drain(): Promise<void>;
  /** Close everything, one after another. */
  readonly close: readonly (() => Promise<void>)[];
}

/** Background work holds this while it uses the storage. It is not counted, because `drain` waits for it. */
const NOT_COUNTED: Disposable = { [Symbol.dispose]: () => {} };

/** The interval of the timer that keeps a stopping process alive. Any long time will do. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Opens the parts of a service once, for whoever asks first, and starts and stops them.
 *
 * | mode       | calls of the host               | background work         | ends with                                         |
 * | ---------- | ------------------------------- | ----------------------- | ------------------------------------------------- |
 * | `running`  | accepted; the first one opens   | runs when it is woken   | retire: `retiring`; stop: `stopping`              |
 * | `retiring` | accepted                        | runs when it is woken   | start: `running`; stop: `stopping`                |
 * | `stopping` | refused; those in flight finish | ends what it has begun  | calls and background work have ended: `closing`   |
 * | `closing`  | refused                         | refused                 | everything is closed, or failed to close: `stopped` |
 * | `stopped`  | refused                         | refused                 | start: `running`                                  |
 *
 * It is `running` from the beginning: a call of the host needs no start. A start that fails leaves it `running`, too: the
 * next call opens the parts again. `retiring` is for those who send requests: they shall send no more.
 *
 * Starts and stops are coalesced. All who call `stop` wait for the one stop. All who call `start` wait for the one start; it waits
 * for a stop under way, and is refused with `SERVICE_STOPPED` when another stop is asked for before it is through.
 */
export class Lifecycle {
  readonly #parts: LifecycleParts;
  #mode: LifecycleMode = "running";
  #opening: Promise<Disposable> | null = null;
  #isOpen = false;
  #listening: Promise<void> | null = null;
  #starting: Promise<void> | null = null;
  #hasStarted = false;
  #stopping: Promise<void> | null = null;
  /** The number of starts and stops that were asked for. A start whose number is not the last was overtaken. */
  #orders = 0;
  /** The number of calls of the host in flight. */
  #calls = 0;
  #callsEnded: (() => void) | null = null;
  /** Ends a call. All calls share it, because they are only counted. */
  readonly #call: Disposable = { [Symbol.dispose]: () => this.#countDown(1) };

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
  }

  get mode(): LifecycleMode {
    return this.#mode;
  }

  /** Why no requests should be sent to this process; null if they may be, as far as it knows without asking the database. */
  get unreadyReason(): Exclude<UnreadyReason, "database"> | null {
    if (this.#mode === "running") {
      return this.#hasStarted ? null : "starting";
    }
    return this.#mode === "retiring" ? "retiring" : "stopped";
  }

  get #isAccepting(): boolean {
    return this.#mode === "running" || this.#mode === "retiring";
  }

  /**
   * Resolves once the storage can be used, for a call of the host; it is no promise if the storage is open. The call counts as in
   * flight until what this resolves with is disposed of: `using _call = await ready()`.
   */
  ready(): MaybePromise<Disposable> {
    if (!this.#isAccepting) {
      return Promise.reject(refusal());
    }
    this.#calls += 1;
    return this.#isOpen ? this.#call : this.#open();
  }

  /**
   * Resolves once the storage can be used, for background work. It is allowed while the service stops, because work that has
   * begun must end.
   */
  async readyForWork(): Promise<Disposable> {
    if (this.#mode === "closing" || this.#mode === "stopped") {
      throw refusal();
    }
    await this.#open();
    return NOT_COUNTED;
  }

  /** Throws `SERVICE_STOPPED` if a call of the host is refused now. For calls that cannot wait. */
  requireRunning(): void {
    if (!this.#isAccepting) {
      throw refusal();
    }
  }

  /** Resolves once signals arrive. */
  listening(): Promise<void> {
    if (!this.#isAccepting) {
      return Promise.reject(refusal());
    }
    this.#listening ??= this.#open()
      .then(() => this.#parts.listen())
      .catch((error: unknown) => {
        this.#listening = null;
        throw error;
      });
    return this.#listening;
  }

  /** Opens everything and wakes the background work; throws `SERVICE_STOPPED` when it is stopped meanwhile. */
  start(): Promise<void> {
    if (this.#starting === null) {
      const starting = this.#start().finally(() => {
        if (this.#starting === starting) {
          this.#starting = null;
        }
      });
      this.#starting = starting;
    }
    return this.#starting;
  }

  /** Announces the stop: everything goes on, but {@link unreadyReason} asks for no more requests. A start takes it back. Without effect when it stops already. */
  retire(): void {
    if (this.#mode === "running") {
      this.#mode = "retiring";
    }
  }

  /** Lets calls in flight and background work finish, and closes everything, even if some of it fails to close; throws the first failure. */
  stop(): Promise<void> {
    this.#orders += 1;
    this.#starting = null;
    if (this.#mode === "stopped") {
      return Promise.resolve();
    }
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = null;
    });
    return this.#stopping;
  }

  async #start(): Promise<void> {
    this.#orders += 1;
    const order = this.#orders;
    if (this.#stopping !== null) {
      // The callers of stop hear of its failure.
      await this.#stopping.catch(() => undefined);
      this.#requireNewest(order);
    }
    const wasStopped = this.#mode === "stopped";
    this.#mode = "running";
    if (wasStopped) {
      this.#parts.resume();
    }
    await this.listening();
    this.#requireNewest(order);
    this.#hasStarted = true;
    this.#parts.wake();
  }

  #requireNewest(order: number): void {
    if (order !== this.#orders) {
      throw new BelfryError("SERVICE_STOPPED", "The notification service was stopped while it was starting.");
    }
  }

  async #stop(): Promise<void> {
    this.#mode = "stopping";
    this.#hasStarted = false;
    // Belfry's timers do not keep a process alive, but a stop that somebody waits for must.
    const keepAlive = setInterval(() => {}, KEEP_ALIVE_MS);
    try {
      // Parts that are being opened must be closed, too. Whoever asked for them hears of a failure.
      await Promise.allSettled([this.#opening, this.#listening]);
      await this.#untilNoCalls();
      const failures = await inTurn([() => this.#parts.drain()]);
      this.#mode = "closing";
      failures.push(...(await inTurn(this.#parts.close)));
      this.#opening = null;
      this.#isOpen = false;
      this.#listening = null;
      this.#mode = "stopped";
      if (failures.length > 0) {
        throw failures[0];
      }
    } finally {
      clearInterval(keepAlive);
    }
  }

  #open(): Promise<Disposable> {
    this.#opening ??= this.#parts.open().then(
      () => {
        this.#isOpen = true;
        return this.#call;
      },
      (error: unknown) => {
        this.#opening = null;
        // Nothing was open before, so all counted calls wait for this and end with it.
        this.#countDown(this.#calls);
        throw error;
      },
    );
    return this.#opening;
  }

  #untilNoCalls(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#callsEnded = resolve;
    this.#countDown(0);
    return promise;
  }

  #countDown(ended: number): void {
    this.#calls -= ended;
    if (this.#calls === 0) {
      this.#callsEnded?.();
    }
  }
}

/** Runs all of `steps`, even if some fail. Returns the errors. */
async function inTurn(steps: readonly (() => Promise<void>)[]): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  return failures;
}

function refusal(): BelfryError {
  return new BelfryError("SERVICE_STOPPED", "The notification service was stopped; call start() to use it again.");
}
