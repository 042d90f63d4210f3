import { BelfryError } from "../foundation/errors.ts";

const OPEN: unique symbol = Symbol("open transaction of a memory storage");

/** The handle of a memory storage's transaction; good until the callback that got it returns. */
export interface MemoryTransaction {
  readonly [OPEN]: true;
}

/** Does a write and returns what is to be called once the transaction is over. */
export type DeferredWrite = () => () => void;

/**
 * Transactions of one memory storage. Writes are put off until the commit, so a rollback only has to forget them, and
 * nobody sees them earlier.
 */
export class MemoryTransactions {
  #open: { readonly handle: MemoryTransaction; readonly writes: DeferredWrite[] } | null = null;

  run<Result>(work: (tx: MemoryTransaction) => Result): Result {
    if (this.#open) {
      throw new BelfryError(
        "WRONG_TRANSACTION",
        "A transaction of the memory storage is open already. Pass its handle on instead of opening another.",
      );
    }
    const writes: DeferredWrite[] = [];
    const handle: MemoryTransaction = { [OPEN]: true };
    this.#open = { handle, writes };
    let result: Result;
    try {
      result = work(handle);
      refusePromise(result);
    } finally {
      this.#open = null;
    }
    const afterCommit = writes.map((write) => write());
    for (const call of afterCommit) {
      call();
    }
    return result;
  }

  /** Has `write` done when the transaction of `handle` commits. */
  join(handle: MemoryTransaction, write: DeferredWrite): void {
    if (this.#open === null || this.#open.handle !== handle) {
      throw new BelfryError(
        "WRONG_TRANSACTION",
        "This is no open transaction of this memory storage. Pass the handle that its transaction() gave you, before its callback returns.",
      );
    }
    this.#open.writes.push(write);
  }
}

function refusePromise(result: unknown): void {
  if (typeof result !== "object" || result === null || !("then" in result)) {
    return;
  }
  if (result instanceof Promise) {
    // What the callback still does fails on a handle that is over; the error thrown here tells its caller why.
    result.catch(() => undefined);
  }
  throw new BelfryError(
    "WRONG_TRANSACTION",
    "The callback of a memory transaction returned a promise, so it was rolled back. Await first, prepare() included, and write synchronously.",
  );
}
