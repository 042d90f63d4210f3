import type { ActivitySummary } from "@belfry/core";

/** What differs between two looks at the newest notifications. */
export interface WindowChange {
  /** Oldest first. */
  readonly created: readonly ActivitySummary[];
  readonly changed: readonly ActivitySummary[];
  /** False when so many are new that others of them may lie beyond the window. */
  readonly isComplete: boolean;
  readonly hasRemoved: boolean;
}

const NO_CHANGE: WindowChange = { created: [], changed: [], isComplete: true, hasRemoved: false };

/**
 * The newest notifications, as they were last seen. They are compared one by one, not by the highest id: what commits
 * late has a lower id than what was seen before it.
 */
export class NotificationWindow {
  readonly #size: number;
  #seen: ReadonlyMap<string, ActivitySummary> | null = null;
  #newest: string | null = null;

  constructor(size: number) {
    this.#size = size;
  }

  /** The highest id seen so far; null before there is any. */
  get newest(): string | null {
    return this.#newest;
  }

  /** Takes in what is newest now, newest first; those of `touched` count as changed. The first look changes nothing. */
  next(now: readonly ActivitySummary[], touched: ReadonlySet<string>): WindowChange {
    const before = this.#seen;
    const seen = new Map(now.map((one) => [one.id, one]));
    this.#seen = seen;
    const top = now[0]?.id ?? null;
    this.#newest = this.#newest !== null && (top === null || this.#newest > top) ? this.#newest : top;
    if (before === null) {
      return NO_CHANGE;
    }
    // Of a full window, what lies below its end was there before and slid back in.
    const oldest = before.size < this.#size ? "" : ([...before.keys()].at(-1) ?? "");
    const created = now.filter(({ id }) => !before.has(id) && id > oldest);
    const changed = now.filter((one) => before.has(one.id) && (touched.has(one.id) || before.get(one.id)?.status !== one.status));
    const end = now.length < this.#size ? "" : (now.at(-1)?.id ?? "");
    return {
      created: created.reverse(),
      changed,
      isComplete: before.size === 0 ? now.length < this.#size : created.length < this.#size,
      hasRemoved: [...before.keys()].some((id) => id >= end && !seen.has(id)),
    };
  }
}
