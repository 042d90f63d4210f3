import { expect, test } from "vitest";
import { lengthOf, MAX_LOGGED_RANGES, parseRanges, rangesOf, rangesText, seqsIn } from "./seq-ranges.ts";

test.each([
  [[], ""],
  [[7], "7"],
  [[3, 1, 2, 9], "1-3,9"],
  [[5, 6, 8, 9, 11], "5-6,8-9,11"],
  [[4, 4, 5], "4-5"],
])("the numbers %j are kept as %j", (seqs, text) => {
  expect(rangesText(rangesOf(seqs))).toBe(text);
});

test("a text gives the same numbers back, however it was put together", () => {
  const seqs = Array.from({ length: 500 }, () => Math.floor(Math.random() * 2_000)).toSorted((one, other) => one - other);
  const ranges = rangesOf(seqs);
  expect(parseRanges(rangesText(ranges) ?? "")).toEqual(ranges);
  expect(seqsIn(ranges)).toEqual([...new Set(seqs)]);
  expect(lengthOf(ranges)).toBe(new Set(seqs).size);
  expect(parseRanges("4-6,1-3,9,8,20")).toEqual([
    [1, 6],
    [8, 9],
    [20, 20],
  ]);
});

test("a text is bounded", () => {
  const odd = Array.from({ length: MAX_LOGGED_RANGES + 1 }, (_, at) => 2 * at + 1);
  expect(rangesText(rangesOf(odd))).toBeNull();
  expect(rangesText(rangesOf(odd.slice(1)))?.length).toBeLessThan(6_000);
  expect(rangesText(rangesOf(Array.from({ length: 1_000_000 }, (_, at) => at + 1)))).toBe("1-1000000");
});
