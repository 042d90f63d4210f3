import type { Delivery, DeliveryAttempt, JsonObject, Notification, Send, SendDetails } from "@belfry/core";
import {
  type ClaimedDelivery,
  type LoadedDelivery,
  type LoadedSend,
  type NewSend,
  newProgress,
  type SendState,
  sendOf,
  statusOf,
} from "@belfry/core/storage";
import { fieldsOf } from "../database/fields.ts";
import { type Dialect, parsed, type RowOf, type StoredAttempt, type StoredDelivery, type Tracking } from "../database/sql.ts";

/** A delivery as a row, with its notification's key. */
export type DeliveryRow = RowOf<Delivery> & { readonly notificationPk: number };

/** A tracking as a row, with its notification's key. */
export type TrackingRow = RowOf<Tracking> & { readonly notificationPk: number };

/** A notification with its tracking and, if `hasDetails` is true, its sender's details. */
export type SendRow = TrackingRow & { readonly hasDetails: boolean };

/** A notification with its tracking and the content to deliver. */
export interface ContentRow extends TrackingRow {
  readonly id: string;
  readonly roomId: string | null;
  readonly meta: JsonObject | string | null;
}

/** The content that all claimed deliveries of a notification share. */
export type ClaimedContent = Omit<ClaimedDelivery, "delivery" | "isOnly" | "keys">;

/** The records of deliveries in a dialect: `n` is a notification, `t` its tracking, `s` its sender's choices, `d` a delivery. */
export function deliveryRecords(dialect: Dialect) {
  const { schema } = dialect;
  const notification = fieldsOf<Notification>(schema.notifications, dialect);
  const delivery = fieldsOf<StoredDelivery>(schema.deliveries, dialect, ["pk", "notificationPk"]);
  const attempt = fieldsOf<StoredAttempt>(schema.deliveryAttempts, dialect, ["deliveryPk"]);
  const tracking = fieldsOf<Tracking>(schema.trackings, dialect, ["notificationPk", "createdAt"]);
  const details = fieldsOf<SendDetails>(schema.sends, dialect, ["notificationPk", "tenant"]);
  const trackingColumns = `t.notification_pk AS "notificationPk", ${tracking.columns("t")}`;
  return {
    fields: { delivery, attempt, tracking, details },
    /** The columns of a {@link DeliveryRow}, over `d` and `n`. */
    delivery: `n.id AS "notificationId", d.notification_pk AS "notificationPk", ${delivery.columns("d")}`,
    /** The columns of an attempt with its `deliveryId`, over `a` and `d`. */
    attempt: `d.id AS "deliveryId", ${attempt.columns("a")}`,
    /** The columns of a {@link TrackingRow}, over `t`. */
    tracking: trackingColumns,
    /** The columns of a {@link SendRow}, over `n`, `t` and `s`. */
    send: `${notification.columns("n")}, ${trackingColumns}, s.notification_pk IS NOT NULL AS "hasDetails", ${details.columns("s")}`,
    /** The columns of a {@link ContentRow}, over `n`, `t` and `s`. */
    content: `${notification.columns("n")}, ${trackingColumns}, s.room_id AS "roomId", s.meta`,
    toAttempt: (row: { readonly deliveryId: string }): DeliveryAttempt => ({ deliveryId: row.deliveryId, ...attempt.record(row) }),
    toSend: (row: SendRow): Send => {
      const { channel, fallbackDelayMs, status, attempts, fallbackUsed, updatedAt } = row;
      return sendOf(notification.record(row), row.hasDetails ? details.record(row) : null, {
        ...{ channel, fallbackDelayMs, scheduledAt: toDate(row.scheduledAt), status, attempts, fallbackUsed: Boolean(fallbackUsed) },
        ...{ deliveredAt: toDate(row.deliveredAt), failedAt: toDate(row.failedAt), updatedAt: new Date(updatedAt) },
      });
    },
    toContent: (row: ContentRow): ClaimedContent => {
      const record = notification.record(row);
      const meta = row.meta === null ? record.data : parsed(row.meta);
      return { notification: record, state: toState(row), scheduledAt: toDate(row.scheduledAt), roomId: row.roomId, meta };
    },
  };
}

/** The delivery that a row stands for. */
export function toDelivery(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    notificationId: row.notificationId,
    tenant: row.tenant,
    channel: row.channel,
    recipient: row.recipient,
    chain: row.chain,
    isFallback: Boolean(row.isFallback),
    recipientKind: row.recipientKind,
    topic: row.topic,
    status: row.status,
    reason: row.reason,
    reasonSource: row.reasonSource,
    attempt: row.attempt,
    attemptsBefore: row.attemptsBefore,
    dueAt: toDate(row.dueAt),
    leaseOwner: row.leaseOwner,
    leaseUntil: toDate(row.leaseUntil),
    fence: row.fence,
    settledAt: toDate(row.settledAt),
  };
}

/** The tracking of deliveries that are to be written. */
export function newTracking(send: NewSend): Tracking {
  const { notification, channel, fallbackDelayMs, scheduledAt, inboxNeeds, addresses, deliveries, fanOut, everyone } = send;
  const written = new Set(deliveries.filter(({ status }) => status !== "skipped").map(({ chain }) => chain)).size;
  // All that a fan-out is still to write counts as one chain, and so do the inboxes of everyone.
  const hasInboxes = everyone?.hasItems === true;
  const pendingChains = written + (fanOut === undefined ? 0 : 1) + (hasInboxes && everyone.dueAt !== null ? 1 : 0);
  // What is decided against when it is created is a chain of its own.
  const skippedChains = deliveries.filter(({ status }) => status === "skipped").length;
  const sentChains = hasInboxes && everyone.dueAt === null ? 1 : 0;
  const none = { sentChains, deliveredChains: 0, failedChains: 0, cancelledChains: 0 };
  const { tenant, createdAt } = notification;
  const progress = { ...newProgress(createdAt), status: statusOf(send) };
  const plan = { tenant, channel, fallbackDelayMs, scheduledAt, inboxNeeds, addresses };
  return { ...plan, ...progress, pendingChains, skippedChains, ...none };
}

/** What the answer to a send says of its leases: they are there if it is new. */
export function leasedIf(isNew: boolean, { deliveries }: NewSend): { readonly isLeased?: true } {
  return isNew && deliveries.some(({ lease }) => lease !== undefined) ? { isLeased: true } : {};
}

/** The columns of a tracking that never change. */
export const PLANNED = ["tenant", "channel", "fallbackDelayMs", "scheduledAt", "inboxNeeds", "addresses"] as const;

/** The columns of a delivery that never change. */
export const NAMED = ["id", "tenant", "channel", "recipient", "recipientKind", "topic", "chain", "isFallback"] as const;

/** The state of the notification `id`, from its row. */
function toState(row: TrackingRow & { readonly id: string }): SendState {
  const { id, tenant, status, attempts, fallbackDelayMs, inboxNeeds, addresses } = row;
  return {
    ...{ tenant, id, status, attempts, fallbackUsed: Boolean(row.fallbackUsed), fallbackDelayMs, inboxNeeds, addresses },
    ...{ deliveredAt: toDate(row.deliveredAt), failedAt: toDate(row.failedAt) },
    chains: {
      pending: row.pendingChains,
      sent: row.sentChains,
      delivered: row.deliveredChains,
      failed: row.failedChains,
      cancelled: row.cancelledChains,
      skipped: row.skippedChains,
    },
  };
}

/** A notification's tracking with some of its chains, given their deliveries in order. */
export function loadedOf(
  tracking: TrackingRow & { readonly id: string },
  deliveries: readonly (DeliveryRow & { readonly isRead: boolean | number })[],
): LoadedSend {
  const byChain = Map.groupBy(deliveries, ({ chain }) => chain);
  const chains = [...byChain.values()].map((chain) =>
    chain.map((row): LoadedDelivery => ({ ...toDelivery(row), isRead: Boolean(row.isRead) })),
  );
  return { state: toState(tracking), chains };
}

/** The tracking columns that a state changes, with its tenant and id. */
export function progressOf(
  state: SendState,
  updatedAt: Date,
): Omit<Tracking, Exclude<(typeof PLANNED)[number], "tenant">> & { readonly id: string } {
  const { id, tenant, status, attempts, fallbackUsed, deliveredAt, failedAt, chains } = state;
  return {
    ...{ id, tenant, status, attempts, fallbackUsed, deliveredAt, failedAt, updatedAt },
    pendingChains: chains.pending,
    sentChains: chains.sent,
    deliveredChains: chains.delivered,
    failedChains: chains.failed,
    cancelledChains: chains.cancelled,
    skippedChains: chains.skipped,
  };
}

/** A time that may be missing. */
export function toDate(timeMs: number | null): Date | null {
  return timeMs === null ? null : new Date(timeMs);
}
