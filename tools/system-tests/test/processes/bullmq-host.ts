/**
 * A process that runs deliveries as jobs of BullMQ, on the database DATABASE_URL and the Redis REDIS_URL. It tells its parent the recipient of each
 * attempt; with HANGS set, no attempt ends. LEASE_MS is the lease, if it is not to be the default.
 */
import { type Channel, NotificationService } from "@belfry/core";
import { bullmqWorker } from "@belfry/worker-bullmq";
import { storageAt } from "../storage-at.ts";

const { DATABASE_URL = "", REDIS_URL = "", HANGS, LEASE_MS } = process.env;

const channel: Channel = {
  ...{ name: "ledger", timeoutMs: 60_000, retryDelaysMs: [0, 0] },
  invalidRecipient: () => null,
  async deliver({ recipient }) {
    process.send?.(recipient);
    if (HANGS) {
      await new Promise(() => undefined);
    }
    return { status: "delivered", provider: "ledger" };
  },
};

const service = new NotificationService({
  storage: storageAt(DATABASE_URL),
  channels: [channel],
  delivery: { concurrency: 5, ...(LEASE_MS === undefined ? {} : { leaseMs: Number(LEASE_MS) }) },
  worker: bullmqWorker({ connection: REDIS_URL }),
});
await service.start();

// It exits by itself then, unless something is left open.
process.on("disconnect", () => void service.stop());
