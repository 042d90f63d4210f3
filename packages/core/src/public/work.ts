export type { Job, JobEnd, JobQueue, JobQueues, JobWork, NewJob } from "../work/job-queue.ts";
export type { TaskEnd } from "../work/leased-work.ts";
export type { MigrationState, PendingMigration } from "../work/migrations.ts";
export type { WorkerLoad, WorkerMode } from "../work/worker-load.ts";
