import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { requireId } from "../foundation/issue-list.ts";
import { shown } from "../foundation/parse-text.ts";
import { NOTIFICATION_DEFAULTS, type Notification, type SharedFields } from "../notifications/index.ts";
import type { DeliveryContext } from "./context.ts";
import type { DeliveryPlan, Send, SendDetails, SendProgress } from "./send.ts";

/**
 * The send that a notification is, with the plan of its deliveries and how far they got. `details` is null for a
 * notification whose sender made no choices; it shows none of them.
 */
export function sendOf(notification: Notification, details: SendDetails | null, state: DeliveryPlan & SendProgress): Send {
  const { kind: _, title: subject, message: content, data: meta, source: __, sender: ___, ...shared } = notification;
  const { channel, fallbackDelayMs, scheduledAt, ...progress } = state;
  const none = { channels: [channel], roomId: null, recipients: [], erasedRecipients: 0, hasFallback: false, meta };
  return { channel, ...(details ?? none), fallbackDelayMs, scheduledAt, ...shared, subject, content, ...progress };
}

/** The progress of what was just created at `createdAt`. */
export function newProgress(createdAt: Date): SendProgress {
  return { status: "pending", attempts: 0, fallbackUsed: false, deliveredAt: null, failedAt: null, updatedAt: createdAt };
}

/** What a send has if an older package kept it, before the field was there. */
const BEFORE_THE_FIELD: Omit<SharedFields, "type"> & Pick<Send, "erasedRecipients"> = {
  priority: NOTIFICATION_DEFAULTS.priority,
  erasedRecipients: 0,
};

/** Reads a send back from the JSON that was kept for its idempotency key. An older package may have kept it, without newer fields. */
export function sendFromJson(json: string): Send {
  const { scheduledAt, createdAt, updatedAt, ...rest } = JSON.parse(json) as Send;
  return {
    ...BEFORE_THE_FIELD,
    ...rest,
    scheduledAt: scheduledAt === null ? null : new Date(scheduledAt),
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
  };
}

/** Returns one send in its current state. Throws `NOT_FOUND`. */
export async function getSend(context: DeliveryContext, tenant: string, id: string): Promise<Send> {
  requireId(id);
  using _call = await context.ready();
  const send = isUuid(id) ? await context.deliveries.findSend(tenant, id) : null;
  if (send === null) {
    throw unknownSend(id);
  }
  return send;
}

/** The error for an id that names no send of the tenant. */
export function unknownSend(id: string): BelfryError {
  return new BelfryError("NOT_FOUND", `There is no sent notification ${shown(id)}.`);
}
