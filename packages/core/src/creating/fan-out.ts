import { createdSignal } from "../inbox/index.ts";
import type { CreatingContext } from "./context.ts";

const RETRY_DELAY_MS = 1_000;

/** How often a process looks for chunks that another one, which died, held and did not write. */
const POLL_INTERVAL_MS = 5_000;

/**
 * Writes what large creates left to be written, chunk by chunk, yielding to the event loop between chunks. What a
 * crash interrupts goes on at the next start: a chunk is written and forgotten in one transaction.
 */
export class FanOut {
  readonly #context: CreatingContext;
  #running: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  #cancelRetry: (() => void) | null = null;
  #cancelPoll: (() => void) | null = null;

  constructor(context: CreatingContext) {
    this.#context = context;
  }

  /** Starts working, unless it already does. */
  wake(): void {
    this.#stopped = false;
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Works now, and looks again from time to time for what another process left behind. */
  start(): void {
    this.wake();
    this.#cancelPoll?.();
    this.#cancelPoll = this.#context.clock.after(POLL_INTERVAL_MS, () => this.start());
  }

  /** Resolves once nothing is left that this process can write. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Finishes the chunk at hand and takes no other. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelRetry?.();
    this.#cancelPoll?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        await this.#writeAll();
      } catch (error) {
        this.#context.logger.error({ error }, `Belfry could not go on with a fan-out; it tries again in ${RETRY_DELAY_MS} ms.`);
        this.#cancelRetry = this.#context.clock.after(RETRY_DELAY_MS, () => this.wake());
      }
    }
  }

  async #writeAll(): Promise<void> {
    while (!this.#stopped) {
      const createdAt = new Date(this.#context.clock.now());
      const chunk = await this.#context.inbox.fanOutNext(createdAt);
      if (chunk === null) {
        return;
      }
      // An item's time is when it came into the inbox, live as in every later list.
      const notification = { ...chunk.notification, createdAt };
      this.#context.publish(chunk.items.map((item) => createdSignal(notification, item)));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
