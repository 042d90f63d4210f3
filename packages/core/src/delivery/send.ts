import type { JsonObject } from "../foundation/json.ts";
import type { Notification } from "../notifications/index.ts";
import type { SendStatus } from "./delivery.ts";

/** How a notification is to be delivered. */
export interface DeliveryPlan {
  /** The first channel it goes over; what lists are filtered by. */
  readonly channel: string;
  /** The wait for an acknowledgement before the fallback is sent, in milliseconds; 0 decides by presence alone. */
  readonly fallbackDelayMs: number;
  /** The time to send it; null for at once. */
  readonly scheduledAt: Date | null;
}

/** What a plan asks of its deliveries, and no view shows. */
export interface DeliveryTerms {
  /** When a delivery over the inbox is `sent`: once the user has the item, or only if the user has an open connection, too. */
  readonly inboxNeeds: "item" | "connection";
  /** Whether two of its recipients may turn out to have one address: a channel then delivers to it once. */
  readonly addresses: "own" | "shared";
}

/** The sender's choices for a send that nothing but its view shows. */
export interface SendDetails {
  /** Every channel it goes over, not counting the fallback. */
  readonly channels: readonly string[];
  /** The room it belongs to, if the sender named one. */
  readonly roomId: string | null;
  /** As the sender named them, in that order, without those who were erased since; none for more than 1,000: its deliveries name them. */
  readonly recipients: readonly string[];
  /** How many recipients were erased. */
  readonly erasedRecipients: number;
  /** Whether the sender asked for another channel to stand in when the first one fails. */
  readonly hasFallback: boolean;
  /** The data as it was given: without the room, which `data` has as `room_id`. A contract may keep members of its own here. */
  readonly meta: JsonObject;
}

/** How far a send got. */
export interface SendProgress {
  readonly status: SendStatus;
  /** Attempts of its most-tried delivery; after a retry was asked for, the one about to run counts already. */
  readonly attempts: number;
  /** Whether a fallback was attempted. */
  readonly fallbackUsed: boolean;
  /** When everything was delivered; null before. */
  readonly deliveredAt: Date | null;
  /** When everything had failed; null otherwise. */
  readonly failedAt: Date | null;
  /** When the status, the attempts or the content last changed. */
  readonly updatedAt: Date;
}

/** A notification that was sent over channels, with its status. */
export interface Send extends Notification, DeliveryPlan, SendDetails, SendProgress {}

/** How a list of sends is sorted: oldest first, newest first, or by status (ties newest first). */
export type SendSort = "created_at" | "-created_at" | "status";

/** The filter and page of a list of sends. All given conditions must hold. */
export interface SendQuery {
  readonly channel?: string;
  readonly roomId?: string;
  /** One status, or any of several. */
  readonly status?: SendStatus | readonly SendStatus[];
  /** Exclusive. */
  readonly createdAfter?: Date;
  /** Exclusive. */
  readonly createdBefore?: Date;
  /** One of the recipients, exactly as the sender named it. */
  readonly recipient?: string;
  readonly sort: SendSort;
  readonly offset: number;
  readonly limit: number;
}

/** A page of sends. */
export interface SendPage {
  readonly sends: readonly Send[];
  /** The number of matches, on this page or not. */
  readonly total: number;
}

/** The changes to a pending send. Members that are left out stay. */
export interface SendChanges {
  readonly title?: string;
  readonly message?: string;
  /** Replaces the data whole. */
  readonly data?: JsonObject;
}

/** The filter of a count of sends. */
export interface SendAnalyticsQuery {
  /** Created then or later. */
  readonly from?: Date;
  /** Created before then. */
  readonly before?: Date;
  readonly channel?: string;
  readonly roomId?: string;
}

/** Counts of sends, made by the database. */
export interface SendAnalytics {
  readonly total: number;
  readonly byStatus: Readonly<Record<SendStatus, number>>;
  /** By first channel; only channels that occur. */
  readonly byChannel: Readonly<Record<string, number>>;
  /** The number of sends that used a fallback. */
  readonly fallbackUsed: number;
}

/** Every action that the audit log has: on notifications, on a user's data, on suppressed addresses, by pauses, and by retries of everything that matches. */
export const AUDIT_ACTIONS = [
  ...(["created", "updated", "cancelled", "retried", "deleted", "read"] as const),
  ...(["user_exported", "user_deleted", "suppressed", "lifted"] as const),
  ...(["paused", "resumed"] as const),
  ...(["retries_started", "retries_paused", "retries_resumed", "retries_cancelled"] as const),
] as const;

/** An action. Sends, suppressions, pauses, retries and a user's data log their actions themselves. For other notifications, the caller writes the line. */
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** The kinds of what an action was on, if that is no notification. */
export const AUDIT_TARGETS = ["user", "address", "channel", "retry_run", "record"] as const;

/** A kind of what an action was on, if that is no notification. */
export type AuditTargetKind = (typeof AUDIT_TARGETS)[number];

/** The id in a line of the audit log that is about no notification, such as `user_deleted`, and what somebody did to a suppressed address or a pause. */
export const NO_NOTIFICATION = "00000000-0000-0000-0000-000000000000";

/** A line of the audit log, before it is written. */
export interface NewAuditEntry {
  readonly action: AuditAction;
  /** Who did it, as the host or the contract names them; at most 255 characters. */
  readonly actor: string;
  readonly notificationId: string;
  /** What it was on, beside the notification or instead of one; null for nothing else. @default null */
  readonly targetKind?: AuditTargetKind | null;
  /** The id of a user, a retry run or a processing record, or the name of a channel; null for a user who was deleted, and for addresses, which the log never has. @default null */
  readonly targetId?: string | null;
  /** More about it in a few words, up to 500 characters, without names, addresses and texts of users. @default null */
  readonly details?: string | null;
}

/** A line of the audit log. */
export interface AuditEntry extends Required<NewAuditEntry> {
  /** Numbers the lines of an installation; later ones are higher. */
  readonly number: number;
  readonly tenant: string;
  readonly at: Date;
}

/** The lines of the audit log to read. All given conditions must hold. */
export interface AuditQuery {
  readonly limit: number;
  /** Only lines numbered below this. */
  readonly before?: number;
  readonly actor?: string;
  readonly action?: AuditAction;
  readonly notificationId?: string;
  readonly targetKind?: AuditTargetKind;
  readonly targetId?: string;
  /** Written then or later. */
  readonly from?: Date;
  /** Written before then. */
  readonly until?: Date;
}

/** The names of a user in the audit log of a tenant: the id, and addresses. */
export interface AuditNames {
  readonly tenant: string;
  readonly names: readonly string[];
}

/** The actor of an action, for the audit log. */
export interface Acting {
  /** @default "host" */
  readonly actor?: string;
}

/** A change to a send's content. */
export interface SendUpdate extends SendChanges {
  /** What {@link SendDetails} keep of the new data; given together with `data`. */
  readonly meta?: JsonObject;
  /** The link that its type made of the new data. */
  readonly url?: string;
  /** The bits of the notification's `rendered` that stay: those of texts that are not changed by hand. */
  readonly keptRendered: number;
  readonly at: Date;
  readonly actor: string;
}

/** The result of a storage's `updateSend`: `updating` if inboxes are left to `noteUpdates`. */
export type SendUpdated = "updated" | "updating" | "unknown" | "not_pending";
