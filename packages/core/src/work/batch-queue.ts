import { concernsOneTenant, isRetryable } from "../foundation/errors.ts";
import { nextTurn } from "./timing.ts";

/** An entry that is to be worked on with others, and the caller who waits for its result. */
export interface Pending<Entry, Result> {
  readonly entry: Entry;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** Works on entries, all or none, and answers a result for each, in their order. */
export type WorkOnAll<Entry, Result> = (entries: readonly Entry[]) => Promise<readonly Result[]>;

/** The functions that a {@link BatchQueue} writes with. `Written` is what the storage answers for an entry. */
export interface BatchQueueOptions<Entry, Result, Written = Result> {
  /** Says how many entries from the front of `queue` make the next batch: at least one. */
  count(queue: readonly Pending<Entry, Result>[]): number;
  readonly write: WorkOnAll<Entry, Written>;
  /** Tells the caller what was written. */
  settle(pending: Pending<Entry, Result>, written: Written): void;
}

/**
 * Writes what comes in one turn of the event loop in one transaction, and gathers the next batch while one is being
 * written.
 */
export class BatchQueue<Entry, Result, Written = Result> {
  readonly #options: BatchQueueOptions<Entry, Result, Written>;
  readonly #queue: Pending<Entry, Result>[] = [];
  /** The batches that are being written, until the queue is empty; null while it is. */
  #writing: Promise<void> | null = null;

  constructor(options: BatchQueueOptions<Entry, Result, Written>) {
    this.#options = options;
  }

  /** Writes `entry` with the next batch. */
  write(entry: Entry): Promise<Result> {
    return new Promise((resolve, reject) => this.push({ entry, resolve, reject }));
  }

  push(pending: Pending<Entry, Result>): void {
    this.#queue.push(pending);
    this.#writing ??= this.#writeAll();
  }

  /** Resolves once everything handed in so far is written or has failed. */
  async drain(): Promise<void> {
    while (this.#writing !== null) {
      await this.#writing;
    }
  }

  async #writeAll(): Promise<void> {
    // A timer would make a lone write wait for a millisecond.
    await nextTurn();
    const { count, write, settle } = this.#options;
    while (this.#queue.length > 0) {
      await commitBatch(this.#queue.splice(0, count(this.#queue)), write, settle);
    }
    this.#writing = null;
  }
}

/** Counts entries from the front of a queue: at least one, at most `most`, and no more than weigh `mostWeight` together. */
export function countUpTo<Entry>(
  queue: readonly { readonly entry: Entry }[],
  { most, mostWeight }: { readonly most: number; readonly mostWeight: number },
  weightOf: (entry: Entry) => number,
): number {
  let weight = 0;
  let count = 0;
  for (const { entry } of queue) {
    weight += weightOf(entry);
    if (count === most || (count > 0 && weight > mostWeight)) {
      break;
    }
    count += 1;
  }
  return count;
}

/**
 * Writes a batch and gives every caller its own result or its own error. When a batch fails, it is written in
 * halves, and those that fail in halves again: one entry that is refused, as of a tenant that moves, costs few writes. When a connection breaks before the reply, the batch is written again; writes go by id, so none counts twice.
 */
export async function commitBatch<Entry, Result, Written = Result>(
  batch: readonly Pending<Entry, Result>[],
  write: WorkOnAll<Entry, Written>,
  settle: (pending: Pending<Entry, Result>, written: Written) => void,
): Promise<void> {
  const entries = batch.map(({ entry }) => entry);
  let results: readonly Written[];
  try {
    results = await write(entries).catch((error: unknown) => {
      if (isRetryable(error) && !concernsOneTenant(error)) {
        return write(entries);
      }
      throw error;
    });
  } catch (error) {
    if (batch.length === 1 || (isRetryable(error) && !concernsOneTenant(error))) {
      for (const pending of batch) {
        pending.reject(error);
      }
      return;
    }
    const half = Math.ceil(batch.length / 2);
    await commitBatch(batch.slice(0, half), write, settle);
    await commitBatch(batch.slice(half), write, settle);
    return;
  }
  for (let index = 0; index < batch.length; index += 1) {
    settle(batch[index] as Pending<Entry, Result>, results[index] as Written);
  }
}

/** Collects the questions of one turn of the event loop and asks them at once. */
export class Coalesced<Key, Value> {
  readonly #load: WorkOnAll<Key, Value>;
  #asked: Pending<Key, Value>[] = [];

  constructor(load: WorkOnAll<Key, Value>) {
    this.#load = load;
  }

  get(entry: Key): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ entry, resolve, reject });
      if (this.#asked.length === 1) {
        void this.#answer();
      }
    });
  }

  async #answer(): Promise<void> {
    await nextTurn();
    const asked = this.#asked;
    this.#asked = [];
    try {
      const values = await this.#load(asked.map(({ entry }) => entry));
      for (const [index, { resolve }] of asked.entries()) {
        resolve(values[index] as Value);
      }
    } catch (error) {
      for (const { reject } of asked) {
        reject(error);
      }
    }
  }
}
