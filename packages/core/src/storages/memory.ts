import type { Storage } from "../service/storage.ts";
import { MemoryActivity } from "./memory-activity.ts";
import { MemoryApiKeys } from "./memory-api-keys.ts";
import { MemoryAudit } from "./memory-audit.ts";
import { MemoryDeliveries } from "./memory-deliveries.ts";
import { MemoryHub } from "./memory-hub.ts";
import { MemoryInboxStorage } from "./memory-inbox-storage.ts";
import { MemorySends } from "./memory-sends.ts";
import { MemoryTenants } from "./memory-tenants.ts";
import { type MemoryTransaction, MemoryTransactions } from "./memory-transactions.ts";

export type { MemoryTransaction } from "./memory-transactions.ts";

/** A storage that keeps everything in this process's memory. */
export interface MemoryStorage extends Storage<MemoryTransaction, void> {
  /**
   * Runs `work` as a transaction and returns its result. What it writes through the handle becomes visible, all at
   * once, when `work` returns; when it throws, nothing was written and the error is passed on.
   *
   * @throws BelfryError `WRONG_TRANSACTION` when `work` returns a promise (nothing was written), or when a transaction
   *   is open already
   * @example
   * ```ts
   * const batch = await notifications.prepare({ to: "user_123", title: "Order received" });
   * storage.transaction((tx) => batch.write(tx));
   * ```
   */
  transaction<Result>(work: (tx: MemoryTransaction) => Result): Result;
}

/**
 * Makes an empty storage in memory, for tests and for trying things out. It keeps all the promises of a storage except
 * that nothing survives the process; closing it keeps its data.
 *
 * @example
 * ```ts
 * const notifications = new NotificationService({ storage: memoryStorage() });
 * ```
 */
export function memoryStorage(): MemoryStorage {
  const transactions = new MemoryTransactions();
  const tenants = new MemoryTenants();
  const kept = { tenants, sends: new MemorySends(tenants), audit: new MemoryAudit() };
  return {
    name: "memory",
    version: 1,
    hasSingleProcess: true,
    hasSynchronousTransactions: true,
    inbox: new MemoryInboxStorage(tenants, transactions),
    deliveries: new MemoryDeliveries(kept, transactions),
    activity: new MemoryActivity(kept),
    apiKeys: new MemoryApiKeys(),
    hub: new MemoryHub(tenants),
    async open() {},
    async close() {},
    transaction: (work) => transactions.run(work),
  };
}
