export type {
  Activity,
  ActivityBroadcast,
  ActivityContent,
  ActivityDelivery,
  ActivityFilter,
  ActivityPage,
  ActivitySummary,
  BacklogBucket,
  ChannelBacklog,
  ChannelHealth,
  HealthBucket,
  HealthRange,
  RetriedAll,
  WaitingState,
} from "./activity.ts";
export type {
  ActivityItems,
  ActivityQuery,
  ActivityStorage,
  Deletion,
  DeletionStep,
  DeliveryListQuery,
  DeliveryUnderWay,
  FailingDelivery,
  FailingKind,
  FailingQuery,
  HealthWindow,
  ListedDelivery,
  StateFilter,
  StoredActivity,
  StoredHealth,
  StoredSummary,
} from "./activity-storage.ts";
export type {
  Alarm,
  AlarmChange,
  AlarmEvents,
  AlarmKind,
  AlarmLines,
  AlarmOptions,
  AlarmPlace,
  AlarmStorage,
  ChannelAlarmKind,
  StoredAlarm,
} from "./alarm.ts";
export { type AlarmContext, Alarms } from "./alarms.ts";
export type { AuditInput, AuditNote } from "./audit.ts";
export type { OperatorContext } from "./context.ts";
export { type DeliveryLine, type DeliveryLinePage, type DeliveryLinesInput, OperatorDeliveries } from "./deliveries.ts";
export { type EndpointInput, Endpoints, type FailingEndpoints, type FailingInput } from "./endpoints.ts";
export type { FailingEndpoint, FailureCause } from "./failing-endpoints.ts";
export type { BacklogHistory, ChannelBacklogs, HealthStorage, WorkerBeat } from "./health-storage.ts";
export { HealthUpkeep } from "./health-upkeep.ts";
export { Heartbeat } from "./heartbeat.ts";
export { Operator } from "./operator.ts";
export { type IdRange, idRange } from "./parse-filter.ts";
export { type PauseInput, Pauses, type ResumeInput } from "./pauses.ts";
export type { TimelineInput } from "./read-timeline.ts";
export { type RecordPage, type RecordSearchInput, Records } from "./records.ts";
export type { RetryAllOptions, RetryOptions } from "./retry-input.ts";
export type { RetryProgress, RetryRun, RetryRunMove, RetryRunState, RetryRunStorage, TakenRetryRun } from "./retry-run.ts";
export { RetryRuns, type RetryRunsInput } from "./retry-runs.ts";
export { Retrying } from "./retrying.ts";
export type { RecipientsInput, SearchInput } from "./search-input.ts";
export type { TestInput } from "./send-test.ts";
export type {
  HeldLeases,
  HubHealth,
  OtherWorker,
  RecentRecord,
  SeenWorker,
  WaitingTasks,
  WorkHealth,
  WorkHealthReads,
} from "./work-health.ts";
