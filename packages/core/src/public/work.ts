export type { WorkerLoad, WorkerMode } from "../work/leased-worker.ts";
