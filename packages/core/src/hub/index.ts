export type { HubContext } from "./context.ts";
export { eventWriter, planProcessing } from "./create-event.ts";
export type { EventCreated, HubChanges, RecordSettled } from "./events.ts";
export type { HandlerResult, OnResult } from "./handler-result.ts";
export { Hub } from "./hub.ts";
export { HubEvents } from "./hub-events.ts";
export { HubHandlers } from "./hub-handlers.ts";
export { HubIdentities } from "./hub-identities.ts";
export type { EventInput, HandlerChanges, HandlerInput, HubListInput, IdentityInput } from "./hub-input.ts";
export type { HubListener } from "./hub-listener.ts";
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
export type { HubSignal } from "./hub-signal.ts";
export type {
  ClaimedRecord,
  EndedRecord,
  HubRange,
  HubStorage,
  NewProcessingRecord,
  PlanProcessing,
} from "./hub-storage.ts";
export { ProcessDue } from "./process-due.ts";
export type { ProcessingFailure, ProcessingOutcome, ProcessingSuccess, ProcessingTask, ProcessingUsage, Processor } from "./processor.ts";
