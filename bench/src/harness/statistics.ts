/** A median with its interval of 95 % certainty. */
export interface Estimate {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Estimates from samples, by their order: no distribution is assumed. */
export function estimate(samples: readonly number[]): Estimate {
  const sorted = samples.toSorted((left, right) => left - right);
  const [low, high] = interval(sorted);
  return { median: median(sorted), low, high };
}

/** The value below which a share of samples lies. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** The order statistics around the median, by the binomial's normal approximation. Below six samples all of them are inside. */
function interval(sorted: readonly number[]): readonly [number, number] {
  const spread = 0.98 * Math.sqrt(sorted.length);
  const low = Math.max(0, Math.floor(sorted.length / 2 - spread));
  const high = Math.min(sorted.length - 1, Math.ceil(sorted.length / 2 + spread) - 1);
  return [sorted[low] ?? Number.NaN, sorted[high] ?? Number.NaN];
}
