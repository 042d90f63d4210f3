/**
 * A process that runs deliveries as jobs of BullMQ, on the database DATABASE_URL and the Redis REDIS_URL. It tells its parent the recipient of each
 * attempt; with HANGS set, no attempt ends.
 */
import { type Channel, NotificationService } from "@belfry/core";
import { bullmqWorker } from "@belfry/worker-bullmq";
import { storageAt } from "../storage-at.ts";

const { DATABASE_URL = "", REDIS_URL = "", HANGS } = process.env;

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
  delivery: { concurrency: 5, leaseMs: 1_000 },
  worker: bullmqWorker({ connection: REDIS_URL }),
});
await service.start();

process.on("disconnect", async () => {
  await service.stop();
  process.exit(0);
});
