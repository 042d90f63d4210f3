export type {
  RetriedAll,
  RetryAllOptions,
  RetryOptions,
  RetryRun,
  RetryRunState,
  RetryRuns,
  RetryRunsInput,
} from "./operator/index.ts";
