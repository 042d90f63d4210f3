import type { Storage } from "@belfry/core/storage";

/** The database of the test that runs; it is empty when the test begins. */
export interface ServiceDatabase {
  /**
   * Makes a storage over the database. Further calls in the same test make further storages over the same data, as a
   * later start of the host would, or another process.
   */
  storage(): Storage;
  /**
   * Runs `work` in a transaction that a host opened on the database, and commits when `work` is done. When it throws,
   * rolls back and rejects with the same error.
   */
  transaction(work: (tx: unknown) => void | Promise<void>): Promise<void>;
  /** Runs `work` in such a transaction and rolls back when it is done. */
  rolledBack(work: (tx: unknown) => void | Promise<void>): Promise<void>;
  /** All that the database holds, as its file or a dump shows it. */
  content(): Promise<string>;
}
