/**
 * A number of milliseconds cut to its first three digits: 1,234 is 1,230. Few enough to be counted, where a percentile
 * over each number by itself would have to be sorted.
 */
export function threeDigits(milliseconds: number): number {
  const unit = 10 ** Math.max(0, String(Math.trunc(milliseconds)).length - 3);
  return Math.floor(milliseconds / unit) * unit;
}
