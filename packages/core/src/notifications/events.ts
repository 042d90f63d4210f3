import type { Notification } from "./notification.ts";

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
