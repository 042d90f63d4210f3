import type { JsonObject, Notification, Send, SendDetails, SendStatus } from "@belfry/core";
import { type SendState, sendOf } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import { NOTIFICATION_FIELDS } from "../inbox/notification-fields.ts";
import { toDate } from "./delivery-row.ts";

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
  n.pk, ${NOTIFICATION_FIELDS.columns("n")}, s.channel, s.channels, s.room_id, s.recipients,
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
