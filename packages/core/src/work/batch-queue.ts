import { concernsOneTenant, isRetryable } from "../foundation/errors.ts";
import { isThenable, type MaybePromise } from "../foundation/maybe-promise.ts";
import { nextTurn } from "./timing.ts";

/** An entry that is to be worked on with others, and the caller who waits for its result. */
export interface Pending<Entry, Result> {
  readonly entry: Entry;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** Works on entries, all or none, and answers a result for each, in their order: without a promise, if it need not wait. */
export type WorkOnAll<Entry, Result> = (entries: readonly Entry[]) => MaybePromise<readonly Result[]>;

/** The functions that a {@link BatchQueue} writes with. `Written` is what the storage answers for an entry. */
export interface BatchQueueOptions<Entry, Result, Written = Result> {
  /** Says how many entries from the front of `queue` make the next batch: at least one. */
  count(queue: readonly Pending<Entry, Result>[]): number;
  readonly write: WorkOnAll<Entry, Written>;
  /** Tells the caller what was written. */
  settle(pending: Pending<Entry, Result>, written: Written): void;
  /** What is awaited after a batch, before those that came meanwhile are written. @default nothing */
  between?(): Promise<void>;
}

const NOW = Promise.resolve();
/** After so many lone entries in a row, the next one is taken for a lone one. */
const LONE = 4;
/** So many lone entries are written within one turn at the most, and for so long. */
const MOST_AT_ONCE = 8;
const AT_ONCE_MS = 1;

/**
 * Writes what comes in one turn of the event loop in one transaction, and gathers the next batch while one is being
 * written. What is written without waiting makes no promise here, since every create would pay for it.
 *
 * Where one entry comes after another, each once the one before is written, a turn for each gathers nothing, and takes a create over
 * SQLite a fortieth of its CPU: they are written as soon as whoever handed one in has gone on. Every few of them a turn is waited for,
 * and if more than one came in it, turns are waited for again.
 *
 * - `idle`: nothing is there to be written.
 * - `gathering`: the first entries have come; they are written at the end of this turn, or at once.
 * - `writing`: a batch is being written. Those that come meanwhile follow it.
 */
export class BatchQueue<Entry, Result, Written = Result> {
  readonly #options: BatchQueueOptions<Entry, Result, Written>;
  readonly #queue: Pending<Entry, Result>[] = [];
  #mode: "idle" | "gathering" | "writing" = "idle";
  #drained: PromiseWithResolvers<void> | null = null;
  /** The number of batches in a row that had one entry, and were written without waiting. */
  #lone = 0;
  /** The number of batches that were written at once since the last one that was gathered for a turn. */
  #atOnce = 0;
  #untilMs = 0;

  constructor(options: BatchQueueOptions<Entry, Result, Written>) {
    this.#options = options;
  }

  /** Writes `entry` with the next batch. */
  write(entry: Entry): Promise<Result> {
    return new Promise((resolve, reject) => this.push({ entry, resolve, reject }));
  }

  push(pending: Pending<Entry, Result>): void {
    this.#queue.push(pending);
    if (this.#mode === "idle") {
      this.#mode = "gathering";
      this.#gather();
    }
  }

  #gather(): void {
    if (this.#mayWriteAtOnce()) {
      void NOW.then(this.#writeAll);
    } else {
      this.#atOnce = 0;
      // A timer would make a lone write wait for a millisecond.
      setImmediate(this.#writeAll);
    }
  }

  /** Counts what is written at once: after a few, or a while, others get their turn, and it shows whether more than one comes in it. */
  #mayWriteAtOnce(): boolean {
    if (this.#lone < LONE || this.#atOnce === MOST_AT_ONCE) {
      return false;
    }
    const nowMs = performance.now();
    if (this.#atOnce === 0) {
      this.#untilMs = nowMs + AT_ONCE_MS;
    }
    this.#atOnce += 1;
    return nowMs < this.#untilMs;
  }

  /** Resolves once everything handed in so far is written or has failed. */
  async drain(): Promise<void> {
    if (this.#mode !== "idle") {
      this.#drained ??= Promise.withResolvers();
      await this.#drained.promise;
    }
  }

  readonly #writeAll = (): void => {
    this.#mode = "writing";
    this.#lone = this.#queue.length === 1 ? this.#lone + 1 : 0;
    const writing = commitBatch(this.#queue.splice(0, this.#options.count(this.#queue)), this.#options);
    if (writing instanceof Promise) {
      this.#lone = 0;
      void writing.then(this.#goOn);
    } else if (this.#queue.length > 0) {
      // However many come at once, others get their turn between two batches.
      setImmediate(this.#writeAll);
    } else {
      this.#rest();
    }
  };

  readonly #goOn = (): void => {
    if (this.#queue.length === 0) {
      this.#rest();
      return;
    }
    const between = this.#options.between?.();
    if (between === undefined) {
      this.#writeAll();
    } else {
      void between.then(this.#writeAll);
    }
  };

  #rest(): void {
    this.#mode = "idle";
    this.#drained?.resolve();
    this.#drained = null;
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

/** How a batch is written, and its callers told: see {@link BatchQueueOptions}. */
export type CommitOptions<Entry, Result, Written> = Pick<BatchQueueOptions<Entry, Result, Written>, "write" | "settle">;

/**
 * Writes a batch and gives every caller its own result or its own error. When a batch fails, it is written in
 * halves, and those that fail in halves again: one entry that is refused, as of a tenant that moves, costs few writes. When a connection breaks before the reply, the batch is written again; writes go by id, so none counts twice.
 */
export function commitBatch<Entry, Result, Written = Result>(
  batch: readonly Pending<Entry, Result>[],
  options: CommitOptions<Entry, Result, Written>,
): MaybePromise<void> {
  let written: MaybePromise<readonly Written[]>;
  try {
    written = options.write(batch.map(({ entry }) => entry));
  } catch (error) {
    return commitAgain(batch, error, options);
  }
  if (isThenable(written)) {
    return Promise.resolve(written).then(
      (results) => settleAll(batch, results, options),
      (error: unknown) => commitAgain(batch, error, options),
    );
  }
  settleAll(batch, written, options);
}

/** Goes on after the first write of a batch has failed. */
async function commitAgain<Entry, Result, Written>(
  batch: readonly Pending<Entry, Result>[],
  first: unknown,
  options: CommitOptions<Entry, Result, Written>,
): Promise<void> {
  let error = first;
  if (mayHaveBeenWritten(error)) {
    try {
      const results = await options.write(batch.map(({ entry }) => entry));
      return settleAll(batch, results, options);
    } catch (second) {
      error = second;
    }
  }
  if (batch.length === 1 || mayHaveBeenWritten(error)) {
    for (const pending of batch) {
      pending.reject(error);
    }
    return;
  }
  const half = Math.ceil(batch.length / 2);
  await commitBatch(batch.slice(0, half), options);
  await commitBatch(batch.slice(half), options);
}

/** Whether all of a batch failed because the database was out of reach, perhaps after it had written it. */
function mayHaveBeenWritten(error: unknown): boolean {
  return isRetryable(error) && !concernsOneTenant(error);
}

function settleAll<Entry, Result, Written>(
  batch: readonly Pending<Entry, Result>[],
  results: readonly Written[],
  { settle }: CommitOptions<Entry, Result, Written>,
): void {
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
