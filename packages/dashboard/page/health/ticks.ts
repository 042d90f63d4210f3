/** The tops that an axis of a chart may have, each times a power of ten: their halves are whole. */
const TOPS = [2, 4, 6, 8, 10];

/** The ticks of an axis for values up to `most`, highest first, and its top: round numbers. */
export function ticksOf(most: number): { readonly ticks: readonly number[]; readonly top: number } {
  const power = 10 ** Math.max(0, Math.ceil(Math.log10(Math.max(1, most))) - 1);
  const top = (TOPS.find((one) => one * power >= most) ?? 10) * power;
  return { ticks: [top, top / 2, 0], top };
}
