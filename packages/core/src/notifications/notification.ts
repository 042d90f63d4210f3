import type { JsonObject } from "../foundation/json.ts";

/**
 * The way a notification was created. It decides where the notification is listed.
 *
 * - `message`: made by `create` or the `pack` contract. It has no delivery rows: the inbox item is the delivery.
 * - `send`: made by `send` or the `delivery-v1` contract, with one delivery per recipient and channel.
 * - `event`: pushed in by a source through the `hub` contract; it has no recipient.
 */
export type NotificationKind = "message" | "send" | "event";

/** Something that happened. It is stored once, whatever the number of users who get it. */
export interface Notification {
  /** A UUIDv7. It is made before anything is written, so that a repeated write cannot create the notification twice. */
  readonly id: string;
  readonly tenant: string;
  readonly kind: NotificationKind;
  /** Machine-readable type, for example `order_update`. */
  readonly type: string;
  /** May be empty, never null. */
  readonly title: string;
  readonly message: string;
  readonly data: JsonObject;
  /** The service that it came from, or null if the caller named none. */
  readonly source: string | null;
  /** The person or program that caused it, or null if the caller named none. */
  readonly sender: string | null;
  readonly createdAt: Date;
  /** How much it matters to whoever gets it. What follows from that is the host's to say: it changes no order and no channel. */
  readonly priority: "low" | "normal" | "high";
}

/** The type of a notification that was created without one. */
export const DEFAULT_TYPE = "notification";

/** The defaults of a notification's fields. */
export const NOTIFICATION_DEFAULTS = {
  title: "",
  message: "",
  data: {},
  source: null,
  sender: null,
  priority: "normal",
} as const satisfies Partial<Notification>;

/** A notification was created and committed. */
export interface NotificationCreated {
  readonly tenant: string;
  readonly id: string;
  readonly type: string;
  readonly notification: Notification;
  /** The number of users who get it. */
  readonly recipients: number;
}

/** The events of creating a notification, by name. */
export interface CreationEvents {
  "notification.created": NotificationCreated;
}
