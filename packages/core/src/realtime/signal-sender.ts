import { systemClock } from "../foundation/clock.ts";
import type { Logger } from "../foundation/logger.ts";
import { Loop } from "../work/loop.ts";
import type { Signal } from "./transport.ts";

/** If more signals wait, one signal that sends everybody to the database replaces them: that costs less than to pack and read so many. */
const MAX_PENDING = 2_500;

/** What a {@link SignalSender} hands over to be sent. */
export interface SignalSenderOptions {
  /** Sends signals, or the advice to look at the database; rejects if it may not have gone out. */
  send(signals: readonly Signal[] | "gap"): Promise<void>;
  readonly logger: Logger;
}

/**
 * Sends signals to the other processes: the first at once; those that come while some are on their way are gathered and
 * go together.
 */
export class SignalSender {
  readonly #send: SignalSenderOptions["send"];
  /** A send that failed is tried again with the next signals, or when the connection is back: see {@link flush}. */
  readonly #loop: Loop;
  #pending: Signal[] = [];
  #hasGap = false;

  constructor({ send, logger }: SignalSenderOptions) {
    this.#send = send;
    const task = "wake the other processes";
    this.#loop = new Loop({ task, run: () => this.#sendAll(), retryMs: null, level: "debug", clock: systemClock, logger });
  }

  add(signals: readonly Signal[]): void {
    if (this.#pending.length + signals.length > MAX_PENDING) {
      this.#pending = [];
      this.#hasGap = true;
    } else {
      this.#pending.push(...signals);
    }
    this.flush();
  }

  /** Sends waiting signals, after those on their way. */
  flush(): void {
    this.#loop.wake();
  }

  /** Resolves once nothing is on its way. */
  idle(): Promise<void> {
    return this.#loop.idle();
  }

  async #sendAll(): Promise<null> {
    while (this.#pending.length > 0 || this.#hasGap) {
      const signals = this.#hasGap ? "gap" : this.#pending;
      this.#pending = [];
      this.#hasGap = false;
      try {
        await this.#send(signals);
      } catch (error) {
        // They may or may not have arrived. One gap replaces them and those that came meanwhile.
        this.#pending = [];
        this.#hasGap = true;
        throw error;
      }
    }
    return null;
  }
}
