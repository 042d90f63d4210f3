export { bullmqWorker } from "./bullmq-worker.ts";
export type { RedisConnection } from "./connections.ts";
export type { BullmqWorkerOptions } from "./options.ts";
