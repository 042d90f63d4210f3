import { z } from "zod";
import type { Send, TrackedDelivery } from "../../delivery/index.ts";
import { timestamp } from "../../http/parameters.ts";
import { isoDate, isoDateOrNull } from "../iso-date.ts";

const json = z.record(z.string(), z.unknown());

/** A notification that has deliveries. */
export const sendSchema = z
  .object({
    id: z.uuid(),
    type: z.string(),
    status: z.enum(["pending", "sent", "delivered", "partial", "failed", "skipped", "cancelled"]),
    title: z.string(),
    message: z.string(),
    data: json,
    channels: z.array(z.string()),
    hasFallback: z.boolean(),
    fallbackUsed: z.boolean(),
    recipients: z.array(z.string()).meta({ description: "As they were named; none for more than 1,000, whom the deliveries name" }),
    attempts: z.int().meta({ description: "Those of the delivery that was tried most" }),
    scheduledAt: timestamp.nullable(),
    expiresAt: timestamp.nullable(),
    createdAt: timestamp,
    updatedAt: timestamp,
    deliveredAt: timestamp.nullable(),
    failedAt: timestamp.nullable(),
  })
  .meta({ id: "Notification" });

const attemptSchema = z.object({
  attempt: z.int().meta({ description: "1 for the first" }),
  status: z.enum(["sent", "delivered", "failed", "unknown"]),
  startedAt: timestamp,
  finishedAt: timestamp,
  provider: z.string(),
  response: z.string().nullable(),
  messageId: z.string().nullable(),
  error: z.string().nullable(),
});

/** A delivery of a notification to one recipient over one channel. */
export const deliverySchema = z
  .object({
    id: z.uuid(),
    channel: z.string(),
    recipient: z.string(),
    recipientKind: z.enum(["user", "address"]),
    isFallback: z.boolean(),
    status: z.string(),
    reason: z.string().nullable().meta({ description: "Why it was skipped, or what it waits for" }),
    reasonSource: z.string().nullable().meta({ description: "Whose decision that was, such as `user type email`" }),
    dueAt: timestamp.nullable(),
    settledAt: timestamp.nullable(),
    attempts: z.array(attemptSchema).meta({ description: "Oldest first; of more than 100, the newest 100" }),
  })
  .meta({ id: "Delivery" });

/** Renders a notification that has deliveries. */
export function sendJson(send: Send): z.infer<typeof sendSchema> {
  const { id, type, status, title, message, data, channels, hasFallback, fallbackUsed, recipients, attempts } = send;
  return {
    ...{
      id,
      type,
      status,
      title,
      message,
      data,
      channels: [...channels],
      hasFallback,
      fallbackUsed,
      recipients: [...recipients],
      attempts,
    },
    scheduledAt: isoDateOrNull(send.scheduledAt),
    expiresAt: isoDateOrNull(send.expiresAt),
    createdAt: isoDate(send.createdAt),
    updatedAt: isoDate(send.updatedAt),
    deliveredAt: isoDateOrNull(send.deliveredAt),
    failedAt: isoDateOrNull(send.failedAt),
  };
}

/** Renders a delivery with its attempts. */
export function deliveryJson(delivery: TrackedDelivery): z.infer<typeof deliverySchema> {
  const { id, channel, recipient, recipientKind, isFallback, status, reason, reasonSource } = delivery;
  return {
    ...{ id, channel, recipient, recipientKind, isFallback, status, reason, reasonSource },
    dueAt: isoDateOrNull(delivery.dueAt),
    settledAt: isoDateOrNull(delivery.settledAt),
    attempts: delivery.attempts.map(({ startedAt, finishedAt, ...attempt }) => {
      const { attempt: number, status: outcome, provider, response, messageId, error } = attempt;
      const times = { startedAt: isoDate(startedAt), finishedAt: isoDate(finishedAt) };
      return { attempt: number, status: outcome, ...times, provider, response, messageId, error };
    }),
  };
}
