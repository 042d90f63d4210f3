import type { HubEvent, SourceRecord } from "./hub-model.ts";

/** An event came into the hub. */
export interface EventCreated {
  readonly tenant: string;
  readonly event: HubEvent;
  /** How many handlers take it on. */
  readonly handlers: number;
}

/** A handler is done with an event. */
export interface RecordSettled {
  readonly tenant: string;
  readonly record: SourceRecord;
}

/** What the hub tells, by name. */
export interface HubChanges {
  "event.created": EventCreated;
  "record.completed": RecordSettled;
  /** For good; an attempt that is followed by another one is not told of. */
  "record.failed": RecordSettled;
}
