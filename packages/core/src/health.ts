export type { ChannelHealth, HealthBucket, HealthRange, WaitingState } from "./operator/index.ts";
