/**
 * A process with a worker on PostgreSQL, whose channel does nothing. Its arguments are the URLs of the database and of Redis, or nothing for Belfry's
 * own worker. Tasks, each answered with {@link WorkerFigures} once it is done: `{ open: true }`, `{ start: true }` and `{ figures: true }`.
 */
import { NotificationService } from "@belfry/core";
import { postgresStorage } from "@belfry/storage-postgres";
import { bullmqWorker } from "@belfry/worker-bullmq";
import pg from "pg";
import { noopChannel, TURNS } from "../settings/noop-channel.ts";

/** What a process is asked to do. */
export type WorkerTask = { readonly open: true } | { readonly start: true } | { readonly figures: true };

/** What a process has done so far. */
export interface WorkerFigures {
  readonly delivered: number;
  readonly cpuMicros: number;
}

const [, , connectionString = "", connection = ""] = process.argv;
let delivered = 0;
const channel = noopChannel();
const service = new NotificationService({
  storage: postgresStorage(new pg.Pool({ connectionString, max: 5 })),
  channels: [
    {
      ...channel,
      deliver(task, signal) {
        delivered += 1;
        return channel.deliver(task, signal);
      },
    },
  ],
  delivery: { concurrency: TURNS },
  ...(connection === "" ? {} : { worker: bullmqWorker({ connection }) }),
});

process.on("message", async (task: WorkerTask) => {
  if ("open" in task) {
    await service.inbox("nobody").counts();
  } else if ("start" in task) {
    await service.start();
  }
  const { user, system } = process.cpuUsage();
  process.send?.({ delivered, cpuMicros: user + system } satisfies WorkerFigures);
});

// It ends with the process that started it, also if that is killed.
process.once("disconnect", () => process.exit());
