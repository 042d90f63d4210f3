import type { Job, JobEnd } from "@belfry/core";
import { type RedisQueueBackend, Worker } from "bullmq";

type BlockingClient = Awaited<NonNullable<RedisQueueBackend["blockingClient"]>>;

/** A worker of BullMQ that can be left while Redis does not answer. */
export class JobWorker extends Worker<Job, JobEnd> {
  /** To be called once it closes, and has had its time: nothing keeps the process alive from then on. Redis finds out by itself. */
  async leave(): Promise<void> {
    // Where it was never connected, there is no client to be had, nor one that connects again.
    void this.backend.blockingClient?.then(stayAway, () => undefined);
    await this.lockManager.close();
    await this.backend.close(true);
  }
}

/** A wait for jobs that began before a close may connect after it. */
function stayAway(client: BlockingClient): void {
  client.on("connecting", () => client.disconnect());
  client.disconnect();
}
