import { NOTIFICATION_DEFAULTS, type Notification } from "../notifications/index.ts";
import type { Send, SendDetails, SendProgress } from "./send.ts";

/** The send that a notification is, with what its sender said of its delivery and how far it got. */
export function sendOf(notification: Notification, details: SendDetails, progress: SendProgress): Send {
  const { kind: _, title: subject, message: content, data: __, source: ___, sender: ____, ...shared } = notification;
  return { ...details, ...shared, subject, content, ...progress };
}

/** Builds the view of a send that was just created. */
export function newSendView(notification: Notification, details: SendDetails): Send {
  const { createdAt: updatedAt } = notification;
  const open = { status: "pending", attempts: 0, fallbackUsed: false, deliveredAt: null, failedAt: null } as const;
  return sendOf(notification, details, { ...open, updatedAt });
}

/** Reads a send back from the JSON that was kept for its idempotency key. An older package may have kept it, without newer fields. */
export function sendFromJson(json: string): Send {
  const { scheduledAt, createdAt, updatedAt, ...rest } = JSON.parse(json) as Send;
  return {
    ...rest,
    priority: rest.priority ?? NOTIFICATION_DEFAULTS.priority,
    scheduledAt: scheduledAt === null ? null : new Date(scheduledAt),
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
  };
}
