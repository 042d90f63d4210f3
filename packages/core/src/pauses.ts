export type { Pause, PausedPlace } from "./delivery/index.ts";
export type { PauseInput, Pauses, ResumeInput } from "./operator/index.ts";
