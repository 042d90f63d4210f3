/**
 * A process with a worker on PostgreSQL, whose channel does nothing. Its arguments are the URLs of the database and of Redis, or nothing for Belfry's
 * own worker. Tasks: `{ open: true }`, and `{ start: true }`, each answered with `{}` once it is done.
 */
import { NotificationService } from "@belfry/core";
import { postgresStorage } from "@belfry/storage-postgres";
import { bullmqWorker } from "@belfry/worker-bullmq";
import pg from "pg";
import { noopChannel, TURNS } from "../settings/noop-channel.ts";

/** What a process is asked to do. */
export type WorkerTask = { readonly open: true } | { readonly start: true };

const [, , connectionString = "", connection = ""] = process.argv;
const service = new NotificationService({
  storage: postgresStorage(new pg.Pool({ connectionString, max: 5 })),
  channels: [noopChannel()],
  delivery: { concurrency: TURNS },
  ...(connection === "" ? {} : { worker: bullmqWorker({ connection }) }),
});

process.on("message", async (task: WorkerTask) => {
  await ("open" in task ? service.inbox("nobody").counts() : service.start());
  process.send?.({});
});
