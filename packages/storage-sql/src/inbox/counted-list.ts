import type { InboxCounts } from "@belfry/core";
import type { InboxQuery } from "@belfry/core/storage";
import { BLOCK_LENGTH } from "./block-sizes.ts";

/** The moment of an inbox at which a list of it was counted. */
export type CountedAt = Pick<InboxCounts, "epoch" | "rev" | "lastSeq">;

/** How many items of a block match. The block numbered 0 begins with the number 0. */
export type BlockCount = readonly [block: number, matching: number];

/** Numbers of items from `low` on, and below `high`. */
export interface SeqSpan {
  readonly low: number;
  readonly high: number;
}

/** Where the items of a page are. */
export interface PageSpans {
  /** The newest first. Numbers that are in none have no items of the page. */
  readonly spans: readonly SeqSpan[];
  /** How many of the newest matching items in the spans to skip. */
  readonly skipped: number;
  /** The most items to read after those. */
  readonly limit: number;
}

/** The block of an item's number. */
export function blockOf(seq: number): number {
  return Math.floor(seq / BLOCK_LENGTH);
}

/** The numbers of a block. */
export function spanOf(block: number): SeqSpan {
  return { low: block * BLOCK_LENGTH, high: (block + 1) * BLOCK_LENGTH };
}

/** How many items of an inbox match the filters of a list, in each block of numbers, at one moment. It never changes. */
export class CountedList {
  readonly at: CountedAt;
  /** The number of items that match. */
  readonly matching: number;
  /** The blocks that are still to be counted, the newest first. Until there are none, it says nothing of pages. */
  readonly left: readonly number[];
  readonly #blocks: Uint16Array;

  private constructor(at: CountedAt, blocks: Uint16Array, left: readonly number[]) {
    this.at = at;
    this.left = left;
    this.#blocks = blocks;
    this.matching = blocks.reduce((sum, count) => sum + count, 0);
  }

  /** @param counts those of all blocks that have matching items */
  static of(at: CountedAt, counts: Iterable<BlockCount>): CountedList {
    return new CountedList(at, withCounts(new Uint16Array(blockOf(at.lastSeq) + 1), counts), []);
  }

  /** A list of which nothing is counted. */
  static begin(at: CountedAt): CountedList {
    const newest = blockOf(at.lastSeq);
    return new CountedList(
      at,
      new Uint16Array(newest + 1),
      Array.from({ length: newest + 1 }, (_, index) => newest - index),
    );
  }

  /** Roughly how much memory it takes. */
  get bytes(): number {
    return this.#blocks.byteLength + 8 * this.left.length;
  }

  /** The same list at a later moment. The blocks that changed between are left to be counted. */
  later(at: CountedAt, changed: readonly number[]): CountedList {
    const blocks = new Uint16Array(blockOf(at.lastSeq) + 1);
    blocks.set(this.#blocks);
    const left = new Set([...this.left, ...changed]);
    return new CountedList(
      at,
      blocks,
      [...left].toSorted((one, other) => other - one),
    );
  }

  /** The same list with the counts of blocks that were left. */
  counting(counts: readonly BlockCount[]): CountedList {
    const counted = new Set(counts.map(([block]) => block));
    const left = this.left.filter((block) => !counted.has(block));
    return new CountedList(this.at, withCounts(this.#blocks.slice(), counts), left);
  }

  /**
   * Finds a page: it goes along the counts, and leaves out blocks without matching items.
   *
   * @throws TypeError for both a cursor and an offset: how many items are above a number is not known
   */
  page({ before = Number.MAX_SAFE_INTEGER, offset = 0, limit }: Pick<InboxQuery, "before" | "offset" | "limit">): PageSpans {
    if (offset > 0 && before < Number.MAX_SAFE_INTEGER) {
      throw new TypeError("A page begins below a number or behind an offset, not both.");
    }
    const spans: { low: number; high: number }[] = [];
    const wanted = Math.min(limit, this.matching - offset);
    let skipped = offset;
    let found = 0;
    for (let block = Math.min(blockOf(before - 1), this.#blocks.length - 1); block >= 0 && found - skipped < wanted; block -= 1) {
      const matching = this.#blocks[block] ?? 0;
      const { low, high } = spanOf(block);
      // How many of them are below a cursor within the block is not known.
      const isWhole = high <= before;
      if (isWhole && spans.length === 0 && skipped >= matching) {
        skipped -= matching;
      } else if (matching > 0) {
        found += isWhole ? matching : 0;
        addSpan(spans, { low, high: Math.min(high, before) });
      }
    }
    return { spans, skipped, limit: Math.max(wanted, 0) };
  }
}

function withCounts(blocks: Uint16Array, counts: Iterable<BlockCount>): Uint16Array {
  for (const [block, matching] of counts) {
    blocks[block] = matching;
  }
  return blocks;
}

/** Adds a span below all others; if it touches the last, both become one. */
function addSpan(spans: { low: number; high: number }[], { low, high }: SeqSpan): void {
  const last = spans.at(-1);
  if (last?.low === high) {
    last.low = low;
  } else {
    spans.push({ low, high });
  }
}
