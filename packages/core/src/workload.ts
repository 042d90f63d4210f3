export type { ChannelBacklog, HeldLeases, HubHealth, WaitingTasks, WorkHealth } from "./operator/index.ts";
export type { WorkerLoad, WorkerMode } from "./work/leased-worker.ts";
