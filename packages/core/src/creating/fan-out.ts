import { endFanOuts, writeNextPart } from "../delivery/index.ts";
import { announceAlso, createdSignal } from "../inbox/index.ts";
import { Loop, type NextRun } from "../work/loop.ts";
import { nextTurn } from "../work/timing.ts";
import type { VerbContext } from "./verb.ts";

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
  readonly #context: VerbContext;

  constructor(context: VerbContext) {
    this.#context = context;
    const { clock, logger } = context;
    this.loop = new Loop({ task: "go on with a fan-out", run: () => this.#writeAll(), clock, logger });
  }

  async #writeAll(): Promise<NextRun> {
    await this.#context.ready();
    while (!this.loop.isStopping) {
      if (!(await this.#writeItems()) && !(await writeNextPart(this.#context))) {
        await endFanOuts(this.#context);
        if (!(await this.#context.inbox.tidyFanOuts(new Date(this.#context.clock.now())))) {
          return { dueInMs: null, lookInMs: POLL_INTERVAL_MS };
        }
      }
      await nextTurn();
    }
    return null;
  }

  /** Writes the items of a chunk of a large create for inboxes alone. Returns false if there is none. */
  async #writeItems(): Promise<boolean> {
    const { inbox, clock, follows, publish } = this.#context;
    const createdAt = new Date(clock.now());
    const chunk = await inbox.fanOutNext(createdAt, follows ?? nobody);
    if (chunk === null) {
      return false;
    }
    // An item's time is the moment it entered the inbox, both in live events and in later lists.
    const notification = { ...chunk.notification, createdAt };
    publish(chunk.isUntold ? [{ topic: "inboxes" }] : chunk.items.map((item) => createdSignal(notification, item)));
    announceAlso(this.#context, chunk.items);
    return true;
  }
}

/** Other processes have to be told as well, so all look for themselves. */
function nobody(): boolean {
  return false;
}
