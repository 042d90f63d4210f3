import type { BaseContext, Emits, FeedSubscription } from "../foundation/context.ts";
import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { requireId } from "../foundation/issue-list.ts";
import { shown } from "../foundation/parse-text.ts";
import type { Tracing } from "../foundation/tracing.ts";
import type { Created } from "../inbox/index.ts";
import type { UntypedCreateInput } from "../notifications/index.ts";
import type { BatchQueue } from "../work/batch-queue.ts";
import type { SharedStorage } from "../work/lease-storage.ts";
import type { HubEvent, ProcessingRecord, SourceRecord } from "./hub-model.ts";
import type { HubStorage } from "./hub-storage.ts";

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

/** The functions of a subscriber of a source. Each event is reported once, and then once for each of its handlers. */
export interface HubListener {
  onEvent(event: HubEvent): void;
  /** A handler is done with an event: COMPLETED or FAILED. */
  onSettled(record: SourceRecord): void;
}

/** Lets listeners follow sources. {@link HubEvents} uses it to subscribe. */
export interface FollowSources {
  /** Follows a source of a tenant from now on. */
  subscribe(tenant: string, source: string, listener: HubListener): FeedSubscription;
}

/** The parts that operations of the hub use. */
export interface HubContext extends BaseContext {
  readonly storage: SharedStorage;
  readonly hub: HubStorage;
  /** Writes events. It returns the number of handlers of each. */
  readonly eventWriter: BatchQueue<HubEvent, number, readonly ProcessingRecord[]>;
  readonly events: Emits<HubChanges>;
  /** Follows handlers, for traces; null where nothing is traced. */
  readonly tracing: Tracing | null;
  /** Creates a notification with this id, once, for a handler's result. */
  create(request: { readonly tenant: string; readonly input: UntypedCreateInput; readonly id: string }): Promise<Created>;
  /** Starts the handlers of new events in the background. Call it only after the commit. */
  processDue(): void;
  /** Tells clients and other processes what changed. Call it only after the commit. */
  publish(signals: readonly HubSignal[]): void;
}

/** The id of something of a tenant, with a word for it. */
export interface Named {
  readonly what: "notification" | "handler" | "identity";
  readonly id: string;
}

/** Calls `find` with the id, in lower case. Throws `NOT_FOUND` where it finds nothing, and for an id that is no UUID. */
export async function found<Value>(
  context: HubContext,
  { what, id }: Named,
  find: (id: string) => Promise<Value | null | undefined | false>,
): Promise<Value> {
  requireId(id);
  using _call = await context.ready();
  const value = isUuid(id) && (await find(id.toLowerCase()));
  if (value === null || value === undefined || value === false) {
    throw new BelfryError("NOT_FOUND", `There is no ${what} ${shown(id)}.`);
  }
  return value;
}
