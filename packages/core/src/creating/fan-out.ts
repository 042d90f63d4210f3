import { createdSignal } from "../inbox/index.ts";
import { Loop, type NextRun } from "../work/loop.ts";
import type { CreatingContext } from "./context.ts";

/** How often a process looks for chunks that another one, which died, held and did not write. */
const POLL_INTERVAL_MS = 5_000;

/**
 * Writes what large creates left to be written, chunk by chunk, yielding to the event loop between chunks. What a
 * crash interrupts goes on at the next start: a chunk is written and forgotten in one transaction. A stop lets the chunk at
 * hand end, and begins no other.
 */
export class FanOut {
  /** Woken by each large create, at each start, and from time to time. */
  readonly loop: Loop;
  readonly #context: CreatingContext;

  constructor(context: CreatingContext) {
    this.#context = context;
    const { clock, logger } = context;
    this.loop = new Loop({ task: "go on with a fan-out", run: () => this.#writeAll(), clock, logger });
  }

  async #writeAll(): Promise<NextRun> {
    await this.#context.ready();
    while (!this.loop.isStopping) {
      const createdAt = new Date(this.#context.clock.now());
      const chunk = await this.#context.inbox.fanOutNext(createdAt);
      if (chunk === null) {
        return POLL_INTERVAL_MS;
      }
      // An item's time is when it came into the inbox, live as in every later list.
      const notification = { ...chunk.notification, createdAt };
      this.#context.publish(chunk.items.map((item) => createdSignal(notification, item)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    return null;
  }
}
