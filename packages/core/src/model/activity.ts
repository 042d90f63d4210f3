import type { SendStatus, TrackedDelivery } from "./delivery.ts";
import type { ProcessingRecord } from "./hub.ts";
import type { InboxItem } from "./inbox-item.ts";
import type { JsonObject } from "./json.ts";
import type { AuditEntry, Send } from "./send.ts";

/** How a notification came to be: by `create`, by `send`, or pushed into the hub. */
export type NotificationKind = "message" | "send" | "event";

/** Which notifications an operator looks for. Everything given must hold. */
export interface ActivityFilter {
  /** Exactly this notification. */
  readonly id?: string;
  readonly kind?: NotificationKind;
  /** A user whose inbox it is in, a recipient as its sender named it, or the sender of an event. */
  readonly recipient?: string;
  /** The notification's type; of an event, its source. */
  readonly type?: string;
  /** A channel it goes over. A message goes over the inbox alone, an event over none. */
  readonly channel?: string;
  /** Of sends: how far they got. No message or event has one. */
  readonly status?: SendStatus;
  /** Created then or later. */
  readonly from?: Date;
  /** Created before then. */
  readonly before?: Date;
}

/** One line of a search. */
export interface ActivitySummary {
  readonly id: string;
  readonly kind: NotificationKind;
  readonly type: string;
  readonly title: string;
  /** The first 200 characters of the message. */
  readonly excerpt: string;
  /** Up to three, as the sender named them. */
  readonly recipients: readonly string[];
  readonly recipientCount: number;
  readonly channels: readonly string[];
  /** Null for what is not a send. */
  readonly status: SendStatus | null;
  readonly createdAt: Date;
}

/** Newest first. */
export interface ActivityPage {
  readonly notifications: readonly ActivitySummary[];
  /** Where the next page starts; null at the end. */
  readonly nextCursor: string | null;
}

/** Everything known of one notification, for an operator. */
export interface Activity {
  readonly summary: ActivitySummary;
  readonly message: string;
  readonly data: JsonObject;
  /** Where it is in inboxes: up to 100 items, and of how many. */
  readonly items: readonly InboxItem[];
  readonly itemCount: number;
  readonly readCount: number;
  /** Of a send. */
  readonly send: Send | null;
  /** Of a send: in the order of its recipients, the primary before its fallback, attempts oldest first. */
  readonly deliveries: readonly TrackedDelivery[];
  /** Of an event. */
  readonly records: readonly ProcessingRecord[];
  /** What was done to it, and by whom; oldest first. */
  readonly audit: readonly AuditEntry[];
}

/** Which while to look back on. */
export type HealthRange = "1h" | "24h" | "7d";

/** How one channel does. */
export interface ChannelHealth {
  readonly channel: string;
  /** Attempts that ended in the while. */
  readonly succeeded: number;
  readonly failed: number;
  /** From when it could first go out to when it was sent, of what was sent in the while, in milliseconds; null for nothing. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  /** What waits to be attempted at this moment. */
  readonly pending: number;
  /** Since when the one that is due longest is due; null when none is due. */
  readonly oldestDueAt: Date | null;
  /** The while in equal parts, oldest first, for a chart. */
  readonly buckets: readonly HealthBucket[];
}

/** One part of a chart. */
export interface HealthBucket {
  readonly from: Date;
  readonly succeeded: number;
  readonly failed: number;
}

/** What a retry of everything that matches came to. */
export interface RetriedAll {
  /** How many failed or partial sends matched before. */
  readonly matched: number;
  readonly retried: number;
  /** How many match still: beyond the bound, or changed meanwhile. */
  readonly remaining: number;
}
