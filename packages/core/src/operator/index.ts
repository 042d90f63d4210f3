export type {
  Activity,
  ActivityContent,
  ActivityFilter,
  ActivityPage,
  ActivitySummary,
  ChannelHealth,
  HealthBucket,
  HealthRange,
  RetriedAll,
} from "./activity.ts";
export type { ActivityItems, ActivityQuery, ActivityStorage, Deletion, DeletionStep, HealthWindow } from "./activity-storage.ts";
export type { AuditNote, OperatorContext } from "./context.ts";
export { Operator } from "./operator.ts";
export { type IdRange, idRange } from "./parse-filter.ts";
export type { SearchInput } from "./read-activity.ts";
export type { RetryAllOptions } from "./retry-all.ts";
