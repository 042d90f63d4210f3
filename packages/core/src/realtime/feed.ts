import type { WorkContext } from "../foundation/context.ts";
import { Loop, type NextRun } from "../work/loop.ts";

/** The work of a feed that is not done yet: signals, and reads of the database. */
export type Pending<Signal> = Signal | "behind" | "gap";

/**
 * Something that subscribers in this process follow. Signals may be late, repeated, out of order or lost; followers still
 * get everything. Each kind of feed does that in `pass`.
 *
 * A failed read of the database is tried again once a second. The new read covers everything that may have been missed, so
 * nothing piles up meanwhile.
 */
export abstract class Feed<Signal, Follower> {
  readonly followers = new Set<Follower>();
  readonly #loop: Loop;
  #queue: Pending<Signal>[] = [];

  /** @param task completes "Belfry could not …" in the log */
  constructor(task: string, { clock, logger }: Omit<WorkContext, "ready">) {
    this.#loop = new Loop({ task, run: () => this.#passAll(), clock, logger });
  }

  /** Takes the first work off `queue` and tells the followers. Returns null if it did not read the database. */
  protected abstract pass(queue: Pending<Signal>[]): Promise<void> | null;

  /** Whether it can pass anything on yet; until then, signals are kept. */
  protected isOpen(): boolean {
    return true;
  }

  protected get isStopping(): boolean {
    return this.#loop.isStopping;
  }

  signal(signal: Signal): void {
    this.#add(signal);
  }

  /** Makes the feed read changes whose signals were lost. */
  behind(): void {
    this.#add("behind");
  }

  /** Makes the feed read everything, because any signal may have been lost. */
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

  /** Passes on waiting signals, if there are any. */
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

  /** Passes signals that need no database on before it returns, so that the usual case costs no promise. */
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
