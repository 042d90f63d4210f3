/** The ids that were seen last, up to a number: the oldest are forgotten. */
export class RecentIds {
  readonly #max: number;
  readonly #ids = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Notes an id; false if it was seen before. */
  add(id: string): boolean {
    if (this.#ids.has(id)) {
      return false;
    }
    this.#ids.add(id);
    if (this.#ids.size > this.#max) {
      const [oldest = ""] = this.#ids;
      this.#ids.delete(oldest);
    }
    return true;
  }
}
