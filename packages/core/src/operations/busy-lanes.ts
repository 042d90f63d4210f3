import type { PendingWrite } from "./pending-write.ts";

/** How many busy inboxes are waited for at once; each wait holds a database connection. */
const MAX_WAITING = 2;
const MAX_LANE_BATCH = 256;

/**
 * Keeps writes for inboxes that a host's transaction holds out of everybody else's way. A lane gathers the writes of
 * one inbox and writes them together once the inbox is free; it closes when it is empty.
 */
export class BusyLanes {
  readonly #commit: (batch: readonly PendingWrite[]) => Promise<void>;
  readonly #lanes = new Map<string, PendingWrite[]>();
  readonly #turns: string[] = [];
  readonly #running = new Set<Promise<void>>();

  /** @param commit writes a batch, waiting for its inboxes; never rejects */
  constructor(commit: (batch: readonly PendingWrite[]) => Promise<void>) {
    this.#commit = commit;
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
    while (this.#running.size > 0) {
      await Promise.all(this.#running);
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
  }

  async #empty(key: string): Promise<void> {
    const lane = this.#lanes.get(key) ?? [];
    while (lane.length > 0) {
      await this.#commit(lane.splice(0, MAX_LANE_BATCH));
    }
    this.#lanes.delete(key);
  }
}

/** A write to several inboxes has a lane of its own list: it waits for the busiest of them. */
function laneKey({ entry }: PendingWrite): string {
  return JSON.stringify([entry.notification.tenant, ...entry.recipients]);
}
