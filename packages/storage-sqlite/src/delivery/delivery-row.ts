import type { Delivery, DeliveryAttempt, DeliveryStatus, UnreachedReason } from "@belfry/core";
import { sql } from "drizzle-orm";

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
