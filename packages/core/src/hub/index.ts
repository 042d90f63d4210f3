export type { EventCreated, HubChanges, HubContext, HubListener, HubSignal, RecordSettled } from "./context.ts";
export { Hub, HubHandlers, HubIdentities } from "./hub.ts";
export { eventWriter, HubEvents, planProcessing } from "./hub-events.ts";
export type {
  Handler,
  HubEvent,
  HubPage,
  IdentifiedEvent,
  Identity,
  ProcessingRecord,
  ProcessingStatus,
  SourceRecord,
} from "./hub-model.ts";
export type {
  ClaimedRecord,
  EndedRecord,
  HistoryPage,
  HistoryPosition,
  HubRange,
  HubStorage,
  NewProcessingRecord,
  PlanProcessing,
} from "./hub-storage.ts";
export type { EventInput, HandlerChanges, HandlerInput, HubListInput, IdentityInput } from "./parse.ts";
export { ProcessDue } from "./process-due.ts";
export type {
  HandlerResult,
  OnResult,
  ProcessingFailure,
  ProcessingOutcome,
  ProcessingSuccess,
  ProcessingTask,
  ProcessingUsage,
  Processor,
} from "./processor.ts";
export {
  RECORD_STATES,
  type RecordFilter,
  type RecordPlace,
  type RecordQuery,
  type RecordState,
  type RecordSummary,
  type RecordsFound,
} from "./record-search.ts";
