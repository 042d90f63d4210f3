import { EventEmitter as Emitter } from "eventemitter3";
import type { Delivery, DeliveryStatus, SendStatus } from "../delivery/delivery.ts";
import type { Owner } from "../foundation/owner.ts";
import type { HubEvent, SourceRecord } from "../hub/hub-model.ts";
import type { InboxItem } from "../inbox/inbox-item.ts";
import type { Notification } from "../notifications/notification.ts";

/** A notification was created and committed. */
export interface NotificationCreated {
  readonly tenant: string;
  readonly id: string;
  readonly type: string;
  readonly notification: Notification;
  /** How many users get it. */
  readonly recipients: number;
}

/** One item was read for the first time, or deleted. */
export interface ItemChanged extends Owner {
  readonly id: string;
  readonly type: string;
  readonly item: InboxItem;
}

/** A change over a whole inbox. */
export interface InboxSwept extends Owner {
  /** How many items it changed; never 0. */
  readonly count: number;
}

/** One delivery went from one state to another. */
export interface DeliveryChanged {
  /** As it is now. */
  readonly delivery: Delivery;
  readonly from: DeliveryStatus;
}

/** A sent notification, as a whole, went from one status to another. */
export interface SendChanged {
  readonly tenant: string;
  /** The notification's id. */
  readonly id: string;
  readonly from: SendStatus;
  readonly to: SendStatus;
}

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

/** The events of {@link NotificationService.on}, by name. All fire in the process that made the change, after commit. */
export interface NotificationEvents {
  "notification.created": NotificationCreated;
  "item.read": ItemChanged;
  "item.deleted": ItemChanged;
  "inbox.all_read": InboxSwept;
  "inbox.read_deleted": InboxSwept;
  /** A fallback's turn has come, or a failed delivery is tried again because somebody asked. */
  "delivery.pending": DeliveryChanged;
  "delivery.waiting": DeliveryChanged;
  "delivery.sent": DeliveryChanged;
  "delivery.delivered": DeliveryChanged;
  /** For good; a failed attempt that is followed by another one is no change of state. */
  "delivery.failed": DeliveryChanged;
  "delivery.cancelled": DeliveryChanged;
  "send.changed": SendChanged;
  "event.created": EventCreated;
  "record.completed": RecordSettled;
  /** For good; an attempt that is followed by another one is not told of. */
  "record.failed": RecordSettled;
}

/** A function that {@link NotificationService.on} calls. */
export type NotificationListener<Name extends keyof NotificationEvents> = (event: NotificationEvents[Name]) => void;

/** eventemitter3, typed with Belfry's events. */
export class EventEmitter extends Emitter<{ [Name in keyof NotificationEvents]: [event: NotificationEvents[Name]] }> {}
