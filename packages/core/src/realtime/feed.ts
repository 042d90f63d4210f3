import type { Clock } from "../foundation/clock.ts";
import type { Logger } from "../foundation/logger.ts";
import { Loop, type NextRun } from "../work/loop.ts";

/** What came in and was not passed on yet: signals, and looks at the database that are to be made. */
export type Pending<Signal> = Signal | "behind" | "gap";

/** What every {@link Feed} works with. */
export interface FeedOptions {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * One thing that somebody in this process follows. Signals come in, which may be late, repeated, out of order or lost; its
 * followers are told of everything. How, each kind of feed says in `pass`.
 *
 * A look at the database that fails is tried again, once a second, by a look at all that may have been missed: it covers
 * what came in before it began, so nothing piles up meanwhile.
 */
export abstract class Feed<Signal, Follower> {
  readonly followers = new Set<Follower>();
  readonly #loop: Loop;
  #queue: Pending<Signal>[] = [];

  /** @param task completes "Belfry could not …" in the log */
  constructor(task: string, { clock, logger }: FeedOptions) {
    this.#loop = new Loop({ task, run: () => this.#passAll(), clock, logger });
  }

  /** Takes what is first off `queue` and tells the followers; null if no look at the database was needed. */
  protected abstract pass(queue: Pending<Signal>[]): Promise<void> | null;

  /** Whether it can pass anything on yet; until then, signals are kept. */
  protected isOpen(): boolean {
    return true;
  }

  /** Whether what is under way is to end. */
  protected get isStopping(): boolean {
    return this.#loop.isStopping;
  }

  signal(signal: Signal): void {
    this.#add(signal);
  }

  /** Has it read what a lost signal did not tell of. */
  behind(): void {
    this.#add("behind");
  }

  /** Signals of every kind may be lost: has it look at everything. */
  gap(): void {
    if (!this.#queue.includes("gap")) {
      this.#add("gap");
    }
  }

  /** Reads and tells nothing more. */
  stop(): Promise<void> {
    this.#queue = ["gap"];
    return this.#loop.stop();
  }

  /** Goes on after {@link stop}, once it is woken or a signal comes, with a look at what was missed. */
  start(): void {
    this.#loop.start();
  }

  /** Passes on what waits, if anything does. */
  wake(): void {
    this.#loop.wake();
  }

  #add(pending: Pending<Signal>): void {
    if (this.#loop.isStopping || this.#loop.state === "retrying") {
      // The next run begins with a look at everything.
      return;
    }
    this.#queue.push(pending);
    this.#loop.wake();
  }

  /** What needs no database is passed on before this returns, so the usual case costs no promise. */
  #passAll(): NextRun | Promise<NextRun> {
    while (this.#isMore()) {
      const passing = this.pass(this.#queue);
      if (passing !== null) {
        return this.#passRest(passing);
      }
    }
    return null;
  }

  async #passRest(passing: Promise<void>): Promise<NextRun> {
    try {
      await passing;
      while (this.#isMore()) {
        await this.pass(this.#queue);
      }
      return null;
    } catch (error) {
      this.#queue = ["gap"];
      throw error;
    }
  }

  #isMore(): boolean {
    return this.#queue.length > 0 && this.isOpen();
  }
}
