import type { ActivitySummary } from "@belfry/core";

/** The differences between two looks at the newest notifications. */
export interface WindowChange {
  /** Oldest first. */
  readonly created: readonly ActivitySummary[];
  readonly changed: readonly ActivitySummary[];
  readonly hasRemoved: boolean;
}

/** The newest notifications, newest first. */
export interface Newest {
  readonly notifications: readonly ActivitySummary[];
  /** Whether there are no older ones. */
  readonly isWhole: boolean;
}

const NO_CHANGE: WindowChange = { created: [], changed: [], hasRemoved: false };

/**
 * The newest notifications at the last look. They are compared one by one, not by the highest id: a notification that
 * commits late has a lower id than some that were seen before it.
 */
export class NotificationWindow {
  #seen: ReadonlyMap<string, ActivitySummary> | null = null;
  #wasWhole = false;
  #newest: string | null = null;

  /** The highest id seen so far; null before there is any. */
  get newest(): string | null {
    return this.#newest;
  }

  /** Whether a look reaches back to a notification seen before; the first look always does. */
  meets(now: readonly ActivitySummary[]): boolean {
    const before = this.#seen;
    return before === null || now.some(({ id }) => before.has(id));
  }

  /** Stores the newest notifications and returns the differences; those in `touched` count as changed. The first look has no differences. */
  next({ notifications: now, isWhole }: Newest, touched: ReadonlySet<string>): WindowChange {
    const [before, wasWhole] = [this.#seen, this.#wasWhole];
    const seen = new Map(now.map((one) => [one.id, one]));
    this.#seen = seen;
    this.#wasWhole = isWhole;
    const top = now[0]?.id ?? null;
    this.#newest = this.#newest !== null && (top === null || this.#newest > top) ? this.#newest : top;
    if (before === null) {
      return NO_CHANGE;
    }
    // Notifications older than the end of the last look are not new: they moved up as others were removed.
    const oldest = wasWhole ? "" : ([...before.keys()].at(-1) ?? "");
    const created = now.filter(({ id }) => !before.has(id) && id > oldest);
    const changed = now.filter((one) => before.has(one.id) && (touched.has(one.id) || before.get(one.id)?.status !== one.status));
    const end = isWhole ? "" : (now.at(-1)?.id ?? "");
    return { created: created.reverse(), changed, hasRemoved: [...before.keys()].some((id) => id >= end && !seen.has(id)) };
  }
}
