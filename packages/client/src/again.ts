import { isRefusal } from "./http.ts";
import { jitter } from "./patience.ts";
import type { ClientError } from "./result.ts";

/** Asks again for what the server did not give: later and later, and at once when it can be reached. What it refuses is left. */
export class Again {
  readonly #ask: () => void;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #failures = 0;
  #isOn = false;

  /** @param ask asks for everything that is missing */
  constructor(ask: () => void) {
    this.#ask = ask;
  }

  /** Notes how it ended. */
  ended(error: ClientError | null): void {
    if (error === null) {
      this.#failures = 0;
    } else if (this.#isOn && !isRefusal(error)) {
      this.#failures += 1;
      this.#timer ??= setTimeout(() => this.#askNow(), jitter(this.#failures));
    }
  }

  /** The server can be reached: asks now, and again if that fails. */
  hurry(): void {
    this.#isOn = true;
    this.#failures = 0;
    this.#askNow();
  }

  /** Leaves what fails. */
  rest(): void {
    this.#isOn = false;
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
  }

  #askNow(): void {
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
    this.#ask();
  }
}
