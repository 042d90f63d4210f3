import type { Delivery, DeliveryAttempt, Owner, SendChanged } from "@belfry/core";
import type { EndedAttempt } from "@belfry/core/storage";
import { chainsOf, type DeliveryModel, type ModelDelivery, type ModelSend, outcomeOf, statusOf } from "./delivery-model.ts";

/** How often a delivery over any channel of the model is attempted before a lost worker is its end. */
export const MAX_ATTEMPTS = 3;

const isStoppable = ({ status, leaseOwner }: ModelDelivery) => status === "waiting" || (status === "pending" && leaseOwner === null);

/** Claiming: the attempt and the fence count before anything is delivered. */
export function lease(delivery: ModelDelivery, { owner, until }: { readonly owner: string; readonly until: Date }): void {
  Object.assign(delivery, { leaseOwner: owner, leaseUntil: until, attempt: delivery.attempt + 1, fence: delivery.fence + 1 });
}

/** Ends an attempt of somebody who still holds the lease; false if that is over. */
export function endAttempt(model: DeliveryModel, ended: EndedAttempt, { owner, now }: { owner: string; now: Date }): boolean {
  const delivery = model.deliveries.find(({ id }) => id === ended.deliveryId);
  if (delivery?.leaseOwner !== owner || delivery.fence !== ended.fence) {
    return false;
  }
  const { outcome, retryInMs } = ended;
  const isFailed = outcome.status === "failed";
  delivery.attempts.push({
    deliveryId: delivery.id,
    attempt: delivery.attempt,
    status: outcome.status,
    startedAt: ended.startedAt,
    finishedAt: ended.finishedAt,
    provider: outcome.provider,
    response: outcome.response ?? null,
    messageId: isFailed ? null : (outcome.messageId ?? null),
    error: isFailed ? outcome.error : null,
    note: isFailed ? null : (outcome.note ?? null),
    isTransient: isFailed && outcome.transient,
    exchange: null,
  });
  if (model.isRead(delivery)) {
    settle(delivery, "delivered", now);
  } else if (!isFailed) {
    settle(delivery, outcome.status, now);
  } else if (outcome.transient && retryInMs !== null) {
    becomeDue(delivery, new Date(now.getTime() + retryInMs));
  } else {
    settle(delivery, "failed", now);
    delivery.reason = ended.reason;
  }
  afterAttempt(model.sendOf(delivery), delivery, { now, wasHandedIn: ended.wasHandedIn });
  return true;
}

/** The result of erasing some chains. */
interface Erased {
  readonly removed: number;
  readonly isDone: boolean;
  readonly sends: readonly SendChanged[];
}

/** Erases the first chains of a recipient. */
export function erase(model: DeliveryModel, { tenant, userId }: Owner, { limit, now }: { limit: number; now: Date }): Erased {
  const own = model
    .of(tenant)
    .flatMap((send) => chainsOf(send).flatMap((chain) => (chain[0]?.recipient === userId ? [{ send, chain }] : [])));
  const taken = own.slice(0, limit);
  const sends: SendChanged[] = [];
  for (const [send, chains] of Map.groupBy(taken, (one) => one.send)) {
    const gone = new Set(chains.flatMap(({ chain }) => chain));
    const from = statusOf(send);
    send.deliveries = send.deliveries.filter((delivery) => !gone.has(delivery));
    model.forgetAnswer(send.notification.id);
    if (send.deliveries.length === 0) {
      model.remove(send);
      continue;
    }
    if (send.details?.recipients.includes(userId)) {
      const { recipients, erasedRecipients } = send.details;
      send.details = { ...send.details, recipients: recipients.filter((one) => one !== userId), erasedRecipients: erasedRecipients + 1 };
    }
    touch(send, now);
    const to = statusOf(send);
    sends.push(...(from === to ? [] : [{ tenant, id: send.notification.id, from, to }]));
  }
  return { removed: taken.flatMap(({ chain }) => chain).length, isDone: taken.length < limit, sends };
}

/** Takes a delivery back from a worker that was lost. */
export function endLost(model: DeliveryModel, delivery: ModelDelivery, { now, leaseMs }: { now: Date; leaseMs: number }): void {
  const begunMs = (delivery.leaseUntil?.getTime() ?? 0) - leaseMs;
  delivery.attempts.push({
    ...{ deliveryId: delivery.id, attempt: delivery.attempt, status: "unknown", provider: "", response: null, messageId: null, note: null },
    ...{ startedAt: new Date(Math.min(now.getTime(), begunMs)), finishedAt: now, isTransient: true, exchange: null },
    error: "The process that made this attempt was lost before it ended.",
  } satisfies DeliveryAttempt);
  if (model.isRead(delivery)) {
    settle(delivery, "delivered", now);
  } else if (delivery.attempt - delivery.attemptsBefore >= MAX_ATTEMPTS) {
    settle(delivery, "failed", now);
  } else {
    becomeDue(delivery, now);
  }
  afterAttempt(model.sendOf(delivery), delivery, { now, wasHandedIn: true });
}

/** Lets a fallback that has waited long enough step in, unless its primary is still to be attempted, or the user came. */
export function endWait(model: DeliveryModel, chain: readonly ModelDelivery[], now: Date): boolean {
  const [primary, ...fallbacks] = chain;
  if (!primary || primary.status === "pending") {
    return false;
  }
  if (model.isRead(primary) || primary.status === "delivered" || primary.status === "cancelled") {
    if (model.isRead(primary) && primary.status !== "delivered") {
      settle(primary, "delivered", now);
    }
    stop(fallbacks, now);
    return touch(model.sendOf(primary), now);
  }
  if (primary.status === "sent") {
    settle(primary, "failed", now);
    primary.reason = "no_ack";
  }
  for (const fallback of fallbacks) {
    if (fallback.status === "waiting" && (fallback.dueAt === null || fallback.dueAt <= now)) {
      becomeDue(fallback, now);
    }
  }
  return touch(model.sendOf(primary), now);
}

/** Stops everything of a send, or nothing. */
export function cancel(send: ModelSend, now: Date): boolean {
  if (!send.deliveries.every(isStoppable)) {
    return false;
  }
  stop(send.deliveries, now);
  return touch(send, now);
}

/** Has what failed of a send tried again, on a fresh schedule. */
export function retry(send: ModelSend, now: Date): boolean {
  const status = statusOf(send);
  if (status !== "failed" && status !== "partial") {
    return false;
  }
  for (const [primary, ...fallbacks] of chainsOf(send).filter((chain) => outcomeOf(chain) === "failed")) {
    if (!primary) {
      continue;
    }
    send.attempts = Math.max(send.attempts, primary.attempt + 1);
    const { fallbackDelayMs } = send.written;
    const waitsForReader = primary.channel === "inbox" && fallbackDelayMs > 0;
    becomeDue(primary, now);
    for (const fallback of fallbacks) {
      becomeDue(fallback, now);
      fallback.status = "waiting";
      fallback.dueAt = waitsForReader ? new Date(now.getTime() + fallbackDelayMs) : null;
    }
    for (const delivery of [primary, ...fallbacks]) {
      delivery.attemptsBefore = delivery.attempt;
    }
  }
  return touch(send, now);
}

/** Takes the user's word that a delivery over the inbox arrived; not before its schedule. */
export function acknowledge(send: ModelSend, primary: ModelDelivery, now: Date): void {
  const isScheduled = primary.status === "pending" && primary.leaseOwner === null && primary.dueAt !== null && primary.dueAt > now;
  if (isScheduled || !["pending", "sent", "failed"].includes(primary.status)) {
    return;
  }
  settle(primary, "delivered", now);
  stop(
    send.deliveries.filter(({ chain, isFallback }) => chain === primary.chain && isFallback),
    now,
  );
  touch(send, now);
}

/** Stamps a send whose deliveries have changed. */
export function touch(send: ModelSend, now: Date): true {
  const status = statusOf(send);
  send.deliveredAt = status === "delivered" ? (send.deliveredAt ?? now) : null;
  send.failedAt = status === "failed" ? (send.failedAt ?? now) : null;
  send.updatedAt = now;
  return true;
}

/** An attempt has ended: the send shows it, and, of a primary delivery, the fallbacks follow. */
function afterAttempt(
  send: ModelSend,
  delivery: ModelDelivery,
  { now, wasHandedIn }: { readonly now: Date; readonly wasHandedIn: boolean },
): void {
  send.attempts = Math.max(send.attempts, delivery.attempt);
  send.fallbackUsed ||= delivery.isFallback && wasHandedIn;
  if (!delivery.isFallback) {
    const fallbacks = send.deliveries.filter(({ chain, isFallback }) => chain === delivery.chain && isFallback);
    follow(delivery, fallbacks, { delayMs: send.written.fallbackDelayMs, now });
  }
  touch(send, now);
}

function follow(primary: ModelDelivery, fallbacks: readonly ModelDelivery[], { delayMs, now }: { delayMs: number; now: Date }): void {
  const waiting = fallbacks.filter(({ status }) => status === "waiting");
  if (primary.status === "delivered") {
    stop(fallbacks, now);
  } else if (primary.status === "failed") {
    const mayStillCome = primary.channel === "inbox" && primary.reason === "offline" && delayMs > 0;
    for (const fallback of mayStillCome ? [] : waiting) {
      becomeDue(fallback, now);
    }
  } else if (primary.status === "sent" && primary.channel === "inbox" && delayMs === 0) {
    stop(waiting, now);
  }
}

function stop(deliveries: readonly ModelDelivery[], now: Date): void {
  for (const delivery of deliveries.filter(isStoppable)) {
    settle(delivery, "cancelled", now);
  }
}

function settle(delivery: ModelDelivery, status: Delivery["status"], now: Date): void {
  Object.assign(delivery, { status, reason: null, dueAt: null, leaseOwner: null, leaseUntil: null, settledAt: now });
}

function becomeDue(delivery: ModelDelivery, dueAt: Date): void {
  Object.assign(delivery, { status: "pending", reason: null, dueAt, leaseOwner: null, leaseUntil: null, settledAt: null });
}
