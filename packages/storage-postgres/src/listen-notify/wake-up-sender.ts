import type { Logger } from "@belfry/core";
import type { Signal } from "@belfry/core/storage";
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
  readonly #logger: Logger;
  #pending: Signal[] = [];
  #hasGap = false;
  #running: Promise<void> | null = null;

  /** @param send rejects if the payloads did not go out */
  constructor(
    sender: string,
    { send, logger }: { readonly send: (payloads: readonly string[]) => Promise<void>; readonly logger: Logger },
  ) {
    this.#sender = sender;
    this.#send = send;
    this.#logger = logger;
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

  /** Sends what waits, unless something is on its way. */
  flush(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves once nothing is on its way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#pending.length > 0 || this.#hasGap) {
      const signals = this.#hasGap ? "gap" : this.#pending;
      this.#pending = [];
      this.#hasGap = false;
      try {
        await this.#send(packSignals({ sender: this.#sender, signals }));
      } catch (error) {
        this.#logger.debug({ error }, "Belfry could not wake the other processes; it does when its connection is back.");
        // Whether they arrived is not known. One gap, after those that came meanwhile, makes up for all of them.
        this.#pending = [];
        this.#hasGap = true;
        return;
      }
    }
  }
}
