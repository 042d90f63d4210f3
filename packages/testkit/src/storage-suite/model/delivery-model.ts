import type {
  AuditAction,
  AuditEntry,
  Delivery,
  DeliveryAttempt,
  DeliveryStatus,
  Notification,
  Send,
  SendDetails,
  SendStatus,
  TrackedDelivery,
} from "@belfry/core";
import type { ChainCounts, ChainOutcome, ClaimedDelivery, IdempotencyKey, NewSend, SendState } from "@belfry/core/storage";
import { InboxModel } from "./inbox-model.ts";

/** One delivery of the model. */
export type ModelDelivery = { -readonly [Field in keyof Delivery]: Delivery[Field] } & { readonly attempts: DeliveryAttempt[] };

/** One send of the model; its status is never kept, but seen from its deliveries. */
export interface ModelSend {
  readonly written: NewSend;
  notification: Notification;
  details: SendDetails | null;
  deliveries: readonly ModelDelivery[];
  attempts: number;
  fallbackUsed: boolean;
  deliveredAt: Date | null;
  failedAt: Date | null;
  updatedAt: Date;
}

/** An idempotency key that was used. */
interface KeptKey extends Pick<IdempotencyKey, "bodyHash"> {
  readonly notificationId: string;
  readonly at: Date;
  response: string | null;
}

/** Sends and deliveries as plain lists, with inboxes beside them: slow, and plainly right. What becomes of them is in `delivery-rules.ts`. */
export class DeliveryModel {
  readonly inbox = new InboxModel();
  readonly sends: ModelSend[] = [];
  /** Newest last. */
  readonly audit: Omit<AuditEntry, "number">[] = [];
  readonly #keys = new Map<string, KeptKey>();

  /** Null for a repetition that writes nothing; else the numbers of the items. */
  create(written: NewSend, at: Date): { readonly repeated: KeptKey } | { readonly seqs: readonly number[] } {
    const { notification, details, deliveries, idempotency, inboxRecipients, actor } = written;
    const known = this.find(notification.id);
    const key = JSON.stringify([notification.tenant, idempotency?.key]);
    const used = this.#keys.get(key);
    if (!known && idempotency && used) {
      return { repeated: used };
    }
    if (!known) {
      if (idempotency) {
        this.#keys.set(key, { ...idempotency, at, notificationId: notification.id });
      }
      const base = (written.scheduledAt ?? at).getTime();
      this.sends.push({
        ...{ written, notification, details, attempts: 0, fallbackUsed: false, deliveredAt: null, failedAt: null },
        deliveries: deliveries.map(({ dueInMs, digest: _, ...delivery }) => ({
          ...{ ...delivery, notificationId: notification.id, tenant: notification.tenant, reason: null, attempt: 0, attemptsBefore: 0 },
          ...{ dueAt: dueInMs === null ? null : new Date(base + dueInMs), leaseOwner: null, leaseUntil: null, fence: 0, settledAt: null },
          attempts: [],
        })),
        updatedAt: notification.createdAt,
      });
      this.log(notification, { action: "created", actor, at });
      this.inbox.place(notification, inboxRecipients, notification.createdAt);
    }
    return { seqs: this.inbox.place(notification, inboxRecipients, at) };
  }

  find(id: string): ModelSend | undefined {
    return this.sends.find(({ notification }) => notification.id === id);
  }

  of(tenant: string): readonly ModelSend[] {
    return this.sends.filter(({ notification }) => notification.tenant === tenant);
  }

  get deliveries(): readonly ModelDelivery[] {
    return this.sends.flatMap(({ deliveries }) => deliveries);
  }

  sendOf({ notificationId }: Delivery): ModelSend {
    const send = this.find(notificationId);
    if (!send) {
      throw new Error(`The model has a delivery without its send ${notificationId}.`);
    }
    return send;
  }

  log({ tenant, id }: Notification, { action, actor, at }: { action: AuditAction; actor: string; at: Date }): void {
    this.audit.push({ tenant, notificationId: id, action, actor, at, targetKind: null, targetId: null, details: null });
  }

  remove(send: ModelSend): void {
    this.sends.splice(this.sends.indexOf(send), 1);
  }

  /** Empties the answer that is kept for a send. */
  forgetAnswer(notificationId: string): void {
    for (const kept of this.#keys.values()) {
      kept.response = kept.notificationId === notificationId ? null : kept.response;
    }
  }

  pruneKeys(before: Date): void {
    for (const [key, { at }] of this.#keys) {
      if (at < before) {
        this.#keys.delete(key);
      }
    }
  }

  /** Whether the recipient of a delivery over the inbox has read its item. */
  isRead({ tenant, channel, recipient, notificationId }: Delivery): boolean {
    const isOf = (row: { tenant: string; userId: string; notification: Notification }) =>
      row.tenant === tenant && row.userId === recipient && row.notification.id === notificationId;
    return channel === "inbox" && this.inbox.rows.some((row) => isOf(row) && row.readAt !== null);
  }
}

/** The chains of a send, by their number, the primary delivery first. */
export function chainsOf({ deliveries }: ModelSend): readonly (readonly ModelDelivery[])[] {
  const inOrder = deliveries.toSorted((left, right) => left.chain - right.chain || Number(left.isFallback) - Number(right.isFallback));
  return [...Map.groupBy(inOrder, ({ chain }) => chain).values()];
}

/** The outcome of a chain: its best delivery. A waiting one counts as pending unless another did better. */
export function outcomeOf(chain: readonly { readonly status: DeliveryStatus }[]): ChainOutcome {
  const has = (...statuses: readonly DeliveryStatus[]) => chain.some(({ status }) => statuses.includes(status));
  if (has("delivered")) {
    return "delivered";
  }
  if (has("sent")) {
    return "sent";
  }
  if (has("pending", "waiting")) {
    return "pending";
  }
  if (has("failed")) {
    return "failed";
  }
  return has("skipped") ? "skipped" : "cancelled";
}

/** How many chains came to what. */
export function countsOf(send: ModelSend): ChainCounts {
  const counts = { pending: 0, sent: 0, delivered: 0, failed: 0, skipped: 0, cancelled: 0 };
  for (const chain of chainsOf(send)) {
    counts[outcomeOf(chain)] += 1;
  }
  return counts;
}

/** The status of the whole send. */
export function statusOf(send: ModelSend): SendStatus {
  const outcomes = chainsOf(send).map(outcomeOf);
  if (outcomes.includes("pending")) {
    return "pending";
  }
  const counting = outcomes.filter((outcome) => outcome !== "cancelled" && outcome !== "skipped");
  if (counting.length === 0) {
    return outcomes.every((outcome) => outcome === "skipped") ? "skipped" : "cancelled";
  }
  const all = (...wanted: readonly ChainOutcome[]) => counting.every((outcome) => wanted.includes(outcome));
  if (all("delivered")) {
    return "delivered";
  }
  if (all("sent", "delivered")) {
    return "sent";
  }
  return all("failed") ? "failed" : "partial";
}

/** The send as it is read. */
export function viewOf(send: ModelSend): Send {
  const { notification, written, attempts, fallbackUsed, deliveredAt, failedAt, updatedAt } = send;
  const { channel, fallbackDelayMs, scheduledAt } = written;
  const none = { channels: [channel], roomId: null, recipients: [], erasedRecipients: 0, hasFallback: false, meta: notification.data };
  return {
    ...{ ...notification, channel, fallbackDelayMs, scheduledAt },
    ...{ status: statusOf(send), attempts, fallbackUsed, deliveredAt, failedAt, updatedAt, ...(send.details ?? none) },
  };
}

/** The send as it is decided upon. */
export function stateOf(send: ModelSend): SendState {
  const { notification, written, attempts, fallbackUsed, deliveredAt, failedAt } = send;
  const { id, tenant } = notification;
  const { fallbackDelayMs, inboxNeeds, addresses } = written;
  const plan = { fallbackDelayMs, inboxNeeds, addresses };
  return { tenant, id, status: statusOf(send), chains: countsOf(send), attempts, fallbackUsed, ...plan, deliveredAt, failedAt };
}

/** A copy of a delivery's fields. */
export function deliveryOf({ attempts: _, ...delivery }: ModelDelivery): Delivery {
  return { ...delivery };
}

/** The deliveries of a send as they are read. */
export function trackedOf(send: ModelSend): readonly TrackedDelivery[] {
  return chainsOf(send)
    .flat()
    .map((delivery) => ({ ...delivery }));
}

/** The part of a leased delivery that its worker gets. */
export function claimedOf(send: ModelSend, delivery: ModelDelivery): ClaimedDelivery {
  const { notification, details, written } = send;
  const { roomId, meta } = details ?? { roomId: null, meta: notification.data };
  const isOnly = send.deliveries.length === 1;
  const known = { isOnly, scheduledAt: written.scheduledAt, roomId, meta, hasSuppressed: false };
  return { delivery: deliveryOf(delivery), notification, state: stateOf(send), ...known };
}
