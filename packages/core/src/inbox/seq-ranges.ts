/** Numbers of items that follow one another: the first and the last. */
export type SeqRange = readonly [from: number, to: number];

/** A change whose items make more ranges than this is logged without them, unless it covers all up to a number. */
export const MAX_LOGGED_RANGES = 1_000;

/** The ranges of numbers, each number once and in order. */
export function rangesOf(seqs: readonly number[]): readonly SeqRange[] {
  return uniteRanges(seqs.map((seq) => [seq, seq]));
}

/** Ranges in order, without overlaps, those that touch as one. */
export function uniteRanges(ranges: readonly SeqRange[]): readonly SeqRange[] {
  const all: [from: number, to: number][] = [];
  for (const [from, to] of ranges.toSorted(([one], [other]) => one - other)) {
    const last = all.at(-1);
    if (last !== undefined && from <= last[1] + 1) {
      last[1] = Math.max(last[1], to);
    } else {
      all.push([from, to]);
    }
  }
  return all;
}

/** How many numbers ranges have. */
export function lengthOf(ranges: readonly SeqRange[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}

/** The numbers in ranges. */
export function seqsIn(ranges: readonly SeqRange[]): readonly number[] {
  return ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, at) => from + at));
}

/** Ranges as the log keeps them, such as `1-5,9`; null if they are more than {@link MAX_LOGGED_RANGES}. */
export function rangesText(ranges: readonly SeqRange[]): string | null {
  return ranges.length > MAX_LOGGED_RANGES ? null : ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(",");
}

/** Reads {@link rangesText}, also if it was put together of several. */
export function parseRanges(text: string): readonly SeqRange[] {
  const parsed = text.split(",").map((range): SeqRange => {
    const [from = 0, to = from] = range.split("-").map(Number);
    return [from, to];
  });
  return uniteRanges(parsed);
}
