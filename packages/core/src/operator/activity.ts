import type {
  AuditEntry,
  ChainCounts,
  DeliveryStanding,
  DeliveryState,
  Pause,
  Send,
  SendStatus,
  ShownDelivery,
} from "../delivery/index.ts";
import type { ProcessingRecord } from "../hub/index.ts";
import type { InboxItem } from "../inbox/index.ts";
import type { Notification, NotificationKind } from "../notifications/index.ts";

/** The filter of an operator's search. All given conditions must hold. */
export interface ActivityFilter {
  /** Exactly this notification. */
  readonly id?: string;
  readonly kind?: NotificationKind;
  /** A user whose inbox it came into, a recipient as its sender named it, or the sender of an event; exactly. */
  readonly recipient?: string;
  /** The beginning of a user, a recipient or the sender of an event, with the letters A to Z in either case. */
  readonly recipientPrefix?: string;
  /**
   * A user: what came into their inbox, was sent to them over any channel, or went to an address that the host's directory has for them
   * now. Without an answer from the directory within 5 seconds, what went to addresses alone is not found.
   */
  readonly user?: string;
  /** What its provider called a delivery of it, such as a Message-ID, with or without angle brackets. */
  readonly providerId?: string;
  /** The beginning of the idempotency key that it was created with. A key is forgotten after a day. */
  readonly idempotencyKey?: string;
  /**
   * A part of what went wrong, with the letters A to Z in either case: with a delivery that failed or is tried again, or with a handler of an event that
   * failed. If more than 20,000 failed or are tried again, it looks at the newest 20,000 of each.
   */
  readonly error?: string;
  /** The notification's type; of an event, its source. */
  readonly type?: string;
  /** A channel it goes over, as its fallback or before that. A message goes over the inbox alone, an event over none. */
  readonly channel?: string;
  /** The status of a send. Messages and events have none. */
  readonly status?: SendStatus;
  /** A state that a delivery of it is in. Messages and events have no deliveries. */
  readonly state?: DeliveryState;
  /** Created then or later. */
  readonly from?: Date;
  /** Created before then. */
  readonly before?: Date;
}

/** One line of a search. */
export interface ActivitySummary extends Pick<Notification, "id" | "kind" | "title" | "createdAt"> {
  /** The notification's type; of an event, its source. */
  readonly type: string;
  /** The first 200 characters (code points) of the message. */
  readonly excerpt: string;
  /** Up to three: of a send as its sender named them, of a message the first by name, of an event none. */
  readonly recipients: readonly string[];
  /** The number of recipients. For a message it is counted up to 1,000; in a timeline, up to its `itemCount` if that is more. */
  readonly recipientCount: number;
  /** Whether it is a broadcast, which may have ended. Then nobody is named, and a message's recipients are those who have it by now. */
  readonly isForEveryone: boolean;
  /** Of a send: the channels its sender named, then that of its fallback. */
  readonly channels: readonly string[];
  /** The status of a send; null for other kinds. */
  readonly status: SendStatus | null;
  /**
   * How what is left to deliver of a send stands: as the most telling of its next deliveries. One that is under way comes first, then one that is held
   * back, is tried again, is due, or waits for its time. Null when nothing is left, and for other kinds.
   */
  readonly standing: DeliveryStanding | null;
  /**
   * Of a send that something failed of: what its last attempts say went wrong, in the provider's words. Of an event: the error of a handler that failed or
   * is tried again. Null if nothing did.
   */
  readonly lastError: string | null;
}

/** Newest first. */
export interface ActivityPage {
  readonly notifications: readonly ActivitySummary[];
  /** Where the next page starts; null at the end. */
  readonly nextCursor: string | null;
}

/** A notification with all of its own content. */
export interface ActivityContent extends Pick<Notification, "message" | "data" | "source" | "actor" | "url" | "actions"> {
  readonly summary: ActivitySummary;
}

/** How a broadcast stands. */
export interface ActivityBroadcast {
  /**
   * `scheduled` until its time, then `sent`: it is placed in inboxes, one after another. `ended` once it was cancelled, has expired, or became
   * too old to be placed.
   */
  readonly state: "scheduled" | "sent" | "ended";
  /** When it went out, or will; of one that ended before, when it would have. */
  readonly at: Date;
  /** Null until it ends. */
  readonly endedAt: Date | null;
  /** Whether inboxes that begin later get it, too. */
  readonly isStanding: boolean;
  /** How many users are left out. */
  readonly exceptCount: number;
  /** Whether users are still to be read from the host, for other channels than the inbox. */
  readonly isReadingUsers: boolean;
  /**
   * Since when nobody has read the next of these users: no process runs whose directory has `everyone`, or none of them gets an answer. Null
   * if somebody has within the last 30 seconds, or those that were read are still written.
   */
  readonly usersWaitSince: Date | null;
}

/** A delivery as an operator sees it. */
export interface ActivityDelivery extends ShownDelivery {
  readonly standing: DeliveryStanding;
  /** The pause that holds it back: who paused it, when and why. Null for none. */
  readonly pause: Pause | null;
}

/** Everything known of one notification, for an operator. */
export interface Activity extends ActivityContent {
  /** The topics that it was created for, by name. Others may have been named beside. */
  readonly topics: readonly string[];
  /** Of a broadcast. Its items are in the inboxes that have it by now. */
  readonly broadcast: ActivityBroadcast | null;
  /** Up to 100 of its items in inboxes. */
  readonly items: readonly InboxItem[];
  /** All of its items in inboxes, deleted ones left out. A fan-out that is under way adds to them. */
  readonly itemCount: number;
  readonly readCount: number;
  /** Of a send. */
  readonly send: Send | null;
  /** Of a send: how many chains have each outcome. A chain is a recipient's delivery over a channel, with its fallback. */
  readonly chains: ChainCounts | null;
  /** Of a send, the first 1,000 or those that were asked for: in the order of its recipients, the primary before its fallback, attempts oldest first. */
  readonly deliveries: readonly ActivityDelivery[];
  /** Of an event. */
  readonly records: readonly ProcessingRecord[];
  /** The lines of the audit log about it, oldest first. */
  readonly audit: readonly AuditEntry[];
}

/** The period to look back on. */
export type HealthRange = "1h" | "24h" | "7d";

/** A state in which a delivery waits for an attempt. */
export type WaitingState = "scheduled" | "due" | "retrying" | "held";

/** What waits to go out over one channel. */
export interface ChannelBacklog {
  readonly channel: string;
  /**
   * The number of deliveries that wait for an attempt now, due or not. A running attempt does not count. Of more than 100,000 in the tenant, those
   * that are due first are counted, over all channels.
   */
  readonly pending: number;
  /** Of these, the ones in each of the states in which a delivery waits. */
  readonly waiting: Readonly<Record<WaitingState, number>>;
  /** The due time of the delivery that has been due longest; null when none is due. What is held back is not due. */
  readonly oldestDueAt: Date | null;
}

/** The health of one channel. */
export interface ChannelHealth extends ChannelBacklog {
  /** Attempts that ended in the period and succeeded. */
  readonly succeeded: number;
  /**
   * Attempts that ended in the period and failed, or whose worker was lost. That a user was not connected is no failure: such
   * attempts do not count.
   */
  readonly failed: number;
  /** Those of {@link failed} whose worker was lost: they say nothing of the channel. */
  readonly lost: number;
  /**
   * The median time to send, in milliseconds, over the deliveries sent in the period: in steps of 5 to 15 percent, of which it is the one
   * that was reached. It runs from the time
   * a delivery could first go out (its schedule, else its creation; for a fallback, the time its primary settled) to the
   * time it was sent. Null when none was sent.
   */
  readonly p50Ms: number | null;
  /** The 95th percentile of the time to send; see {@link p50Ms}. */
  readonly p95Ms: number | null;
  /** The period in equal parts, oldest first, for a chart. */
  readonly buckets: readonly HealthBucket[];
  /** What waited in the same parts. One of the processes looks once a minute. */
  readonly backlog: readonly BacklogBucket[];
}

/** What waited in a part of a period. */
export interface BacklogBucket {
  readonly from: Date;
  /** The most deliveries in each state that waited when somebody looked; null if nobody did. */
  readonly waiting: Readonly<Record<WaitingState, number>> | null;
}

/** One part of a chart. */
export interface HealthBucket {
  readonly from: Date;
  readonly succeeded: number;
  readonly failed: number;
}

/** The result of a retry of all matching sends. */
export interface RetriedAll {
  /** The number of failed and partial sends that matched before, each status counted up to 10,000. */
  readonly matched: number;
  /** The number of sends that are now tried again. Sends that changed meanwhile were left alone. */
  readonly retried: number;
  /** The number of sends that match now: those above the limit, and those that have failed since. */
  readonly remaining: number;
  /** Goes on with older ones that match; null when this call has come to the oldest. */
  readonly nextCursor: string | null;
}
