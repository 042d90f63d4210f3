export type { AttemptEnded } from "./delivery/index.ts";
export type { TracedEnd, TracedFacts, TracedWork, Tracing } from "./foundation/tracing.ts";
export type { ChannelBacklog } from "./operator/index.ts";
export type { WorkerLoad, WorkerMode } from "./work/leased-worker.ts";
