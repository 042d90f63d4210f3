import type {
  Delivery,
  DeliveryAttempt,
  DeliveryStatus,
  JsonObject,
  Notification,
  Send,
  SendDetails,
  SendStatus,
  UnreachedReason,
} from "@belfry/core";
import { type SendState, sendOf } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import { NOTIFICATION_FIELDS } from "../inbox/item-row.ts";

/** A delivery as SQLite gives it, with its notification's id. Times in milliseconds, truth as 0 or 1. */
export interface DeliveryRow {
  readonly pk: number;
  readonly id: string;
  readonly notification_id: string;
  readonly notification_pk: number;
  readonly tenant: string;
  readonly channel: string;
  readonly recipient: string;
  readonly chain: number;
  readonly is_fallback: number;
  readonly status: DeliveryStatus;
  readonly reason: UnreachedReason | null;
  readonly attempt: number;
  readonly attempts_before: number;
  readonly due_at: number | null;
  readonly lease_owner: string | null;
  readonly lease_until: number | null;
  readonly fence: number;
  readonly settled_at: number | null;
}

/** The columns of a {@link DeliveryRow}, over the tables `d` (deliveries) and `n` (notifications). */
export const DELIVERY_COLUMNS = sql`
  d.pk, d.id, n.id as notification_id, d.notification_pk, d.tenant, d.channel, d.recipient, d.chain, d.is_fallback, d.status, d.reason,
  d.attempt, d.attempts_before, d.due_at, d.lease_owner, d.lease_until, d.fence, d.settled_at`;

/** The delivery that a row stands for. */
export function toDelivery(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    notificationId: row.notification_id,
    tenant: row.tenant,
    channel: row.channel,
    recipient: row.recipient,
    chain: row.chain,
    isFallback: row.is_fallback === 1,
    status: row.status,
    reason: row.reason,
    attempt: row.attempt,
    attemptsBefore: row.attempts_before,
    dueAt: toDate(row.due_at),
    leaseOwner: row.lease_owner,
    leaseUntil: toDate(row.lease_until),
    fence: row.fence,
    settledAt: toDate(row.settled_at),
  };
}

/** An attempt as SQLite gives it. */
export interface AttemptRow {
  readonly delivery_id: string;
  readonly attempt: number;
  readonly status: DeliveryAttempt["status"];
  readonly started_at: number;
  readonly finished_at: number;
  readonly provider: string;
  readonly response: string | null;
  readonly message_id: string | null;
  readonly error: string | null;
  readonly note: string | null;
  readonly is_transient: number;
}

/** The attempt that a row stands for. */
export function toAttempt(row: AttemptRow): DeliveryAttempt {
  return {
    deliveryId: row.delivery_id,
    attempt: row.attempt,
    status: row.status,
    startedAt: new Date(row.started_at),
    finishedAt: new Date(row.finished_at),
    provider: row.provider,
    response: row.response,
    messageId: row.message_id,
    error: row.error,
    note: row.note,
    isTransient: row.is_transient === 1,
  };
}

/** The time of a column that may be empty. */
export function toDate(timeMs: number | null): Date | null {
  return timeMs === null ? null : new Date(timeMs);
}

/** A send as SQLite gives it, with the columns of its notification. */
export interface SendRow {
  readonly pk: number;
  readonly id: string;
  readonly tenant: string;
  readonly channel: string;
  readonly channels: string;
  readonly room_id: string | null;
  readonly recipients: string;
  readonly has_fallback: number;
  readonly fallback_delay_ms: number;
  readonly scheduled_at: number | null;
  readonly meta: string;
  readonly status: SendStatus;
  readonly pending_chains: number;
  readonly sent_chains: number;
  readonly delivered_chains: number;
  readonly failed_chains: number;
  readonly cancelled_chains: number;
  readonly attempts: number;
  readonly fallback_used: number;
  readonly delivered_at: number | null;
  readonly failed_at: number | null;
  readonly updated_at: number;
}

/** The columns of a {@link SendRow}, over the tables `s` (sends) and `n` (notifications). */
export const SEND_COLUMNS = sql`
  n.pk, ${sql.raw(NOTIFICATION_FIELDS.columns("n"))}, s.channel, s.channels, s.room_id, s.recipients,
  s.has_fallback, s.fallback_delay_ms, s.scheduled_at, s.meta, s.status, s.pending_chains, s.sent_chains, s.delivered_chains, s.failed_chains,
  s.cancelled_chains, s.attempts, s.fallback_used, s.delivered_at, s.failed_at, s.updated_at`;

export function toDetails(row: SendRow): SendDetails {
  return {
    channel: row.channel,
    channels: JSON.parse(row.channels) as readonly string[],
    roomId: row.room_id,
    recipients: JSON.parse(row.recipients) as readonly string[],
    hasFallback: row.has_fallback === 1,
    fallbackDelayMs: row.fallback_delay_ms,
    scheduledAt: toDate(row.scheduled_at),
    meta: JSON.parse(row.meta) as JsonObject,
  };
}

export function toNotification(row: SendRow): Notification {
  return NOTIFICATION_FIELDS.record(row);
}

export function toSend(row: SendRow): Send {
  return sendOf(toNotification(row), toDetails(row), {
    status: row.status,
    attempts: row.attempts,
    fallbackUsed: row.fallback_used === 1,
    deliveredAt: toDate(row.delivered_at),
    failedAt: toDate(row.failed_at),
    updatedAt: new Date(row.updated_at),
  });
}

export function toState(row: SendRow): SendState {
  return {
    tenant: row.tenant,
    id: row.id,
    status: row.status,
    chains: {
      pending: row.pending_chains,
      sent: row.sent_chains,
      delivered: row.delivered_chains,
      failed: row.failed_chains,
      cancelled: row.cancelled_chains,
    },
    attempts: row.attempts,
    fallbackUsed: row.fallback_used === 1,
    fallbackDelayMs: row.fallback_delay_ms,
    deliveredAt: toDate(row.delivered_at),
    failedAt: toDate(row.failed_at),
  };
}
