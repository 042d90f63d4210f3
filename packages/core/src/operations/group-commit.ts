import { BelfryError } from "../errors.ts";
import type { CreatedItem, InboxStorage, NewNotification } from "../inbox-storage.ts";
import { BusyLanes } from "./busy-lanes.ts";
import type { PendingWrite } from "./pending-write.ts";

/** Bounds how long one transaction holds a synchronous database. */
const MAX_BATCH_ENTRIES = 256;
const MAX_BATCH_ITEMS = 1_000;

/**
 * Lets creates that are in flight in the same turn of the event loop share one transaction, and gathers the next batch
 * while one is being written. Each caller gets its own result or its own error: when a batch fails, its entries are
 * written one by one.
 */
export class GroupCommit {
  readonly #inbox: InboxStorage;
  readonly #lanes: BusyLanes;
  #queue: PendingWrite[] = [];
  #scheduled = false;
  #idle: Promise<void> = Promise.resolve();

  constructor(inbox: InboxStorage) {
    this.#inbox = inbox;
    this.#lanes = new BusyLanes((batch) => this.#commit(batch, false));
  }

  /** Writes `entry` and resolves, after commit, with where its items went. */
  write(entry: NewNotification): Promise<readonly CreatedItem[]> {
    return new Promise((resolve, reject) => {
      const pending: PendingWrite = { entry, resolve, reject };
      if (!this.#lanes.take(pending)) {
        this.#queue.push(pending);
        this.#schedule();
      }
    });
  }

  /** Resolves once everything handed in so far is written or has failed. */
  async drain(): Promise<void> {
    while (this.#scheduled) {
      await this.#idle;
    }
    await this.#lanes.drain();
  }

  #schedule(): void {
    if (this.#scheduled) {
      return;
    }
    this.#scheduled = true;
    this.#idle = new Promise((resolve) => {
      // Not a timer: a lone create must not wait for a millisecond to pass.
      setImmediate(async () => {
        while (this.#queue.length > 0) {
          await this.#commit(takeBatch(this.#queue), true);
        }
        this.#scheduled = false;
        resolve();
      });
    });
  }

  /** Never rejects: every entry's own caller hears of its failure. */
  async #commit(batch: readonly PendingWrite[], skipBusy: boolean): Promise<void> {
    try {
      const results = await this.#createMany(batch, skipBusy);
      for (const [index, pending] of batch.entries()) {
        const items = results[index];
        if (items) {
          pending.resolve(items);
        } else {
          this.#lanes.open(pending);
        }
      }
    } catch (error) {
      await this.#replay(batch, skipBusy, error);
    }
  }

  /** A reply that was lost with its connection is asked for once more; entries are written by id, so never twice. */
  async #createMany(batch: readonly PendingWrite[], skipBusy: boolean): ReturnType<InboxStorage["createMany"]> {
    const entries = batch.map((pending) => pending.entry);
    try {
      return await this.#inbox.createMany(entries, { skipBusy });
    } catch (error) {
      if (error instanceof BelfryError && error.retryable) {
        return await this.#inbox.createMany(entries, { skipBusy });
      }
      throw error;
    }
  }

  async #replay(batch: readonly PendingWrite[], skipBusy: boolean, error: unknown): Promise<void> {
    const alone = batch.length === 1 || (error instanceof BelfryError && error.retryable);
    for (const pending of batch) {
      if (alone) {
        pending.reject(error);
      } else {
        await this.#commit([pending], skipBusy);
      }
    }
  }
}

function takeBatch(queue: PendingWrite[]): PendingWrite[] {
  let items = 0;
  let count = 0;
  for (const pending of queue) {
    items += pending.entry.recipients.length;
    if (count === MAX_BATCH_ENTRIES || (count > 0 && items > MAX_BATCH_ITEMS)) {
      break;
    }
    count += 1;
  }
  return queue.splice(0, count);
}
