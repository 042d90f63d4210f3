import { createdSignal } from "../inbox/index.ts";
import { Loop, type NextRun } from "../work/loop.ts";
import { nextTurn } from "../work/timing.ts";
import type { CreatingContext } from "./context.ts";

/** The interval at which a process looks for chunks that a dead process left unwritten. */
const POLL_INTERVAL_MS = 5_000;

/**
 * Writes the remaining items of large creates, chunk by chunk, and yields to the event loop between chunks. After a crash,
 * the next start continues: one transaction writes a chunk and deletes it. A stop lets the current chunk end and begins no
 * other.
 */
export class FanOut {
  /** The background loop. Each large create and each start wakes it, and it also runs from time to time. */
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
      const chunk = await this.#context.inbox.fanOutNext(createdAt, this.#context.follows);
      if (chunk === null) {
        if (!(await this.#context.inbox.tidyFanOuts(createdAt))) {
          return { dueInMs: null, lookInMs: POLL_INTERVAL_MS };
        }
        await nextTurn();
        continue;
      }
      // An item's time is the moment it entered the inbox, both in live events and in later lists.
      const notification = { ...chunk.notification, createdAt };
      this.#context.publish(chunk.items.map((item) => createdSignal(notification, item)));
      await nextTurn();
    }
    return null;
  }
}
