import type { AuditEntry, Send, SendStatus, TrackedDelivery } from "../delivery/index.ts";
import type { JsonObject } from "../foundation/json.ts";
import type { ProcessingRecord } from "../hub/index.ts";
import type { InboxItem } from "../inbox/index.ts";
import type { NotificationKind } from "../notifications/index.ts";

/** Which notifications an operator looks for. Everything given must hold. */
export interface ActivityFilter {
  /** Exactly this notification. */
  readonly id?: string;
  readonly kind?: NotificationKind;
  /** A user whose inbox it came into, a recipient as its sender named it, or the sender of an event; exactly. */
  readonly recipient?: string;
  /** The notification's type; of an event, its source. */
  readonly type?: string;
  /** A channel it goes over, as its fallback or before that. A message goes over the inbox alone, an event over none. */
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
  /** The notification's type; of an event, its source. */
  readonly type: string;
  readonly title: string;
  /** The first 200 characters (code points) of the message. */
  readonly excerpt: string;
  /** Up to three: of a send as its sender named them, of a message the first by name, of an event none. */
  readonly recipients: readonly string[];
  /** How many there are; of a message counted up to 1,000 and no further. */
  readonly recipientCount: number;
  /** Of a send: the channels its sender named, then that of its fallback. */
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

/** A notification with all of its own content. */
export interface ActivityContent {
  readonly summary: ActivitySummary;
  readonly message: string;
  readonly data: JsonObject;
  /** The service it came from, if its creator named one. */
  readonly source: string | null;
  /** Who caused it, if its creator named one. */
  readonly sender: string | null;
}

/** Everything known of one notification, for an operator. */
export interface Activity extends ActivityContent {
  /** Where it is in inboxes: up to 100 items, and of how many. */
  readonly items: readonly InboxItem[];
  readonly itemCount: number;
  readonly readCount: number;
  /** Of a send. */
  readonly send: Send | null;
  /** Of a send, the first 1,000: in the order of its recipients, the primary before its fallback, attempts oldest first. */
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
  /** Attempts that ended in the while, and went well. */
  readonly succeeded: number;
  /** Attempts that ended in the while, and failed, or whose worker was lost. */
  readonly failed: number;
  /**
   * From when a delivery could first go out (its schedule, else its creation; of a fallback, when its primary had
   * settled) to when it was sent, in milliseconds to three digits, of what was sent in the while: the time that half of
   * it stayed within; null for nothing.
   */
  readonly p50Ms: number | null;
  /** Likewise, the time that 95 % of it stayed within. */
  readonly p95Ms: number | null;
  /** What waits to be attempted at this moment, due or not yet; what is being attempted does not count. */
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
  /** How many failed or partial sends matched before; each of the two counted up to 10,000. */
  readonly matched: number;
  /** How many are now tried again. What changed while this ran was left as it was. */
  readonly retried: number;
  /** How many match now: beyond the bound, or failed since. */
  readonly remaining: number;
  /** Goes on with older ones that match; null when this call has come to the oldest. */
  readonly nextCursor: string | null;
}
