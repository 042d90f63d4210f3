import { BelfryError, type JobQueue, type JobQueues, type JobWork, requireOptions } from "@belfry/core";
import { BullmqQueue } from "./bullmq-queue.ts";
import { wrongConnection } from "./connections.ts";
import type { BullmqWorkerOptions } from "./options.ts";

const OPTIONS: Readonly<Record<keyof BullmqWorkerOptions, true>> = {
  connection: true,
  prefix: true,
  keptCompleted: true,
  keptFailed: true,
};
const KEPT = 1_000;

/**
 * Runs a service's deliveries and the hub's handlers as jobs of BullMQ, in the queues `belfry-deliveries` and `belfry-processing-records`. The
 * database stays the truth: Redis holds ids only, and may lose them. Its options `attempts`, `delay` and `concurrency` are not used:
 * attempts and their times are Belfry's, and `delivery.concurrency` and the processor's `concurrency` count.
 *
 * @example
 * ```ts
 * const worker = bullmqWorker({ connection: "redis://127.0.0.1:6379" });
 * const notifications = new NotificationService({ storage: postgresStorage(pool), worker });
 * ```
 * @throws BelfryError `CONFIGURATION` for options that are not valid
 */
export function bullmqWorker(options: BullmqWorkerOptions): JobQueues {
  const { connection, prefix = "{belfry}", keptCompleted = KEPT, keptFailed = KEPT } = checked(options);
  return {
    open: (work: JobWork): JobQueue => new BullmqQueue(work, { connection, prefix, keptCompleted, keptFailed }),
  };
}

function checked(options: BullmqWorkerOptions): BullmqWorkerOptions {
  requireOptions("bullmqWorker", options, OPTIONS);
  const given: { readonly [Name in keyof BullmqWorkerOptions]?: unknown } = options;
  const { connection, prefix, keptCompleted, keptFailed } = given;
  if (!(typeof connection === "string" && connection !== "") && !(typeof connection === "object" && connection !== null)) {
    // It may have a password in it, so the message does not show it.
    throw wrong("connection as an address of Redis, options of ioredis or a client of it");
  }
  const fault = wrongConnection(connection);
  if (fault !== null) {
    throw wrong(fault);
  }
  if (prefix !== undefined && !(typeof prefix === "string" && prefix !== "" && !prefix.includes(":"))) {
    throw wrong("prefix as a text without a colon");
  }
  for (const [name, kept] of Object.entries({ keptCompleted, keptFailed })) {
    if (kept !== undefined && !(Number.isSafeInteger(kept) && Number(kept) >= 0)) {
      throw wrong(`${name} as a whole number from 0`);
    }
  }
  return options;
}

function wrong(what: string): BelfryError {
  return new BelfryError("CONFIGURATION", `bullmqWorker takes ${what}.`);
}
