import type { Notification } from "../notifications/index.ts";
import { BatchQueue, countUpTo } from "../work/batch-queue.ts";
import { BusyLanes, type PendingWrite } from "./busy-lanes.ts";
import type { CreatedItem, InboxStorage, NewNotification } from "./inbox-storage.ts";

/** The result of `create`. */
export interface Created {
  /** The notification as it is stored, with its id. */
  readonly notification: Notification;
  /**
   * The place of each recipient's item. It is empty while that is not decided: within a transaction of the host, and while a
   * fan-out to more than 1,000 users runs in the background.
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
