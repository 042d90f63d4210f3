import type { HubEvent, SourceRecord } from "./hub-model.ts";

/**
 * Says that an event came into the hub, or that a processing record settled. It is a hint: the receiver reads missing fields
 * (`event`, `record`) from the database.
 */
export interface HubSignal {
  readonly topic: "hub";
  readonly tenant: string;
  readonly source: string;
  readonly change: "event" | "settled";
  /** The event's id, or the record's. */
  readonly id: string;
  /** `event`, in the creating process only. */
  readonly event?: HubEvent;
  /** `settled`, in the process that did it only. */
  readonly record?: SourceRecord;
}
