import type { MutableRef } from "preact/hooks";

/** An open page waits ten times as long as an answer took before it asks again, up to {@link MOST_MS}. */
const TIMES = 10;
const MOST_MS = 10_000;

/** Loads, and notes in `pace` how many milliseconds are to pass before it is loaded again: `leastMs`, and more where the answer took long. */
export function paced<Value>(
  load: (signal: AbortSignal) => Promise<Value>,
  pace: MutableRef<number>,
  leastMs: number,
): (signal: AbortSignal) => Promise<Value> {
  return async (signal) => {
    const began = performance.now();
    const value = await load(signal);
    pace.current = Math.max(leastMs, Math.min(MOST_MS, TIMES * (performance.now() - began)));
    return value;
  };
}
