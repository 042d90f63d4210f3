import type { Notification } from "../notifications/index.ts";
import { BatchQueue, commitBatch, countUpTo, type Pending } from "../work/batch-queue.ts";
import type { InboxStorage } from "./inbox-storage.ts";
import type { CreatedItem, NewNotification } from "./new-items-storage.ts";

/** The result of `create`. */
export interface Created {
  /** The notification as it is stored, with its id. */
  readonly notification: Notification;
  /**
   * The place of each recipient's item. It is empty where that is not decided yet: within a transaction of the host, for a
   * schedule, and from 1,001 recipients on, when the notification and their list are durable, and the
   * items follow in the background. It is also empty for the repetition of an earlier call.
   */
  readonly items: readonly CreatedItem[];
}

/** The limit of a batch. It bounds how long one transaction holds a synchronous database. */
const BATCH = { most: 256, mostWeight: 1_000 };

/**
 * Writes creates that arrive at the same time in one transaction. A write to an inbox that a host's transaction holds goes
 * to a lane of its own, so that other writes do not wait for it.
 */
export class GroupCommit {
  readonly #queue: BatchQueue<NewNotification, readonly CreatedItem[], readonly CreatedItem[] | null>;
  readonly #lanes: BusyLanes;

  constructor(inbox: InboxStorage) {
    this.#lanes = new BusyLanes(inbox);
    this.#queue = new BatchQueue({
      count: (queue) => countUpTo(queue, BATCH, ({ recipients }) => recipients.length),
      write: (entries) => inbox.createMany(entries, { skipBusy: true }),
      settle: (pending, items) => (items === null ? this.#lanes.open(pending) : pending.resolve(items)),
    });
  }

  /** Writes `entry`. Resolves after the commit with the place of each item. */
  write(entry: NewNotification): Promise<readonly CreatedItem[]> {
    return new Promise((resolve, reject) => {
      const pending: PendingWrite = { entry, resolve, reject };
      if (!this.#lanes.take(pending)) {
        this.#queue.push(pending);
      }
    });
  }

  /** Resolves once everything handed in so far is written or has failed. */
  async drain(): Promise<void> {
    await this.#queue.drain();
    await this.#lanes.drain();
  }
}

/** An entry on its way into the inbox storage, with the caller that waits for it. */
type PendingWrite = Pending<NewNotification, readonly CreatedItem[]>;

/** The most busy inboxes that writes wait for at once. Each wait holds a database connection. */
const MAX_WAITING = 2;
const MAX_LANE_BATCH = 256;
/** The pause between two looks at a lane that has no turn while its inbox is busy. */
const LOOK_IN_PAUSE_MS = 50;

/**
 * Holds writes to inboxes that are locked by a host's transaction, so that other writes do not wait for them. A lane
 * collects the writes of one inbox and writes them together once the inbox is free. An empty lane closes.
 *
 * A few lanes wait inside the database. Belfry looks at the remaining lanes in turn, so that an inbox that was busy for a
 * moment does not wait behind inboxes that are busy for long.
 */
class BusyLanes {
  readonly #inbox: InboxStorage;
  readonly #lanes = new Map<string, PendingWrite[]>();
  readonly #turns: string[] = [];
  readonly #running = new Set<Promise<void>>();
  #lookingIn: Promise<void> | null = null;

  constructor(inbox: InboxStorage) {
    this.#inbox = inbox;
  }

  /**
   * Adds `pending` to the open lane of its inbox and returns true, or returns false without one. A later write must not
   * overtake an earlier one.
   */
  take(pending: PendingWrite): boolean {
    if (this.#lanes.size === 0) {
      return false;
    }
    const lane = this.#lanes.get(laneKey(pending));
    lane?.push(pending);
    return lane !== undefined;
  }

  /** Opens a lane for `pending`, whose inbox is busy. */
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
      await this.#write(lane, { skipBusy: false });
    }
    this.#lanes.delete(key);
  }

  /** Looks at the lanes that have no turn, one after another, until there are none. */
  async #lookIn(): Promise<void> {
    for (let key = this.#turns.shift(); key !== undefined; key = this.#turns.shift()) {
      const lane = this.#lanes.get(key) ?? [];
      const isBusy = await this.#write(lane, { skipBusy: true });
      if (lane.length === 0) {
        this.#lanes.delete(key);
        continue;
      }
      this.#turns.push(key);
      if (this.#running.size < MAX_WAITING) {
        return;
      }
      if (isBusy) {
        await new Promise((resolve) => setTimeout(resolve, LOOK_IN_PAUSE_MS));
      }
    }
  }

  /** Writes the front of a lane. With `skipBusy`, it waits for no inbox. Returns whether some of it is still to be written. */
  async #write(lane: PendingWrite[], options: { readonly skipBusy: boolean }): Promise<boolean> {
    const busy: PendingWrite[] = [];
    await commitBatch(
      lane.splice(0, MAX_LANE_BATCH),
      (entries) => this.#inbox.createMany(entries, options),
      (pending, items) => (items === null ? busy.push(pending) : pending.resolve(items)),
    );
    // Writes that came meanwhile go behind these.
    lane.unshift(...busy);
    return busy.length > 0;
  }
}

/** The key of a write's lane. A write to several inboxes has a lane for that list, because it waits for the busiest of them. */
function laneKey({ entry }: PendingWrite): string {
  return JSON.stringify([entry.notification.tenant, ...entry.recipients]);
}
