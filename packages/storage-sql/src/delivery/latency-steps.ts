/** The steps of each decade: the E24 series, of which each is 5 to 15 percent above the one before. */
const LEADS = [10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91] as const;
const DECADES = 9;

/**
 * The latencies by which attempts are counted, ascending: every millisecond up to 10, then steps of two digits. A latency counts as the
 * greatest of them that it has reached. Sums keep the step itself, so steps may change.
 */
export const LATENCY_STEPS: readonly number[] = [
  ...Array.from({ length: 10 }, (_, ms) => ms),
  ...Array.from({ length: DECADES }, (_, decade) => LEADS.map((lead) => lead * 10 ** decade)).flat(),
];

/** The latency step of attempts that failed. */
export const FAILED_STEP = -1;

/** The greatest step that a latency has reached. */
export function latencyStep(latencyMs: number): number {
  let [low, high] = [0, LATENCY_STEPS.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((LATENCY_STEPS[middle] ?? 0) <= latencyMs) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return LATENCY_STEPS[low] ?? 0;
}
