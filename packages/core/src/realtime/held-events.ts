import type { InboxEvent } from "../inbox/index.ts";

/** The most events that are held. A listener that takes a replay too slowly for more has to list the inbox again. */
const MAX_HELD = 1_000;

/** What a feed told while its subscriber could not be told yet: events, and states with whether everything was recovered. */
export class HeldEvents {
  #held: (InboxEvent | boolean)[] = [];
  #hasLost = false;

  /** Whether more came than is held. */
  get hasLost(): boolean {
    return this.#hasLost;
  }

  hold(told: InboxEvent | boolean): void {
    if (this.#held.length === MAX_HELD) {
      this.#held = [];
      this.#hasLost = true;
    }
    this.#held.push(told);
  }

  all(): readonly (InboxEvent | boolean)[] {
    return this.#held;
  }
}
