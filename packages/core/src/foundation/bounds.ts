/** The limits of one page of a read. A page that reaches either bound ends there; it always has one row, if there is any. */
export interface PageBounds {
  /** The most rows. */
  readonly limit: number;
  /** After how many bytes of text and data the page ends: the row that reaches them is its last. An approximate measure. */
  readonly bytes: number;
}

/** A page of what somebody missed. By bytes as well as by count, because 200 rows may be 20 KB or 200 MB. */
export const CATCH_UP_PAGE: PageBounds = { limit: 200, bytes: 256 * 1024 };

const MAX_SHOWN = 20;
const MAX_SHOWN_BYTES = 3_000;
const MAX_TEXT = 64;

/**
 * Keeps the first of the values that an answer lists, at most 20 and about 3 KB as JSON, and counts the others. An input
 * of 1 MiB may have a hundred thousand mistakes; answering with all of them would cost its sender nothing and us a lot.
 */
export class BoundedList<Value> {
  readonly #values: Value[] = [];
  #bytes = 0;
  #more = 0;

  /** The values that are shown. */
  get values(): readonly Value[] {
    return this.#values;
  }

  /** How many values are not shown. */
  get more(): number {
    return this.#more;
  }

  /** Counts values that are not even looked at; none is shown after them. */
  skip(count: number): void {
    this.#more += count;
  }

  /** Adds what `make` returns, if there is room: it is not called for a value that is only counted. */
  add(make: () => Value): void {
    if (this.#more > 0 || this.#values.length >= MAX_SHOWN) {
      this.#more += 1;
      return;
    }
    const value = make();
    const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
    if (this.#values.length > 0 && this.#bytes + bytes > MAX_SHOWN_BYTES) {
      this.#more += 1;
      return;
    }
    this.#values.push(value);
    this.#bytes += bytes;
  }
}

/** The beginning of a text that came from outside, for a message: at most `length` characters, and an ellipsis where it goes on. */
export function cut(text: string, length: number = MAX_TEXT): string {
  return text.length <= length ? text : `${text.slice(0, length).toWellFormed()}…`;
}
