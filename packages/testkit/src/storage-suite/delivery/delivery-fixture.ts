import type { Delivery, DeliveryAttempt, Notification, Send, SendDetails } from "@belfry/core";
import type { NewAuditEntry, NewDelivery, NewSend, SendState } from "@belfry/core/storage";
import { at, type Fixture } from "../fixture.ts";
import type { Full } from "../full.ts";
import { fullNotification } from "../inbox/inbox-fixture.ts";

/** The id of something that belongs to `notification`, told apart by one hexadecimal digit. */
function idBeside(notification: Notification, digit: string): string {
  return `${notification.id.slice(0, -1)}${digit}`;
}

/** A send of the test's tenant with no field at its default: one fallback that is due, without its primary. */
export function fullSend(fixture: Fixture) {
  const notification: Full<Notification> = { ...fullNotification(fixture), kind: "send" };
  const details: Full<SendDetails> = {
    channels: ["webhook", "email"],
    roomId: "full room",
    recipients: ["ann", "bob"],
    erasedRecipients: 3,
    hasFallback: true,
    meta: { full: ["meta", 2.5] },
  };
  // What has a lease has a fence of its own: see the tests of leases.
  const delivery: Full<Omit<NewDelivery, "digest" | "lease">> & Pick<NewDelivery, "digest"> = {
    id: idBeside(notification, notification.id.endsWith("a") ? "b" : "a"),
    channel: "email",
    recipient: "ann@x.example",
    chain: 3,
    isFallback: true,
    recipientKind: "user",
    topic: "full/topic",
    status: "pending",
    reason: "quiet_hours",
    reasonSource: "full decision",
    dueInMs: 4_321,
    digest: null,
  };
  const send = {
    ...{ notification, channel: "webhook", fallbackDelayMs: 1_234, scheduledAt: at(500), details },
    ...({ inboxNeeds: "item", addresses: "shared" } as const),
    deliveries: [delivery],
    inboxRecipients: ["cat"],
    idempotency: { key: `full key ${notification.id}`, bodyHash: "full hash", response: "full response" },
    actor: "full actor",
  };
  const question = { userId: "ann", type: notification.type, channel: "email", max: 3, perMs: 4 };
  return {
    ...send,
    throttles: { questions: [question], decided: () => ({ ...send, throttles: null }) },
    // One with a fan-out has no deliveries of its own: see the tests of fan-outs.
  } satisfies Full<Omit<NewSend, "fanOut" | "audience" | "everyone">>;
}

/** The send's state after everything that can happen to it. */
export function fullState(send: NewSend): Full<SendState> {
  return {
    tenant: send.notification.tenant,
    id: send.notification.id,
    status: "partial",
    chains: { pending: 5, sent: 6, delivered: 7, failed: 8, skipped: 10, cancelled: 9 },
    attempts: 11,
    fallbackUsed: true,
    fallbackDelayMs: send.fallbackDelayMs,
    inboxNeeds: send.inboxNeeds,
    addresses: send.addresses,
    deliveredAt: at(601),
    failedAt: at(602),
  };
}

/** The send as it is read in that state. */
export function fullSendRead(send: ReturnType<typeof fullSend>, state: Full<SendState>, updatedAt: Date): Full<Send> {
  const { notification, details, channel, fallbackDelayMs, scheduledAt } = send;
  const { status, attempts, fallbackUsed, deliveredAt, failedAt } = state;
  const plan = { channel, fallbackDelayMs, scheduledAt };
  return { ...notification, ...plan, ...details, updatedAt, status, attempts, fallbackUsed, deliveredAt, failedAt };
}

/** The send's delivery, settled, with what its last lease left. */
export function fullDelivery({ notification, deliveries: [made] }: ReturnType<typeof fullSend>): Full<Delivery> {
  if (made === undefined) {
    throw new Error("The send has no delivery.");
  }
  const { id, channel, recipient, chain, isFallback, recipientKind, topic } = made;
  return {
    id,
    notificationId: notification.id,
    tenant: notification.tenant,
    channel,
    recipient,
    chain,
    isFallback,
    recipientKind,
    topic,
    status: "failed",
    reason: "no_ack",
    reasonSource: "full source",
    attempt: 5,
    attemptsBefore: 2,
    dueAt: at(701),
    leaseOwner: "full worker",
    leaseUntil: at(702),
    fence: 1,
    settledAt: at(703),
  };
}

/** An attempt at the delivery. */
export function fullAttempt(delivery: Delivery): Full<DeliveryAttempt> {
  return {
    deliveryId: delivery.id,
    attempt: 4,
    status: "unknown",
    startedAt: at(801),
    finishedAt: at(802),
    provider: "full provider",
    response: "full provider response",
    messageId: "full message id",
    error: "full error",
    note: "full note",
    isTransient: true,
    exchange: {
      request: {
        method: "POST",
        url: "https://full.example/",
        headers: { "content-type": "text/plain" },
        body: "full request",
        isCut: true,
      },
      response: { status: 500, headers: { server: "full" }, body: "full answer", isCut: false },
    },
  };
}

/** A line of the log on the notification. */
export function fullAudit(notificationId: string): Full<NewAuditEntry> {
  return {
    ...{ action: "retried", actor: "full auditor", notificationId },
    ...{ targetKind: "user", targetId: "full target", details: "full details" },
  };
}
