import { Queue, Worker } from "bullmq";
import { BATCH } from "./noop-channel.ts";
import type { Peer } from "./queue-peers.ts";

/** BullMQ on the Redis of `REDIS_URL`; null without one. Redis keeps its jobs as durable as it is configured to. */
export async function bullMq(): Promise<Peer | null> {
  const url = process.env.REDIS_URL;
  if (!url) {
    return null;
  }
  const name = `belfry-bench-${process.pid}`;
  const queue = new Queue(name, { connection: { url } });
  await queue.waitUntilReady();
  let done = 0;
  let awaited = Number.POSITIVE_INFINITY;
  let resolve: () => void = () => {};
  const worker = new Worker(name, async () => {}, { connection: { url, maxRetriesPerRequest: null }, concurrency: BATCH });
  worker.on("completed", () => {
    done += 1;
    if (done >= awaited) {
      resolve();
    }
  });
  return {
    side: {
      name: "BullMQ",
      step: BATCH,
      async run(count, watch) {
        const all = new Promise<void>((settle) => {
          [awaited, resolve] = [done + count, settle];
        });
        await watch.without(async () => {
          await queue.pause();
          await queue.addBulk(Array.from({ length: count }, (_, index) => ({ name: "noop", data: { index } })));
        });
        await queue.resume();
        await all;
      },
      work: () => ({ deliveries: done }),
    },
    async close() {
      await worker.close();
      await queue.obliterate({ force: true });
      await queue.close();
    },
  };
}
