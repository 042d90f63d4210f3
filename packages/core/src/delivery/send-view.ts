import type { Notification } from "../notifications/index.ts";
import type { Send, SendDetails } from "./send.ts";

/** A send as it stands when it was just created. */
export function newSendView({ id, tenant, type, title, message, createdAt }: Notification, details: SendDetails): Send {
  return {
    ...details,
    id,
    tenant,
    type,
    subject: title,
    content: message,
    status: "pending",
    attempts: 0,
    fallbackUsed: false,
    deliveredAt: null,
    failedAt: null,
    createdAt,
    updatedAt: createdAt,
  };
}

/** Reads a send back from the JSON that was kept for its idempotency key. */
export function sendFromJson(json: string): Send {
  const { scheduledAt, createdAt, updatedAt, ...rest } = JSON.parse(json) as Send;
  return {
    ...rest,
    scheduledAt: scheduledAt === null ? null : new Date(scheduledAt),
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
  };
}
