import type { Layout } from "./layout.ts";

/**
 * The next change of how attempts are kept. Each is a transaction of its own, so that what was interrupted goes on there:
 *
 * | the open part              | next      | effect                                                                         |
 * | -------------------------- | --------- | ------------------------------------------------------------------------------ |
 * | may stay open              | none      |                                                                                |
 * | is to be closed            | `bind`    | it refuses rows from a key on that is far ahead                                |
 * | has an unchecked bound     | `check`   | PostgreSQL reads it, beside all others, and knows that its rows are below that |
 * | the same, but it came near | `unbind`  | the bound is gone, and the next one is further ahead                           |
 * | has a checked bound        | `close`   | it is a partition that ends there, and an empty one follows it                 |
 */
export type Change =
  | { readonly kind: "bind"; readonly before: number }
  | { readonly kind: "check" | "unbind" }
  | { readonly kind: "close"; readonly before: number };

/** PostgreSQL reads a table many times as fast as deliveries come that use up a key for so many of its bytes. */
const BYTES_PER_KEY_AHEAD = 1_000;

/** Decides what is next where a partition is to have the attempts of `size` deliveries; null for nothing. */
export function nextChange({ isPartitioned, open, last }: Layout, size: number): Change | null {
  if (open.bound === null) {
    // A new partition is made while the one before it is half full: the one to close is empty then, unless nobody has looked for long.
    const isDue = !isPartitioned || last > (open.from ?? 0) - size / 2;
    const ahead = Math.max(size / 2, open.bytes / BYTES_PER_KEY_AHEAD);
    const before = Math.ceil(Math.max(last + ahead, (open.from ?? 0) + 1) / size) * size;
    return isDue ? { kind: "bind", before } : null;
  }
  const { before, isChecked } = open.bound;
  if (isChecked) {
    return { kind: "close", before };
  }
  return { kind: before - last < size / 4 ? "unbind" : "check" };
}
