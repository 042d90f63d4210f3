import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { requireId } from "../foundation/issue-list.ts";
import { shown } from "../foundation/parse-text.ts";
import { INBOX_CHANNEL, NOTIFICATION_DEFAULTS, type Notification } from "../notifications/index.ts";
import type { DeliveryContext } from "./context.ts";
import type { ShownDelivery, TrackedDelivery } from "./delivery.ts";
import type { Digest } from "./digest.ts";
import type { DeliveryPlan, Send, SendDetails, SendProgress } from "./send.ts";

/**
 * The send that a notification is, with the plan of its deliveries and how far they got. `details` is null for a
 * notification whose sender made no choices; it shows none of them.
 */
export function sendOf(notification: Notification, details: SendDetails | null, state: DeliveryPlan & SendProgress): Send {
  const { channel } = state;
  const none = { channels: [channel], roomId: null, recipients: [], erasedRecipients: 0, hasFallback: false, meta: notification.data };
  return { ...notification, ...(details ?? none), ...state };
}

/** The progress of what was just created at `createdAt`. */
export function newProgress(createdAt: Date, status: "pending" | "skipped" = "pending"): SendProgress {
  return { status, attempts: 0, fallbackUsed: false, deliveredAt: null, failedAt: null, updatedAt: createdAt };
}

/** What a send has if an older package kept it, before the field was there. */
const BEFORE_THE_FIELD = { ...NOTIFICATION_DEFAULTS, kind: "send", erasedRecipients: 0 } as const;

/** Reads a send back from the JSON that was kept for its idempotency key. An older package may have kept it, without newer fields. */
export function sendFromJson(json: string): Send {
  const {
    scheduledAt,
    createdAt,
    updatedAt,
    expiresAt = null,
    ...rest
  } = JSON.parse(json) as Send & {
    readonly subject?: string;
    readonly content?: string;
  };
  return {
    ...BEFORE_THE_FIELD,
    ...{ title: rest.subject ?? "", message: rest.content ?? "", data: rest.meta },
    ...rest,
    scheduledAt: scheduledAt === null ? null : new Date(scheduledAt),
    createdAt: new Date(createdAt),
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
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

/** The error for an id that names no notification of the tenant that has deliveries. */
export function unknownSend(id: string): BelfryError {
  return new BelfryError(
    "NOT_FOUND",
    `There is no notification ${shown(id)} with deliveries: it is unknown or gone, or it went to inboxes alone.`,
    {
      details: { notification: shown(id) },
    },
  );
}

/** Adds to deliveries the digests that they wait for, or came in. */
export async function withDigests(
  { digests }: Pick<DeliveryContext, "digests">,
  tenant: string,
  deliveries: readonly TrackedDelivery[],
): Promise<readonly ShownDelivery[]> {
  const ids = deliveries.filter(({ channel }) => channel !== INBOX_CHANNEL).map(({ id }) => id);
  const found = ids.length === 0 ? new Map<string, Digest>() : await digests.digestsOf(tenant, ids);
  return deliveries.map((delivery) => ({ ...delivery, digest: found.get(delivery.id) ?? null }));
}
