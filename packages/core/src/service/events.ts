import { EventEmitter as Emitter } from "eventemitter3";
import type { DeliveryEvents, PauseEvents, SuppressionEvents } from "../delivery/index.ts";
import type { Emits, NamedEvent } from "../foundation/context.ts";
import { type MembersOf, requireNone, validationError } from "../foundation/issue-list.ts";
import { describe, oneOf } from "../foundation/parse-text.ts";
import type { HubChanges } from "../hub/index.ts";
import type { InboxEvents } from "../inbox/index.ts";
import type { CreationEvents, DataByType } from "../notifications/index.ts";
import type { AlarmEvents } from "../operator/index.ts";

/** The events of {@link NotificationService.on}, by name. All fire in the process that made the change, after commit. */
export interface NotificationEvents<Made extends DataByType = DataByType>
  extends CreationEvents<Made>,
    InboxEvents<Made>,
    DeliveryEvents,
    SuppressionEvents,
    PauseEvents,
    HubChanges,
    AlarmEvents {}

const EVENTS: MembersOf<NotificationEvents> = {
  "notification.created": true,
  "item.read": true,
  "item.unread": true,
  "item.updated": true,
  "item.deleted": true,
  "item.seen": true,
  "item.unseen": true,
  "item.pinned": true,
  "item.unpinned": true,
  "item.archived": true,
  "item.unarchived": true,
  "item.snoozed": true,
  "item.woken": true,
  "inbox.all_seen": true,
  "inbox.all_read": true,
  "inbox.read_deleted": true,
  "inbox.matching_read": true,
  "inbox.matching_seen": true,
  "inbox.matching_archived": true,
  "inbox.lagging_read": true,
  "delivery.pending": true,
  "delivery.waiting": true,
  "delivery.sent": true,
  "delivery.delivered": true,
  "delivery.failed": true,
  "delivery.skipped": true,
  "delivery.cancelled": true,
  "attempt.ended": true,
  "send.changed": true,
  "address.suppressed": true,
  "address.lifted": true,
  "pause.started": true,
  "pause.ended": true,
  "event.created": true,
  "record.completed": true,
  "record.failed": true,
  "alarm.raised": true,
  "alarm.ended": true,
};

/** A function that {@link NotificationService.on} calls. */
export type NotificationListener<Name extends keyof NotificationEvents, Made extends DataByType = DataByType> = (
  event: NotificationEvents<Made>[Name],
) => void;

/** Checks the arguments of `on`. Throws `VALIDATION_ERROR` for a name that no event has, and a listener that is no function. */
export function requireEvent(name: unknown, listener: unknown): void {
  requireNone([oneOf(Object.keys(EVENTS))(name, "name")]);
  if (typeof listener !== "function") {
    throw validationError([{ path: ["listener"], type: "value_error", message: `must be a function, is ${describe(listener)}` }]);
  }
}

/** Passes committed changes on to the host's listeners, in the order in which the listeners came. */
export class EventEmitter implements Emits<NotificationEvents> {
  readonly #emitter = new Emitter<Record<string, [event: unknown]>>();

  emit(...[name, event]: NamedEvent<NotificationEvents>): void {
    this.#emitter.emit(name, event);
  }

  hears(name: keyof NotificationEvents): boolean {
    return this.#emitter.listenerCount(name) > 0;
  }

  /** Calls `listener` for every such event. Returns a function that removes it. */
  on<Name extends keyof NotificationEvents>(name: Name, listener: NotificationListener<Name>): () => void {
    const added = listener as (event: unknown) => void;
    this.#emitter.on(name, added);
    return () => void this.#emitter.off(name, added);
  }
}
