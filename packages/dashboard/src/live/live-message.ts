import { sseEvent } from "@belfry/core/http";
import type { LiveEvents } from "../wire.ts";

/** An event of the live stream. Its text is made once for all readers who see the same of it. */
export class LiveMessage {
  readonly #event: string;
  readonly #id: string;
  readonly #data: LiveEvents[keyof LiveEvents];
  #whole: string | null = null;

  private constructor(event: string, id: string, data: LiveEvents[keyof LiveEvents]) {
    this.#event = event;
    this.#id = id;
    this.#data = data;
  }

  /** @param id where a reader that comes back with it goes on */
  static of<Name extends keyof LiveEvents>(event: Name, id: string, data: LiveEvents[Name]): LiveMessage {
    return new LiveMessage(event, id, data);
  }

  /** The whole event, as a reader sees it to whom `shown` shows less of its data; null for everything. */
  text(shown: ((data: unknown) => unknown) | null): string {
    if (shown !== null) {
      return this.#write(shown(this.#data));
    }
    this.#whole ??= this.#write(this.#data);
    return this.#whole;
  }

  #write(data: unknown): string {
    return sseEvent({ event: this.#event, id: this.#id, data: JSON.stringify(data) });
  }
}
