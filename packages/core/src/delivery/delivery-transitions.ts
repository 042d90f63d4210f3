import type { SkipReason } from "../decisions/index.ts";
import type { Delivery, DeliveryStatus } from "./delivery.ts";
import { BY_OPERATOR } from "./pause.ts";
import { waitsInRow } from "./storage-waits.ts";

/** Whether a delivery can still be stopped: nobody is delivering it, alone or in a digest. */
export function isStoppable({ status, leaseOwner, reason }: Delivery): boolean {
  return status === "waiting" || (status === "pending" && leaseOwner === null && reason !== "bundled");
}

/** Cancels a delivery, unless it has settled or is on its way. */
export function stopped(delivery: Delivery, now: Date): Delivery {
  return isStoppable(delivery) ? settled(delivery, { status: "cancelled", now }) : delivery;
}

/** How a delivery settles. */
interface Settling extends Partial<Pick<Delivery, "reason" | "reasonSource">> {
  readonly status: DeliveryStatus;
  readonly now: Date;
}

/** Marks a delivery settled, cancelled included: nothing is due and nobody holds it. */
export function settled(delivery: Delivery, { status, reason = null, reasonSource = null, now }: Settling): Delivery {
  return Object.assign(plain(delivery), { status, reason, reasonSource, dueAt: null, leaseOwner: null, leaseUntil: null, settledAt: now });
}

/** Makes a delivery pending, to be attempted at `dueAt`. One that carries a digest goes on doing so. */
export function due(delivery: Delivery, dueAt: Date): Delivery {
  const idle = { leaseOwner: null, leaseUntil: null, settledAt: null };
  const { reason, reasonSource: source } = delivery;
  const isOver = source === BY_OPERATOR || waitsInRow(source) > 0;
  const carries = reason === "bundled" ? { reason, reasonSource: isOver ? null : source } : NO_REASON;
  return { ...plain(delivery), ...idle, status: "pending", ...carries, dueAt };
}

const NO_REASON = { reason: null, reasonSource: null } as const;

/** Puts a pending delivery into a digest that goes out: it carries the digest from `dueAt` on, or, with null, waits for the one that does. */
export function bundled(delivery: Delivery, dueAt: Date | null): Delivery {
  return { ...plain(delivery), reason: "bundled", dueAt };
}

/** Ends a claim without an attempt, as it was decided: the delivery is skipped, or waits. The attempt that the claim counted is given back. */
export function ruled(delivery: Delivery, ruling: Ruling | UnbegunWait, now: Date): Delivery {
  const { source: reasonSource } = ruling;
  const dueAt = (wait: Exclude<typeof ruling, { outcome: "skip" }>) => ("inMs" in wait ? new Date(now.getTime() + wait.inMs) : wait.dueAt);
  const after = ruling.outcome === "skip" ? settled(delivery, { status: "skipped", now }) : due(delivery, dueAt(ruling));
  // One that carries a digest goes on doing so when the wait is over.
  const reason = ruling.outcome === "wait" && after.reason === "bundled" ? after.reason : ruling.reason;
  return { ...after, reason, reasonSource, attempt: delivery.attempt - 1 };
}

/** A decision on a claimed delivery that stands against its attempt. */
export type Ruling =
  | { readonly outcome: "skip"; readonly reason: SkipReason; readonly source: string }
  | { readonly outcome: "wait"; readonly dueAt: Date; readonly reason: "quiet_hours" | "paused" | null; readonly source: string };

/** A wait from the storage's time on, which a process may be ahead of. */
export type UnbegunWait = Omit<Extract<Ruling, { readonly outcome: "wait" }>, "dueAt"> & { readonly inMs: number };

/** Returns a copy of a delivery without the fields that loading added. It is written out, since every attempt needs one. */
function plain(delivery: Delivery): Delivery {
  return {
    id: delivery.id,
    notificationId: delivery.notificationId,
    tenant: delivery.tenant,
    channel: delivery.channel,
    recipient: delivery.recipient,
    chain: delivery.chain,
    isFallback: delivery.isFallback,
    recipientKind: delivery.recipientKind,
    topic: delivery.topic,
    status: delivery.status,
    reason: delivery.reason,
    reasonSource: delivery.reasonSource,
    attempt: delivery.attempt,
    attemptsBefore: delivery.attemptsBefore,
    dueAt: delivery.dueAt,
    leaseOwner: delivery.leaseOwner,
    leaseUntil: delivery.leaseUntil,
    fence: delivery.fence,
    settledAt: delivery.settledAt,
  };
}
