import type { Change } from "./change.ts";
import { type Http, isRefusal } from "./http.ts";
import type { Counts } from "./item.ts";
import { jitter } from "./patience.ts";
import { pause } from "./pause.ts";
import type { ClientError } from "./result.ts";

/** How many items were found, or changed, and the counts after it. */
interface Answer {
  readonly changed: number;
  readonly counts: Counts;
}

/** What the server made of a change. */
export interface Outcome {
  readonly id: string;
  readonly answer?: Answer;
  /** Why it refused it. */
  readonly error?: ClientError;
}

/** What a {@link Queue} needs. */
export interface QueueParts {
  readonly http: Http;
  /** Whether a change waits for the server if that cannot be reached. */
  readonly waits: boolean;
  onOutcome(outcome: Outcome): void;
}

/** Sends changes one after another, in their order, each until the server has answered it. */
export class Queue {
  readonly #parts: QueueParts;
  readonly #changes = new Map<string, Change>();
  #isSending = false;
  #isOn = true;
  #wait = new AbortController();

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /** Adds a change, unless it is there. */
  add(change: Change): void {
    if (this.#isOn && !this.#changes.has(change.id)) {
      this.#changes.set(change.id, change);
      void this.#send();
    }
  }

  /** Goes on with sending, or leaves it to another tab. What is under way is still told. */
  turn(isOn: boolean): void {
    this.#isOn = isOn;
    if (isOn) {
      void this.#send();
    } else {
      this.#changes.clear();
    }
  }

  /** Sends at once what waits. */
  hurry(): void {
    this.#wait.abort();
  }

  async #send(): Promise<void> {
    if (this.#isSending) {
      return;
    }
    this.#isSending = true;
    let failures = 0;
    for (let [change] = this.#changes.values(); change !== undefined; [change] = this.#changes.values()) {
      const outcome = await this.#ask(change);
      if (outcome === null) {
        failures += 1;
        this.#wait = new AbortController();
        await pause(jitter(failures), this.#wait.signal);
      } else {
        failures = 0;
        this.#changes.delete(change.id);
        this.#parts.onOutcome(outcome);
      }
    }
    this.#isSending = false;
  }

  /** Asks for a change; null if it is to be asked for again. */
  async #ask({ id, to, at: _, lastSeq: __, ...body }: Change): Promise<Outcome | null> {
    const headers = { "idempotency-key": id };
    const result = await this.#parts.http.result<Answer>(`/inbox/${to}`, { method: "POST", body, headers });
    if (result.ok) {
      return { id, answer: result.value };
    }
    return this.#parts.waits && !isRefusal(result.error) ? null : { id, error: result.error };
  }
}
