export type { MigrationState, PendingMigration } from "../work/migrations.ts";
export type { WorkerLoad, WorkerMode } from "../work/worker-load.ts";
