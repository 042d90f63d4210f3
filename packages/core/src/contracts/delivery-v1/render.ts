import type { z } from "zod";
import type { DeliveryAttempt, Send, TrackedDelivery } from "../../delivery/index.ts";
import { isoDate, isoDateOrNull } from "../iso-date.ts";
import { typeOf } from "./channel-types.ts";
import type { deliverySchema, notificationSchema } from "./schemas.ts";

/** The status that the contract shows: it knows none for what was decided against, and never went out. */
function wireStatus<Status extends string>(status: Status): Exclude<Status, "skipped"> | "cancelled" {
  return status === "skipped" ? "cancelled" : (status as Exclude<Status, "skipped">);
}

/** Renders a notification for the contract. */
export function renderSend(send: Send, deliveries: readonly TrackedDelivery[]): z.infer<typeof notificationSchema> {
  const details = deliveryDetails(send, deliveries);
  return {
    id: send.id,
    type: typeOf(send.channel),
    room_id: send.roomId,
    client_id: send.tenant,
    recipients: [...send.recipients],
    subject: send.title,
    content: send.message,
    status: wireStatus(send.status),
    email_fallback: send.hasFallback,
    meta: details === null ? send.meta : { ...send.meta, delivery_details: details },
    delivery_attempts: send.attempts,
    delivered_at: isoDateOrNull(send.deliveredAt),
    failed_at: isoDateOrNull(send.failedAt),
    ...(send.scheduledAt === null ? {} : { scheduled_at: isoDate(send.scheduledAt) }),
    created_at: isoDate(send.createdAt),
    updated_at: isoDate(send.updatedAt),
  };
}

interface Tried {
  readonly delivery: TrackedDelivery;
  readonly attempt: DeliveryAttempt;
}

/** Renders a notification's attempts; null before the first one. */
function deliveryDetails(send: Send, deliveries: readonly TrackedDelivery[]): Record<string, unknown> | null {
  const tried = deliveries
    .flatMap((delivery) => delivery.attempts.map((attempt): Tried => ({ delivery, attempt })))
    .sort((left, right) => left.attempt.finishedAt.getTime() - right.attempt.finishedAt.getTime());
  if (tried.length === 0) {
    return null;
  }
  const lastWith = (key: "provider" | "messageId") => tried.findLast(({ attempt }) => attempt[key])?.attempt[key] ?? null;
  const notes = tried.flatMap(({ attempt }) => attempt.note ?? []);
  return {
    provider: lastWith("provider"),
    message_id: lastWith("messageId"),
    attempts: tried.map(({ delivery, attempt }) => renderAttempt(delivery, attempt)),
    fallback_used: send.fallbackUsed,
    ...(notes.length > 0 ? { notes: [...new Set(notes)] } : {}),
    ...(send.status === "failed" ? { error: deliveryError(tried) } : {}),
  };
}

function deliveryError(tried: readonly Tried[]): Record<string, unknown> {
  const last = tried.findLast(({ attempt }) => attempt.error !== null);
  return {
    code: "DELIVERY_FAILED",
    message: "Failed to deliver notification",
    details: {
      provider_error: last?.attempt.error ?? null,
      retry_possible: last !== undefined && (last.attempt.isTransient || last.delivery.reason !== null),
    },
  };
}

function renderAttempt({ recipient }: TrackedDelivery, attempt: DeliveryAttempt) {
  return {
    timestamp: isoDate(attempt.finishedAt),
    status: attempt.status,
    recipient,
    provider_response: attempt.response,
    message_id: attempt.messageId,
    error: attempt.error,
  };
}

/** Renders a delivery for the contract. */
export function renderDelivery(delivery: TrackedDelivery): z.infer<typeof deliverySchema> {
  return {
    id: delivery.id,
    type: typeOf(delivery.channel),
    recipient: delivery.recipient,
    is_fallback: delivery.isFallback,
    status: wireStatus(delivery.status),
    reason: delivery.reason === "offline" || delivery.reason === "no_ack" ? delivery.reason : null,
    attempts: delivery.attempts.map((attempt) => ({
      ...renderAttempt(delivery, attempt),
      attempt: attempt.attempt,
      provider: attempt.provider,
      duration_ms: Math.max(0, attempt.finishedAt.getTime() - attempt.startedAt.getTime()),
    })),
    next_attempt_at: isoDateOrNull(delivery.dueAt),
    settled_at: isoDateOrNull(delivery.settledAt),
  };
}
