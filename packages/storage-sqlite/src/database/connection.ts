import { BelfryError } from "@belfry/core";
import type { Database, Statement as DriverStatement } from "better-sqlite3";
import { isBusy, wrapError } from "./errors.ts";
import { type QueryContext, queryContext } from "./statement.ts";

/** Resolves in the next turn of the event loop, once others have had theirs. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const MAX_DELAY_MS = 50;

/** The pages in the WAL from which a part of long work moves them into the database file. */
const PART_SETTINGS = { wal_autocheckpoint: 200 };

/** Also the number of `PRAGMA synchronous = NORMAL`. */
const STEP_SETTINGS = { ...PART_SETTINGS, synchronous: 1 };

/**
 * Runs Belfry's own transactions on one SQLite connection. A transaction is one synchronous piece of work, so they never
 * overlap. It waits for others without blocking the event loop: for another connection that writes and, on a
 * connection that the host shares, for a transaction of the host. If it joined that one, a rollback of the host would undo
 * writes that Belfry has acknowledged.
 */
export class Connection {
  readonly database: Database;
  readonly #busyTimeoutMs: number;
  readonly #isShared: boolean;
  readonly #begin: DriverStatement;
  readonly #beginImmediate: DriverStatement;
  readonly #commit: DriverStatement;
  readonly #rollback: DriverStatement;
  readonly #context: QueryContext;
  readonly #prepared = new Map<unknown, unknown>();

  /** The work of this turn that shares a transaction. */
  readonly #together: Together[] = [];

  /** @param whose a connection that the host passed in may have a transaction of the host open on it */
  constructor(database: Database, busyTimeoutMs: number, whose: "host's" | "own" = "host's") {
    this.database = database;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#isShared = whose === "host's";
    this.#begin = database.prepare("BEGIN");
    this.#beginImmediate = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
    this.#rollback = database.prepare("ROLLBACK");
    this.#context = queryContext(database);
  }

  /** What `prepare` prepares; the same each time. */
  prepared<Operation>(prepare: (context: QueryContext) => Operation): Operation {
    const known = this.#prepared.get(prepare) as Operation | undefined;
    if (known !== undefined) {
      return known;
    }
    const operation = prepare(this.#context);
    this.#prepared.set(prepare, operation);
    return operation;
  }

  /** Runs `work`, which is one reading statement. Like all work it runs at once, unless it has to wait. */
  query<Result>(work: () => Result): Result | Promise<Result> {
    return this.#patiently(work);
  }

  /** The same for an operation that {@link prepared} prepares: it makes no function, which would cost as much as a short answer. */
  queryPrepared<Args extends readonly unknown[], Result>(
    prepare: (context: QueryContext) => (...args: Args) => Result,
    args: Args,
  ): Result | Promise<Result> {
    if (this.#isShared && this.database.inTransaction) {
      return this.query(() => this.prepared(prepare)(...args));
    }
    try {
      return this.prepared(prepare)(...args);
    } catch (error) {
      if (!isBusy(error)) {
        throw wrapError(error);
      }
      return this.#tryAgain(() => this.prepared(prepare)(...args), new Obstacle(error));
    }
  }

  /** Runs `work`, which may be several reading statements, on one state of the database. */
  read<Result>(work: () => Result): Result | Promise<Result> {
    return this.#patiently(() => this.#transaction(this.#begin, work));
  }

  /** Runs `work` as the only writer: all of it or nothing. */
  write<Result>(work: () => Result): Result | Promise<Result> {
    // IMMEDIATE, because a transaction that reads first may find that it can no longer write.
    return this.#patiently(() => this.#transaction(this.#beginImmediate, work));
  }

  /** Like {@link write}, but does not wait: null if another transaction is in its way at this moment. */
  writeIfFree<Result>(work: () => Result): Result | null {
    const done = this.#try(() => this.#withSettings({ busy_timeout: 0 }, () => this.#transaction(this.#beginImmediate, work)));
    return done instanceof Obstacle ? null : done;
  }

  /**
   * Like {@link write}, in one transaction with the other work of this turn of the event loop that may share one: a commit costs more
   * than a short change. If any of it fails by itself, each is done alone; what they all wait for in vain fails them all.
   */
  writeTogether<Result>(work: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#together.push({ work, resolve: resolve as (result: unknown) => void, reject }) === 1) {
        setImmediate(() => void this.#writeAll(this.#together.splice(0)));
      }
    });
  }

  async #writeAll(together: readonly Together[]): Promise<void> {
    for (let from = 0; from < together.length; from += MOST_TOGETHER) {
      const some = together.slice(from, from + MOST_TOGETHER);
      const done = some.length > 1 && (await this.#writeSome(some));
      for (const { work, resolve, reject } of done ? [] : some) {
        try {
          resolve(await this.write(work));
        } catch (error) {
          reject(error);
        }
      }
    }
  }

  /** Does several pieces of work in one transaction, or fails them all. False if one of them is at fault: then none is done. */
  async #writeSome(some: readonly Together[]): Promise<boolean> {
    try {
      const results = await this.write(() => some.map(({ work }) => work()));
      for (const [index, { resolve }] of some.entries()) {
        resolve(results[index]);
      }
      return true;
    } catch (error) {
      // The database was held, or the disk is full: each would only wait for the same once more, one after another.
      const isForAll = error instanceof BelfryError && error.retryable;
      for (const { reject } of isForAll ? some : []) {
        reject(error);
      }
      return isForAll;
    }
  }

  /**
   * Like {@link write}, for a step of long work that can be repeated. It does not wait for the disk, so a crash of the machine
   * may take it back, unless a later write has waited. Its pages are moved as those of a {@link part}.
   */
  step<Result>(work: () => Result): Result | Promise<Result> {
    return this.#patiently(() => this.#withSettings(STEP_SETTINGS, () => this.#transaction(this.#beginImmediate, work)));
  }

  /**
   * Like {@link write}, for a part of long work. After it, SQLite moves what is in the WAL into the database file: a little each time, so
   * that nobody waits long.
   */
  part<Result>(work: () => Result): Result | Promise<Result> {
    return this.#patiently(() => this.#withSettings(PART_SETTINGS, () => this.#transaction(this.#beginImmediate, work)));
  }

  /** Lowers settings of the connection while `work` runs; those that are as low already stay. */
  #withSettings<Result>(settings: Readonly<Record<string, number>>, work: () => Result): Result {
    const { database } = this;
    const changed = Object.entries(settings).flatMap(([name, value]) => {
      const before = Number(database.pragma(name, { simple: true }));
      return before > value ? [{ name, value, before }] : [];
    });
    try {
      for (const { name, value } of changed) {
        database.pragma(`${name} = ${value}`);
      }
      return work();
    } finally {
      for (const { name, before } of changed) {
        database.pragma(`${name} = ${before}`);
      }
    }
  }

  #transaction<Result>(begin: DriverStatement, work: () => Result): Result {
    begin.run();
    try {
      const result = work();
      this.#commit.run();
      return result;
    } catch (error) {
      // After some errors, such as a full disk, SQLite has rolled back by itself.
      if (this.database.inTransaction) {
        this.#rollback.run();
      }
      throw error;
    }
  }

  /** Runs `work` until nothing is in its way. Most work need not wait, and makes no promise. */
  #patiently<Result>(work: () => Result): Result | Promise<Result> {
    const done = this.#try(work);
    return done instanceof Obstacle ? this.#tryAgain(work, done) : done;
  }

  async #tryAgain<Result>(work: () => Result, first: Obstacle): Promise<Result> {
    const deadlineMs = performance.now() + this.#busyTimeoutMs;
    let done: Result | Obstacle = first;
    for (let tries = 0; done instanceof Obstacle; tries += 1) {
      if (performance.now() >= deadlineMs) {
        throw wrapError(done.error);
      }
      await pause(tries);
      done = this.#try(work);
    }
    return done;
  }

  #try<Result>(work: () => Result): Result | Obstacle {
    if (this.#isShared && this.database.inTransaction) {
      return new Obstacle(hostTransaction(this.#busyTimeoutMs));
    }
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) {
        throw wrapError(error);
      }
      return new Obstacle(error);
    }
  }
}

/** Work that shares a transaction. It can be done again. */
interface Together {
  work(): unknown;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** How many pieces of work share a transaction at the most, so that the event loop is not held for long. */
const MOST_TOGETHER = 32;

/** Another transaction that work has to wait for. */
class Obstacle {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

function hostTransaction(waitedMs: number): BelfryError {
  return new BelfryError(
    "STORAGE_UNAVAILABLE",
    `The connection that the host passed in had a transaction of the host open for ${waitedMs} ms, and Belfry does not join it unasked. ` +
      "Keep transactions short, pass { tx } to write within one, or give sqliteStorage the database's path, so that it opens a connection of its own.",
  );
}

/** Waits for the next turn of the event loop at first, then longer each time. */
function pause(tries: number): Promise<void> {
  return new Promise((resolve) => {
    if (tries === 0) {
      setImmediate(resolve);
    } else {
      setTimeout(resolve, Math.min(2 ** (tries - 1), MAX_DELAY_MS));
    }
  });
}
