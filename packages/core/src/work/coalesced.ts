interface Asked<Key, Value> {
  readonly key: Key;
  resolve(value: Value): void;
  reject(error: unknown): void;
}

/** Collects the questions of one turn of the event loop and asks them at once. */
export class Coalesced<Key, Value> {
  readonly #load: (keys: readonly Key[]) => Promise<readonly Value[]>;
  #asked: Asked<Key, Value>[] = [];

  /** @param load answers a value for each key, in their order */
  constructor(load: (keys: readonly Key[]) => Promise<readonly Value[]>) {
    this.#load = load;
  }

  get(key: Key): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ key, resolve, reject });
      if (this.#asked.length === 1) {
        setImmediate(() => void this.#answer());
      }
    });
  }

  async #answer(): Promise<void> {
    const asked = this.#asked;
    this.#asked = [];
    try {
      const values = await this.#load(asked.map(({ key }) => key));
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
