import type { HubEvent, SourceRecord } from "./hub-model.ts";

/** An event came into the hub. */
export interface EventCreated {
  readonly tenant: string;
  readonly event: HubEvent;
  /** The number of handlers that will process it. */
  readonly handlers: number;
}

/** A handler is done with an event. */
export interface RecordSettled {
  readonly tenant: string;
  readonly record: SourceRecord;
}

/** The events of the hub, by name. */
export interface HubChanges {
  "event.created": EventCreated;
  "record.completed": RecordSettled;
  /** The record failed for good. An attempt that is followed by another one raises no event. */
  "record.failed": RecordSettled;
}
