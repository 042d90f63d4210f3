import { appendFileSync } from "node:fs";
import { DATABASES } from "../../test/either-database.ts";

/** Whether this run does everything, or the slice that fits into CI. */
export const IS_WHOLE = process.env.CHAOS_ALL === "1";

/** The seed of this run: `pnpm chaos --seed <it>` does the same again. */
export const SEED = Number(process.env.CHAOS_SEED ?? 1);

/** A number of this run: the first in the slice, the second in the whole. */
export function scaled(slice: number, whole: number): number {
  return IS_WHOLE ? whole : slice;
}

/** The databases that a fault is tried on: both in the whole, and one of them, by the seed, in the slice. */
export function databasesOf(fault: number): readonly (typeof DATABASES)[number][] {
  const [one = DATABASES[0]] = DATABASES.slice((SEED + fault) % DATABASES.length);
  return IS_WHOLE ? DATABASES : [one];
}

/** The numbers that a fault has measured; `pnpm chaos` prints them all in the end. */
export type Figures = Readonly<Record<string, number | string>>;

/** Notes a fault's figures. Without `pnpm chaos`, they go nowhere. */
export function note(fault: string, figures: Figures): void {
  const path = process.env.CHAOS_FIGURES;
  if (path !== undefined) {
    const words = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
    appendFileSync(path, `${fault}: ${words.join(", ")}\n`);
  }
}

/** The value that `share` of the values do not exceed, for example 0.99; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}
