import type { Layout } from "./layout.ts";

/**
 * The next change of how attempts are kept. Each is a transaction of its own, so that what was interrupted goes on there:
 *
 * | the open part              | next      | effect                                                                         |
 * | -------------------------- | --------- | ------------------------------------------------------------------------------ |
 * | may stay open              | none      |                                                                                |
 * | is to be closed, and small | `close`   | it is a partition that ends at a key ahead, and an empty one follows it        |
 * | is to be closed            | `bind`    | it refuses rows from a key on that is far ahead                                |
 * | has an unchecked bound     | `check`   | PostgreSQL reads it, beside all others, and knows that its rows are below that |
 * | has a checked bound        | `close`   | it is a partition that ends there, and an empty one follows it                 |
 * | has a bound that is near   | `unbind`  | the bound is gone, and the next one is further ahead                           |
 *
 * A partition that was made ahead is empty, so it never has a bound that keys could come to while a dump holds its table for hours.
 */
export type Change = { readonly kind: "bind" | "close"; readonly before: number } | { readonly kind: "check" | "unbind" };

/** PostgreSQL reads a table many times as fast as deliveries come that use up a key for so many of its bytes. */
const BYTES_PER_KEY_AHEAD = 1_000;
/** PostgreSQL reads so many bytes in a moment, under the lock that closing takes anyway. */
const SMALL_BYTES = 1_048_576;

/** Decides what is next where a partition is to have the attempts of `size` deliveries; null for nothing. */
export function nextChange({ isPartitioned, open, last }: Layout, size: number): Change | null {
  if (open.bound === null) {
    // A new partition is made while the one before it is half full: the one to close is empty then, unless nobody has looked for long.
    const isDue = !isPartitioned || last > (open.from ?? 0) - size / 2;
    const ahead = Math.max(size / 2, open.bytes / BYTES_PER_KEY_AHEAD);
    const before = Math.ceil(Math.max(last + ahead, (open.from ?? 0) + 1) / size) * size;
    return isDue ? { kind: open.bytes > SMALL_BYTES ? "bind" : "close", before } : null;
  }
  const { before, isChecked } = open.bound;
  if (before - last < size / 4) {
    // A checked one, too: whatever has kept it from being closed may do so until keys come to it, and their attempts are refused then.
    return { kind: "unbind" };
  }
  return isChecked ? { kind: "close", before } : { kind: "check" };
}
