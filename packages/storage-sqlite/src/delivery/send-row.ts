import type { JsonObject, Notification, Send, SendDetails, SendStatus } from "@belfry/core";
import type { SendState } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import { toDate } from "./delivery-row.ts";

/** A send as SQLite gives it, with its notification. */
export interface SendRow {
  readonly pk: number;
  readonly id: string;
  readonly tenant: string;
  readonly type: string;
  readonly title: string;
  readonly message: string;
  readonly data: string;
  readonly source: string | null;
  readonly sender: string | null;
  readonly created_at: number;
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
  n.pk, n.id, n.tenant, n.type, n.title, n.message, n.data, n.source, n.sender, n.created_at, s.channel, s.channels, s.room_id, s.recipients,
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
  const { id, tenant, type, title, message, data, source, sender, created_at } = row;
  const createdAt = new Date(created_at);
  return { id, tenant, kind: "send", type, title, message, data: JSON.parse(data) as JsonObject, source, sender, createdAt };
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
    fallbackUsed: row.fallback_used === 1,
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
    fallbackUsed: row.fallback_used === 1,
    fallbackDelayMs: row.fallback_delay_ms,
    deliveredAt: toDate(row.delivered_at),
    failedAt: toDate(row.failed_at),
  };
}
