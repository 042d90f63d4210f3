/** The limits of one page of a read. A page that reaches either bound ends there; it always has one row, if there is any. */
export interface PageBounds {
  /** The most rows. */
  readonly limit: number;
  /** The page ends after so many bytes of text and data, roughly: the row that reaches them is its last. */
  readonly bytes: number;
}

/** A page of missed items. It is limited by bytes as well as by count, because 200 rows may be 20 KB or 200 MB. */
export const CATCH_UP_PAGE: PageBounds = { limit: 200, bytes: 256 * 1024 };

/** Sets an entry as the newest of a map, and drops the oldest one of more than `most`. */
export function setNewest<Key, Value>(map: Map<Key, Value>, [key, value]: readonly [Key, Value], most: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) {
    map.delete(oldest);
  }
}

/**
 * The beginning of a text that somebody else wrote, as every database keeps it: with `nul` in place of each NUL, and without halves of
 * surrogate pairs. Most texts are kept as they are, and only looked through: a copy costs much more.
 */
export function storable(text: string, most: number, nul = ""): string {
  if (text.length <= most && !text.includes("\u0000") && text.isWellFormed()) {
    return text;
  }
  return text.slice(0, most).replaceAll("\u0000", nul).toWellFormed();
}

const MAX_SHOWN = 20;
const MAX_SHOWN_BYTES = 3_000;
const MAX_TEXT = 64;

/**
 * Keeps the first values of a list for an answer, at most 20 and about 3 KB as JSON, and counts the others. An input of
 * 1 MiB may have a hundred thousand mistakes. To answer with all of them would cost its sender nothing and us a lot.
 */
export class BoundedList<Value> {
  readonly #values: Value[] = [];
  #bytes = 0;
  #more = 0;

  get values(): readonly Value[] {
    return this.#values;
  }

  /** How many values are not shown. */
  get more(): number {
    return this.#more;
  }

  /** Counts values that nobody looks at. No value is shown after them. */
  skip(count: number): void {
    this.#more += count;
  }

  /** Adds the value that `make` returns if there is room. It does not call `make` for a value that is only counted. */
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

/** Cuts a text from outside for a message: at most `length` characters, and an ellipsis if it goes on. */
export function cut(text: string, length: number = MAX_TEXT): string {
  return text.length <= length ? text : `${text.slice(0, length).toWellFormed()}…`;
}
