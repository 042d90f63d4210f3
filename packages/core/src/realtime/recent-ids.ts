/** Remembers the ids that were seen last: all of a span of time, and up to a number of older ones. */
export class RecentIds {
  readonly #max: number;
  readonly #seenMs = new Map<string, number>();
  /** All ids seen since this time are kept. @default none: the number alone counts */
  keepSinceMs = Number.POSITIVE_INFINITY;

  constructor(max: number) {
    this.#max = max;
  }

  has(id: string): boolean {
    return this.#seenMs.has(id);
  }

  /** Notes an id that is seen at `atMs`; false if it was seen before. */
  add(id: string, atMs: number): boolean {
    if (this.#seenMs.has(id)) {
      return false;
    }
    this.#seenMs.set(id, atMs);
    for (const [oldest, seenMs] of this.#seenMs) {
      if (this.#seenMs.size <= this.#max || seenMs >= this.keepSinceMs) {
        break;
      }
      this.#seenMs.delete(oldest);
    }
    return true;
  }
}
