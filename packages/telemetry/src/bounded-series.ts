import type { Labels } from "./metrics.ts";

/** The most series of one metric. Some labels hold words that others choose, such as those of a provider or a source. */
export const MOST_SERIES = 500;

/** Bounds the series of metrics: those beyond the first {@link MOST_SERIES} of each are counted together, as `other`. */
export class BoundedSeries {
  readonly #seen = new Map<string, Set<string>>();

  /** The labels to count under. */
  of(metric: string, labels: Labels): Labels {
    const known = this.#seen.get(metric) ?? new Set();
    this.#seen.set(metric, known);
    const key = JSON.stringify(Object.values(labels));
    if (known.has(key)) {
      return labels;
    }
    if (known.size >= MOST_SERIES) {
      return Object.fromEntries(Object.keys(labels).map((name) => [name, "other"]));
    }
    known.add(key);
    return labels;
  }
}
