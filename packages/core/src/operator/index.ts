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
export type { ActivityItems, ActivityQuery, ActivityStorage, HealthWindow } from "./activity-storage.ts";
export type { OperatorContext } from "./context.ts";
export { type IdRange, idRange } from "./id-range.ts";
export type { AuditNote } from "./note-audit.ts";
export { Operator } from "./operator.ts";
export type { RetryAllOptions } from "./retry-all.ts";
export type { SearchInput } from "./search-activity.ts";
