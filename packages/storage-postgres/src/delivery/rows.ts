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
import type { SendState } from "@belfry/core/storage";

/** A row that came as one JSON object: its members are the columns, times in milliseconds. */
export type JsonRow<Row> = readonly [row: Row];

/** Milliseconds since 1970 of a time, as SQL. */
export function milliseconds(time: string): string {
  return `(extract(epoch FROM ${time}) * 1000)::bigint`;
}

/** The time that parameter `parameter` names, else the database's own, in whole milliseconds, as SQL. */
export function timeOf(parameter: `$${number}`): string {
  return `coalesce(${parameter}::timestamptz, date_trunc('milliseconds', clock_timestamp()))`;
}

/** A delivery, with its notification's id. */
export interface DeliveryRow {
  readonly id: string;
  readonly notification_id: string;
  readonly notification_pk: number;
  readonly tenant: string;
  readonly channel: string;
  readonly recipient: string;
  readonly chain: number;
  readonly is_fallback: boolean;
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

/** The columns of a {@link DeliveryRow}, over `d` (deliveries) and `n` (notifications). */
export const DELIVERY_COLUMNS = `d.id, n.id AS notification_id, d.notification_pk, d.tenant, d.channel, d.recipient, d.chain, d.is_fallback, d.status,
  d.reason, d.attempt, d.attempts_before, ${milliseconds("d.due_at")} AS due_at, d.lease_owner, ${milliseconds("d.lease_until")} AS lease_until,
  d.fence, ${milliseconds("d.settled_at")} AS settled_at`;

export function toDelivery(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    notificationId: row.notification_id,
    tenant: row.tenant,
    channel: row.channel,
    recipient: row.recipient,
    chain: row.chain,
    isFallback: row.is_fallback,
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

/** An attempt. */
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
  readonly is_transient: boolean;
}

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
    isTransient: row.is_transient,
  };
}

/** A send, with its notification. */
export interface SendRow {
  readonly pk: number;
  readonly id: string;
  readonly tenant: string;
  readonly type: string;
  readonly title: string;
  readonly message: string;
  readonly data: JsonObject;
  readonly source: string | null;
  readonly sender: string | null;
  readonly created_at: number;
  readonly channel: string;
  readonly channels: readonly string[];
  readonly room_id: string | null;
  readonly recipients: readonly string[];
  readonly has_fallback: boolean;
  readonly fallback_delay_ms: number;
  readonly scheduled_at: number | null;
  readonly meta: JsonObject;
  readonly status: SendStatus;
  readonly pending_chains: number;
  readonly sent_chains: number;
  readonly delivered_chains: number;
  readonly failed_chains: number;
  readonly cancelled_chains: number;
  readonly attempts: number;
  readonly fallback_used: boolean;
  readonly delivered_at: number | null;
  readonly failed_at: number | null;
  readonly updated_at: number;
}

/** The columns of a {@link SendRow}, over `s` (sends) and `n` (notifications). */
export const SEND_COLUMNS = `n.pk, n.id, n.tenant, n.type, n.title, n.message, n.data, n.source, n.sender, ${milliseconds("n.created_at")} AS created_at,
  s.channel, s.channels, s.room_id, s.recipients, s.has_fallback, s.fallback_delay_ms, ${milliseconds("s.scheduled_at")} AS scheduled_at, s.meta,
  s.status, s.pending_chains, s.sent_chains, s.delivered_chains, s.failed_chains, s.cancelled_chains, s.attempts, s.fallback_used,
  ${milliseconds("s.delivered_at")} AS delivered_at, ${milliseconds("s.failed_at")} AS failed_at, ${milliseconds("s.updated_at")} AS updated_at`;

export function toDetails(row: SendRow): SendDetails {
  return {
    channel: row.channel,
    channels: row.channels,
    roomId: row.room_id,
    recipients: row.recipients,
    hasFallback: row.has_fallback,
    fallbackDelayMs: row.fallback_delay_ms,
    scheduledAt: toDate(row.scheduled_at),
    meta: row.meta,
  };
}

export function toNotification({ id, tenant, type, title, message, data, source, sender, created_at }: SendRow): Notification {
  return { id, tenant, kind: "send", type, title, message, data, source, sender, createdAt: new Date(created_at) };
}

export function toSend(row: SendRow): Send {
  return {
    ...toDetails(row),
    id: row.id,
    tenant: row.tenant,
    type: row.type,
    subject: row.title,
    content: row.message,
    status: row.status,
    attempts: row.attempts,
    fallbackUsed: row.fallback_used,
    deliveredAt: toDate(row.delivered_at),
    failedAt: toDate(row.failed_at),
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  };
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
    fallbackUsed: row.fallback_used,
    fallbackDelayMs: row.fallback_delay_ms,
    deliveredAt: toDate(row.delivered_at),
    failedAt: toDate(row.failed_at),
  };
}

function toDate(timeMs: number | null): Date | null {
  return timeMs === null ? null : new Date(timeMs);
}
