import { BelfryError } from "../foundation/errors.ts";

/** An entry on its way into the database, and the caller who waits for it. */
export interface Pending<Entry, Result> {
  readonly entry: Entry;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** The functions that a {@link BatchQueue} writes with. */
export interface BatchQueueOptions<Entry, Result> {
  /** Takes the next batch off the front of `queue`: at least one entry. */
  take(queue: Pending<Entry, Result>[]): readonly Pending<Entry, Result>[];
  /** Writes a batch. Never rejects: each entry's own caller hears of its failure. */
  commit(batch: readonly Pending<Entry, Result>[]): Promise<void>;
}

/**
 * Writes what comes in one turn of the event loop in one transaction, and gathers the next batch while one is being
 * written.
 */
export class BatchQueue<Entry, Result> {
  readonly #options: BatchQueueOptions<Entry, Result>;
  #queue: Pending<Entry, Result>[] = [];
  #isScheduled = false;
  #idle: Promise<void> = Promise.resolve();

  constructor(options: BatchQueueOptions<Entry, Result>) {
    this.#options = options;
  }

  /** Writes `entry` with the next batch. */
  write(entry: Entry): Promise<Result> {
    return new Promise((resolve, reject) => this.push({ entry, resolve, reject }));
  }

  push(pending: Pending<Entry, Result>): void {
    this.#queue.push(pending);
    this.#schedule();
  }

  /** Resolves once everything handed in so far is written or has failed. */
  async drain(): Promise<void> {
    while (this.#isScheduled) {
      await this.#idle;
    }
  }

  #schedule(): void {
    if (this.#isScheduled) {
      return;
    }
    this.#isScheduled = true;
    this.#idle = new Promise((resolve) => {
      // A timer would make a lone write wait for a millisecond.
      setImmediate(async () => {
        while (this.#queue.length > 0) {
          await this.#options.commit(this.#options.take(this.#queue));
        }
        this.#isScheduled = false;
        resolve();
      });
    });
  }
}

/** Writes entries, all or none, and answers a result for each. */
export type WriteAll<Entry, Result> = (entries: readonly Entry[]) => Promise<readonly Result[]>;

/**
 * Writes a batch and gives every caller its own result or its own error. When a batch fails, its entries are written one
 * by one. When a connection breaks before the reply, the batch is written again; writes go by id, so none counts twice.
 */
export async function commitBatch<Entry, Result, Written = Result>(
  batch: readonly Pending<Entry, Result>[],
  write: WriteAll<Entry, Written>,
  settle: (pending: Pending<Entry, Result>, written: Written) => void,
): Promise<void> {
  let results: readonly Written[];
  try {
    results = await writeTwice(
      batch.map(({ entry }) => entry),
      write,
    );
  } catch (error) {
    const alone = batch.length === 1 || isRetryable(error);
    for (const pending of batch) {
      if (alone) {
        pending.reject(error);
      } else {
        await commitBatch([pending], write, settle);
      }
    }
    return;
  }
  for (const [index, pending] of batch.entries()) {
    settle(pending, results[index] as Written);
  }
}

async function writeTwice<Entry, Written>(entries: readonly Entry[], write: WriteAll<Entry, Written>): Promise<readonly Written[]> {
  try {
    return await write(entries);
  } catch (error) {
    if (isRetryable(error)) {
      return await write(entries);
    }
    throw error;
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof BelfryError && error.retryable;
}
