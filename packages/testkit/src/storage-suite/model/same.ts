import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";

/** Compares quickly first: the comparison that can show a difference would take minutes after every step. */
export function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) {
    expect(actual).toEqual(expected);
  }
}

/** The value at `index` of a list that begins anew at its end; undefined of an empty one. */
export function choose<Value>(values: readonly Value[], index: number): Value | undefined {
  return values[index % Math.max(values.length, 1)];
}
