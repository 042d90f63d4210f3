export type { WorkerLoad, WorkerMode } from "../work/worker-load.ts";
