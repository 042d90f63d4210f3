import type { InboxCounts } from "@belfry/core";
import type { InboxQuery } from "@belfry/core/storage";
import { BLOCK_LENGTH, LOOKED_AT_MOST } from "./block-sizes.ts";

/** The moment of an inbox at which a list of it was counted. */
export type CountedAt = Pick<InboxCounts, "epoch" | "rev" | "lastSeq">;

/** How many items of a block match, and how many it has, if that is asked. The block numbered 0 begins with the number 0. */
export type BlockCount = readonly [block: number, matching: number, looked?: number];

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

/** The counts of each block; {@link UNCOUNTED} where they are not known. */
interface Counts {
  readonly matching: Uint16Array;
  /** How many items each block has; null for a list that is counted to its end. */
  readonly looked: Uint16Array | null;
}

/** More than a block can have. */
const UNCOUNTED = 0xffff;

/**
 * How many items of an inbox match the filters of a list, in each block of numbers, at one moment. It never changes. One of the newest
 * items stops below some {@link LOOKED_AT_MOST} of them.
 */
export class CountedList {
  readonly at: CountedAt;
  /** The number of items that match, of those that are counted. */
  readonly matching: number;
  /** The blocks that are still to be counted, the newest first. Until there are none, it says nothing of pages. */
  readonly left: readonly number[];
  /** No item with a number below this is counted; 0 if all are. */
  readonly least: number;
  /** How many blocks are not counted, whether they are to be or not. */
  readonly uncounted: number;
  readonly #counts: Counts;

  private constructor(at: CountedAt, counts: Counts) {
    this.at = at;
    this.#counts = counts;
    const { lowest, left, matching } = reach(counts);
    this.least = spanOf(lowest).low;
    this.left = left;
    this.matching = matching;
    this.uncounted = counts.matching.reduce((sum, count) => sum + Number(count === UNCOUNTED), 0);
  }

  /** @param counts those of all blocks that have matching items */
  static of(at: CountedAt, counts: Iterable<BlockCount>): CountedList {
    return new CountedList(at, withCounts({ matching: new Uint16Array(blockOf(at.lastSeq) + 1), looked: null }, counts));
  }

  /** A list of which nothing is counted. @param options.ofNewest whether it is of the newest items alone */
  static begin(at: CountedAt, { ofNewest }: { readonly ofNewest: boolean }): CountedList {
    const unknown = () => new Uint16Array(blockOf(at.lastSeq) + 1).fill(UNCOUNTED);
    return new CountedList(at, { matching: unknown(), looked: ofNewest ? unknown() : null });
  }

  /** Roughly how much memory it takes. */
  get bytes(): number {
    const { matching, looked } = this.#counts;
    return matching.byteLength + (looked?.byteLength ?? 0) + 8 * this.left.length;
  }

  /** The same list at a later moment. The blocks that changed between are to be counted again. */
  later(at: CountedAt, changed: readonly number[]): CountedList {
    const copy = (counts: Uint16Array) => {
      const longer = new Uint16Array(blockOf(at.lastSeq) + 1).fill(UNCOUNTED);
      longer.set(counts);
      for (const block of changed) {
        longer[block] = UNCOUNTED;
      }
      return longer;
    };
    const { matching, looked } = this.#counts;
    return new CountedList(at, { matching: copy(matching), looked: looked && copy(looked) });
  }

  /** The same list with the counts of blocks that were left. */
  counting(counts: readonly BlockCount[]): CountedList {
    const { matching, looked } = this.#counts;
    return new CountedList(this.at, withCounts({ matching: matching.slice(), looked: looked?.slice() ?? null }, counts));
  }

  /** Whether a page is below all that is counted. */
  isAbove({ before = Number.MAX_SAFE_INTEGER }: Pick<InboxQuery, "before">): boolean {
    return before <= this.least;
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
    const { matching: counts } = this.#counts;
    const lowest = blockOf(this.least);
    for (let block = Math.min(blockOf(before - 1), counts.length - 1); block >= lowest && found - skipped < wanted; block -= 1) {
      const matching = counts[block] ?? 0;
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

function withCounts(counts: Counts, added: Iterable<BlockCount>): Counts {
  for (const [block, matching, looked = 0] of added) {
    counts.matching[block] = matching;
    counts.looked?.fill(looked, block, block + 1);
  }
  return counts;
}

/** How far down a list goes, what is left to be counted down to there, and how many items match. */
function reach({ matching, looked }: Counts): Pick<CountedList, "left" | "matching"> & { readonly lowest: number } {
  const left: number[] = [];
  let [matches, items] = [0, 0];
  let lowest = matching.length;
  // A block that is not counted may be full.
  while (lowest > 0 && (looked === null || items + left.length * BLOCK_LENGTH <= LOOKED_AT_MOST)) {
    lowest -= 1;
    const found = matching[lowest] ?? 0;
    if (found === UNCOUNTED) {
      left.push(lowest);
    } else {
      matches += found;
      items += looked?.[lowest] ?? 0;
    }
  }
  return { lowest, left, matching: matches };
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
