export type { AttemptEnded } from "./delivery/index.ts";
export type { TracedEnd, TracedFacts, TracedWork, Tracing } from "./foundation/tracing.ts";
