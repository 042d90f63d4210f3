import type { PendingWrite } from "./pending-write.ts";

/** How many busy inboxes are waited for at once; each wait holds a database connection. */
const MAX_WAITING = 2;
const MAX_LANE_BATCH = 256;
/** How long to leave a lane that has no turn, and whose inbox is still busy, before another look. */
const LOOK_IN_PAUSE_MS = 50;

/** How {@link BusyLanes} write. Neither rejects: every write's own caller hears of its failure. */
export interface BusyLanesOptions {
  /** Writes a batch, waiting for its inboxes. */
  commit(batch: readonly PendingWrite[]): Promise<void>;
  /** Writes those of a batch whose inboxes are free, and answers the others. */
  commitFree(batch: readonly PendingWrite[]): Promise<readonly PendingWrite[]>;
}

/**
 * Keeps writes for inboxes that a host's transaction holds out of everybody else's way. A lane gathers the writes of
 * one inbox and writes them together once the inbox is free; it closes when it is empty.
 *
 * A few lanes wait inside the database. The others take turns to be looked at: an inbox that was busy for a moment only must not
 * wait behind those that are held for long.
 */
export class BusyLanes {
  readonly #options: BusyLanesOptions;
  readonly #lanes = new Map<string, PendingWrite[]>();
  readonly #turns: string[] = [];
  readonly #running = new Set<Promise<void>>();
  #lookingIn: Promise<void> | null = null;

  constructor(options: BusyLanesOptions) {
    this.#options = options;
  }

  /** Takes `pending` if its inbox has an open lane: a later write must not overtake an earlier one. */
  take(pending: PendingWrite): boolean {
    if (this.#lanes.size === 0) {
      return false;
    }
    const lane = this.#lanes.get(laneKey(pending));
    lane?.push(pending);
    return lane !== undefined;
  }

  /** Gives `pending`, whose inbox is busy, a lane. */
  open(pending: PendingWrite): void {
    if (this.take(pending)) {
      return;
    }
    const key = laneKey(pending);
    this.#lanes.set(key, [pending]);
    this.#turns.push(key);
    this.#run();
  }

  /** Resolves once no lane is open. */
  async drain(): Promise<void> {
    while (this.#running.size > 0 || this.#lookingIn !== null) {
      await Promise.all([...this.#running, this.#lookingIn]);
    }
  }

  #run(): void {
    while (this.#running.size < MAX_WAITING) {
      const key = this.#turns.shift();
      if (key === undefined) {
        return;
      }
      const running = this.#empty(key).finally(() => {
        this.#running.delete(running);
        this.#run();
      });
      this.#running.add(running);
    }
    if (this.#turns.length > 0) {
      this.#lookingIn ??= this.#lookIn().finally(() => {
        this.#lookingIn = null;
        this.#run();
      });
    }
  }

  async #empty(key: string): Promise<void> {
    const lane = this.#lanes.get(key) ?? [];
    while (lane.length > 0) {
      await this.#options.commit(lane.splice(0, MAX_LANE_BATCH));
    }
    this.#lanes.delete(key);
  }

  /** Looks at the lanes that have no turn, one after another, for as long as there are any. */
  async #lookIn(): Promise<void> {
    for (let key = this.#turns.shift(); key !== undefined; key = this.#turns.shift()) {
      const lane = this.#lanes.get(key) ?? [];
      const busy = await this.#options.commitFree(lane.splice(0, MAX_LANE_BATCH));
      // What came meanwhile comes after what was here.
      lane.unshift(...busy);
      if (lane.length === 0) {
        this.#lanes.delete(key);
        continue;
      }
      this.#turns.push(key);
      if (this.#running.size < MAX_WAITING) {
        return;
      }
      if (busy.length > 0) {
        await new Promise((resolve) => setTimeout(resolve, LOOK_IN_PAUSE_MS));
      }
    }
  }
}

/** A write to several inboxes has a lane of its own list: it waits for the busiest of them. */
function laneKey({ entry }: PendingWrite): string {
  return JSON.stringify([entry.notification.tenant, ...entry.recipients]);
}
