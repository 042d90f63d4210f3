import {
  type Delivery,
  type DeliveryAttempt,
  type LoadedDelivery,
  type LoadedSend,
  type NewSend,
  type Send,
  type SendChanges,
  type SendDetails,
  type SendState,
  sendStatus,
  type TrackedDelivery,
} from "../delivery/index.ts";
import type { JsonObject } from "../foundation/json.ts";
import { keepData, type MemoryNotification } from "./memory-notification.ts";

/** Whether the recipient of a delivery has read its inbox item. */
export type IsRead = (delivery: Delivery) => boolean;

/** A send as the memory storage keeps it. */
export class MemorySend {
  readonly kept: MemoryNotification;
  #details: SendDetails;
  #state: SendState;
  #updatedAt: Date;
  /** By chain, the primary delivery first. */
  readonly #deliveries: Delivery[];
  readonly #attempts = new Map<string, DeliveryAttempt[]>();

  constructor(kept: MemoryNotification, { details, deliveries }: NewSend, at: Date) {
    const { id, tenant, createdAt } = kept.notification;
    const base = (details.scheduledAt ?? at).getTime();
    this.kept = kept;
    this.#details = { ...details, meta: keepData(details.meta), recipients: [...details.recipients], channels: [...details.channels] };
    this.#updatedAt = createdAt;
    this.#deliveries = deliveries.map(({ dueInMs, ...delivery }) => ({
      ...delivery,
      notificationId: id,
      tenant,
      reason: null,
      attempt: 0,
      attemptsBefore: 0,
      dueAt: dueInMs === null ? null : new Date(base + dueInMs),
      leaseOwner: null,
      leaseUntil: null,
      fence: 0,
      settledAt: null,
    }));
    this.#deliveries.sort((left, right) => left.chain - right.chain || Number(left.isFallback) - Number(right.isFallback));
    const chains = { pending: new Set(deliveries.map(({ chain }) => chain)).size, sent: 0, delivered: 0, failed: 0, cancelled: 0 };
    const { fallbackDelayMs } = details;
    this.#state = {
      tenant,
      id,
      status: sendStatus(chains),
      chains,
      attempts: 0,
      fallbackUsed: false,
      fallbackDelayMs,
      deliveredAt: null,
      failedAt: null,
    };
  }

  get id(): string {
    return this.#state.id;
  }

  get details(): SendDetails {
    return { ...this.#details };
  }

  get deliveries(): readonly Delivery[] {
    return this.#deliveries;
  }

  view(): Send {
    const { type, title, message, createdAt } = this.kept.notification;
    const { tenant, id, status, attempts, fallbackUsed, deliveredAt, failedAt } = this.#state;
    return {
      ...this.#details,
      ...{ tenant, id, status, attempts, fallbackUsed, type },
      subject: title,
      content: message,
      deliveredAt: copy(deliveredAt),
      failedAt: copy(failedAt),
      createdAt: new Date(createdAt),
      updatedAt: new Date(this.#updatedAt),
    };
  }

  tracked(): readonly TrackedDelivery[] {
    return this.#deliveries.map((delivery) => ({ ...delivery, attempts: [...(this.#attempts.get(delivery.id) ?? [])] }));
  }

  /** The send with those of its chains that `wanted` takes a delivery of; null if there are none. */
  load(wanted: (delivery: Delivery) => boolean, isRead: IsRead): LoadedSend | null {
    const numbers = new Set(this.#deliveries.filter(wanted).map(({ chain }) => chain));
    if (numbers.size === 0) {
      return null;
    }
    const chains = [...numbers].map((number) =>
      this.#deliveries
        .filter(({ chain }) => chain === number)
        .map((delivery): LoadedDelivery => ({ ...delivery, isRead: isRead(delivery) })),
    );
    return { state: this.#state, chains };
  }

  replace(delivery: Delivery): void {
    const place = this.#deliveries.findIndex(({ id }) => id === delivery.id);
    if (place >= 0) {
      const { isRead: _, ...rest } = delivery as LoadedDelivery;
      this.#deliveries[place] = rest;
    }
  }

  addAttempt(attempt: DeliveryAttempt): void {
    this.#attempts.set(attempt.deliveryId, [...(this.#attempts.get(attempt.deliveryId) ?? []), attempt]);
  }

  setState(state: SendState, now: Date): void {
    this.#state = state;
    this.#updatedAt = now;
  }

  /** Changes what the notification says, in its inbox items too. */
  update({ subject, content, meta }: SendChanges, at: Date): void {
    const { notification } = this.kept;
    const changed: { title?: string; message?: string; data?: JsonObject } = {};
    if (subject !== undefined) {
      changed.title = subject;
    }
    if (content !== undefined) {
      changed.message = content;
    }
    if (meta !== undefined) {
      const { notification_type: _, ...data } = meta;
      changed.data = keepData(data as JsonObject);
      this.#details = { ...this.#details, meta: keepData(meta) };
    }
    Object.assign(notification, changed);
    this.#updatedAt = at;
  }
}

function copy(date: Date | null): Date | null {
  return date === null ? null : new Date(date);
}
