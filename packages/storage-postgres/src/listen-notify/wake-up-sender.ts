import { type Logger, systemClock } from "@belfry/core";
import { Loop, type Signal } from "@belfry/core/storage";
import { packSignals } from "./signal-payload.ts";

/** Beyond this many, signals that could not be sent yet become one that sends everybody to the database. */
const MAX_PENDING = 5_000;

/**
 * Sends signals to the other processes: the first at once; those that come while some are on their way are gathered and
 * go together.
 */
export class WakeUpSender {
  readonly #sender: string;
  readonly #send: (payloads: readonly string[]) => Promise<void>;
  /** A send that failed is tried again with the next signals, or once the connection is back: see {@link flush}. */
  readonly #loop: Loop;
  #pending: Signal[] = [];
  #hasGap = false;

  /** @param send rejects if the payloads did not go out */
  constructor(
    sender: string,
    { send, logger }: { readonly send: (payloads: readonly string[]) => Promise<void>; readonly logger: Logger },
  ) {
    this.#sender = sender;
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

  /** Sends what waits; what is on its way ends first. */
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
        await this.#send(packSignals({ sender: this.#sender, signals }));
      } catch (error) {
        // Whether they arrived is not known. One gap, after those that came meanwhile, makes up for all of them.
        this.#pending = [];
        this.#hasGap = true;
        throw error;
      }
    }
    return null;
  }
}
