import type { RedisConnection } from "./connections.ts";

/** Options of `bullmqWorker`. */
export interface BullmqWorkerOptions {
  /** Where Redis is. */
  readonly connection: RedisConnection;
  /**
   * Goes before the names of all keys, as BullMQ's option of that name. In braces, all keys of a queue are on one node of a cluster.
   * @default "{belfry}"
   */
  readonly prefix?: string;
  /** How many jobs that ended well are kept, for dashboards such as bull-board. @default 1_000 */
  readonly keptCompleted?: number;
  /** How many failed jobs are kept. @default 1_000 */
  readonly keptFailed?: number;
}
