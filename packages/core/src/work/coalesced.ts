import type { Pending, WorkOnAll } from "./batch-queue.ts";
import { nextTurn } from "./timing.ts";

/** Collects the questions of one turn of the event loop and asks them at once. */
export class Coalesced<Key, Value> {
  readonly #load: WorkOnAll<Key, Value>;
  #asked: Pending<Key, Value>[] = [];

  constructor(load: WorkOnAll<Key, Value>) {
    this.#load = load;
  }

  get(entry: Key): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ entry, resolve, reject });
      if (this.#asked.length === 1) {
        void this.#answer();
      }
    });
  }

  async #answer(): Promise<void> {
    await nextTurn();
    const asked = this.#asked;
    this.#asked = [];
    try {
      const values = await this.#load(asked.map(({ entry }) => entry));
      for (const [index, { resolve }] of asked.entries()) {
        resolve(values[index] as Value);
      }
    } catch (error) {
      for (const { reject } of asked) {
        reject(error);
      }
    }
  }
}
