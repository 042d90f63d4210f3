import type { InboxCounts } from "@belfry/core";
import type { InboxQuery } from "@belfry/core/storage";
import { BLOCK_LENGTH } from "./block-sizes.ts";

/** The moment of an inbox at which a list of it was counted. */
export interface CountedAt extends Pick<InboxCounts, "epoch" | "rev" | "lastSeq"> {
  /** The tenant's content token, for a list that depends on the content of notifications; null for others, and before the first change. */
  readonly contentToken: number | null;
}

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

/** What is left of a count that is made in parts. */
export interface LeftToCount {
  /** The blocks below this one are still to be counted. */
  readonly blocks: number;
  /** How often it was begun: a change of the whole inbox between two parts makes it begin again. */
  readonly begun: number;
}

/** How many items of an inbox match the filters of a list, in each block of numbers, at one moment. It never changes. */
export class CountedList {
  readonly at: CountedAt;
  /** The number of items that match. */
  readonly matching: number;
  readonly left: LeftToCount;
  readonly #blocks: Uint16Array;

  private constructor(at: CountedAt, blocks: Uint16Array, left: LeftToCount) {
    this.at = at;
    this.left = left;
    this.#blocks = blocks;
    this.matching = blocks.reduce((sum, count) => sum + count, 0);
  }

  /** @param counts those of all blocks that have matching items */
  static of(at: CountedAt, counts: Iterable<BlockCount>): CountedList {
    return new CountedList(at, withCounts(new Uint16Array(blockOf(at.lastSeq) + 1), counts), { blocks: 0, begun: 1 });
  }

  /** A list of which nothing is counted. @param begun how often its count was begun before */
  static begin(at: CountedAt, begun: number): CountedList {
    const blocks = blockOf(at.lastSeq) + 1;
    return new CountedList(at, new Uint16Array(blocks), { blocks, begun: begun + 1 });
  }

  /** Roughly how much memory it takes. */
  get bytes(): number {
    return this.#blocks.byteLength;
  }

  /**
   * The same list at a later moment, with the counts of the blocks that changed between, or that were left.
   *
   * @param left how many blocks are left then. @default as many as before
   */
  later(at: CountedAt, counts: Iterable<BlockCount>, left = this.left.blocks): CountedList {
    const blocks = new Uint16Array(blockOf(at.lastSeq) + 1);
    blocks.set(this.#blocks);
    return new CountedList(at, withCounts(blocks, counts), { ...this.left, blocks: left });
  }

  /** Finds a page: it goes along the counts, and leaves out blocks without matching items. */
  page({ before = Number.MAX_SAFE_INTEGER, offset = 0, limit }: Pick<InboxQuery, "before" | "offset" | "limit">): PageSpans {
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
