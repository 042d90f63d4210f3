import type { Scale } from "./row.ts";

/** Below this a scaled row would measure something else. */
const LEAST = 100;

/** Scales preloaded rows, users and events by a factor. */
export function scaleBy(factor: number): Scale {
  return { factor, of: (count) => Math.max(Math.min(count, LEAST), Math.round(count * factor)) };
}
