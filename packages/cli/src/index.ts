export type { BelfryConfig, CommandInbox, CommandService, CommandTenant } from "./command-service.ts";
export { EXIT, type ExitCode } from "./exit-codes.ts";
export type { Io, Terminal } from "./io.ts";
export { run } from "./run.ts";
