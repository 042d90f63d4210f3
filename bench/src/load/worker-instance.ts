/**
 * A process with a worker on PostgreSQL, whose channel does nothing. Its arguments are the URLs of the database and of Redis, or nothing for Belfry's
 * own worker. Tasks: `{ open: true }`, and `{ start: true }`, each answered with `{}` once it is done; `{ cpu: true }`, answered with `{ micros }`: the
 * CPU that it has used so far.
 */
import { NotificationService } from "@belfry/core";
import { postgresStorage } from "@belfry/storage-postgres";
import { bullmqWorker } from "@belfry/worker-bullmq";
import pg from "pg";
import { noopChannel, TURNS } from "../settings/noop-channel.ts";

/** What a process is asked to do. */
export type WorkerTask = { readonly open: true } | { readonly start: true } | { readonly cpu: true };

const [, , connectionString = "", connection = ""] = process.argv;
const service = new NotificationService({
  storage: postgresStorage(new pg.Pool({ connectionString, max: 5 })),
  channels: [noopChannel()],
  delivery: { concurrency: TURNS },
  ...(connection === "" ? {} : { worker: bullmqWorker({ connection }) }),
});

async function answerTo(task: WorkerTask): Promise<object> {
  if ("cpu" in task) {
    const { user, system } = process.cpuUsage();
    return { micros: user + system };
  }
  await ("open" in task ? service.inbox("nobody").counts() : service.start());
  return {};
}

process.on("message", async (task: WorkerTask) => {
  process.send?.(await answerTo(task));
});

// It ends with the process that started it, also if that is killed.
process.once("disconnect", () => process.exit());
