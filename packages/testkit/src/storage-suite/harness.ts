import type { Storage } from "@belfry/core/storage";

/**
 * The storage under test, and how to open it. `Tx` and `Written` are the storage's own.
 *
 * @example
 * ```ts
 * storageSuite("SQLite in memory", {
 *   singleWriter: true,
 *   async create() {
 *     const database = new Database(":memory:");
 *     const elsewhere = new Database(":memory:");
 *     await migrate(elsewhere);
 *     const storage = sqliteStorage(database);
 *     await storage.open();
 *     return {
 *       storage,
 *       transaction: async (work) => database.transaction(() => work(database))(),
 *       foreignTransaction: async (work) => elsewhere.transaction(() => work(elsewhere))(),
 *       async dispose() {
 *         await storage.close();
 *         database.close();
 *         elsewhere.close();
 *       },
 *     };
 *   },
 * });
 * ```
 */
export interface StorageHarness<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> {
  /**
   * Whether the storage can have one writing transaction at a time only. Then no inbox is ever busy, and the tests of
   * `skipBusy` beside an open transaction of the host are left out.
   */
  readonly singleWriter: boolean;
  /**
   * How many random operations each of the models makes at the least: fewer for the second way to open the same storage.
   * @default 10_000
   */
  readonly modelOperations?: number;
  /**
   * After how many of these operations all that is there is compared: what an operation answers is compared each time. More where
   * it takes long, as on a server.
   * @default 1
   */
  readonly modelCheckEvery?: number;
  /** How many random steps the walk beside the content cache takes at the least. @default {@link modelOperations} */
  readonly cacheSteps?: number;
  /**
   * Which tests run: all; those by examples or those against models, for a file each; or those that see how the storage
   * was opened (its lifecycle, its host's transactions), for the second way to open the same storage.
   * @default "everything"
   */
  readonly covers?: "everything" | "examples" | "models" | "opening";
  /** Opens a storage over an empty database of its own. Called about once for each file of the suite. */
  create(): Promise<StorageSubject<Tx, Written>>;
}

/** One opened storage under test, and the host's side of its database. */
export interface StorageSubject<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> {
  /** Opened already. */
  readonly storage: Storage<Tx, Written>;
  /**
   * Runs `work` in a transaction that a host opened on the storage's database, over a connection of the host's own
   * where the storage allows it. Commits when `work` is done. When it throws or rejects, rolls back and rejects with
   * the same error.
   */
  transaction(work: (tx: Tx) => Written): Promise<void>;
  /** The same on another database of the same kind, which has Belfry's tables too: the storage has to refuse its handle. */
  foreignTransaction(work: (tx: Tx) => Written): Promise<void>;
  /** More handles that are not an open transaction of this storage, each with a name: a pool, another driver's client. */
  readonly wrongHandles?: Readonly<Record<string, unknown>>;
  /**
   * Closes the storage and opens another one over the same data, as the next start of the host would. Left out by
   * storages that keep nothing.
   */
  reopen?(): Promise<Storage<Tx, Written>>;
  /**
   * Opens one more storage over the same data, over connections of its own, as another process of the host would. The
   * caller closes it. Left out by storages that only one process can use.
   */
  another?(): Promise<Storage<Tx, Written>>;
  /**
   * Copies what Belfry keeps, in the place of an earlier copy, and returns a function that restores the copy into the open database. Left
   * out by storages that cannot.
   */
  backUp?(): Promise<() => Promise<void>>;
  /** Closes the storage, the one that `reopen` opened too, and removes the database. */
  dispose(): Promise<void>;
}
