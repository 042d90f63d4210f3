import type { Notification } from "./notification.ts";

/** A notification was created and committed. */
export interface NotificationCreated {
  readonly tenant: string;
  readonly id: string;
  readonly type: string;
  readonly notification: Notification;
  /** How many users get it. */
  readonly recipients: number;
}

/** What creating a notification tells, by name. */
export interface CreationEvents {
  "notification.created": NotificationCreated;
}
