import type { JsonObject } from "../foundation/json.ts";
import type { DueWorker } from "../work/due-worker.ts";
import type { GivenLease, ReservedTask } from "../work/lending.ts";
import type { Delivery } from "./delivery.ts";
import type { ClaimedDelivery, SendState } from "./delivery-storage.ts";
import type { NewDelivery, NewSend, SendCreated } from "./new-send.ts";

/** A send some of whose deliveries have turns of this process's worker. */
export interface SendWithTurns {
  /** As it is to be written: with the leases of these deliveries. */
  readonly send: NewSend;
  /** Begins them if they were written so. Otherwise, also with null for a failure, it gives the turns back. */
  settle(created: SendCreated | null): void;
}

/** A send that is to be written. */
export interface WaitingSend {
  readonly plain: NewSend;
  /** The same with turns of the worker; null while it has none. */
  withTurns: SendWithTurns | null;
}

/**
 * Reserves turns for what a send has due at once, so that it is written with the worker's leases, and saves the claim. A claim comes
 * before its effects all the same: nothing begins before the commit, and whoever dies in between leaves leases that run out. Returns null
 * if there are no turns.
 */
export function reserveTurns(worker: Pick<DueWorker<ClaimedDelivery>, "reserve"> | null, send: NewSend): SendWithTurns | null {
  if (worker === null || send.scheduledAt !== null || send.throttles !== null || send.fanOut !== undefined || send.audience !== undefined) {
    return null;
  }
  const reserved: ReservedTask[] = [];
  let content: SharedContent | undefined;
  const claimed = (delivery: NewDelivery, lease: GivenLease) => {
    content ??= contentOf(send);
    return claimedOf(content, delivery, lease);
  };
  const deliveries = send.deliveries.map((delivery) => {
    const turn = isDueAtOnce(delivery) ? worker.reserve((lease) => claimed(delivery, lease)) : null;
    if (turn === null) {
      return delivery;
    }
    reserved.push(turn);
    return { ...delivery, lease: turn.lease };
  });
  if (reserved.length === 0) {
    return null;
  }
  const settle = (created: SendCreated | null) => {
    const isLeased = created?.kind === "created" && created.isLeased === true;
    for (const { begin, giveUp } of reserved) {
      (isLeased ? begin : giveUp)();
    }
  };
  return { send: { ...send, deliveries }, settle };
}

/** Whether all deliveries of a send that are to be made were written with leases, so that there is nothing to look for. */
export function isAllUnderWay({ deliveries }: NewSend, created: SendCreated): boolean {
  return (
    created.kind === "created" &&
    created.isLeased === true &&
    deliveries.every(({ status, lease }) => status === "skipped" || lease !== undefined)
  );
}

function isDueAtOnce({ status, dueInMs, digest, reason }: NewDelivery): boolean {
  return status === "pending" && dueInMs === 0 && digest === null && reason === null;
}

/** What the deliveries of a send share. There may be many, and its data may be long. */
type SharedContent = Omit<ClaimedDelivery, "delivery">;

function contentOf(send: NewSend): SharedContent {
  // Copies, as of what is read: the caller has the others, and may change them.
  const notification = { ...send.notification, data: copyOf(send.notification.data) };
  return {
    notification,
    state: stateOf(send),
    isOnly: send.deliveries.length === 1,
    scheduledAt: null,
    roomId: send.details?.roomId ?? null,
    meta: send.details === null ? notification.data : copyOf(send.details.meta),
  };
}

/** The delivery as a claim right after the commit would read it. */
function claimedOf(content: SharedContent, given: NewDelivery, { owner, leaseMs }: GivenLease): ClaimedDelivery {
  const { id: notificationId, tenant, createdAt } = content.notification;
  const { digest: _, dueInMs: __, lease: ___, ...named } = given;
  const delivery: Delivery = {
    ...{ ...named, notificationId, tenant },
    status: "pending",
    attempt: 1,
    attemptsBefore: 0,
    dueAt: createdAt,
    leaseOwner: owner,
    leaseUntil: new Date(createdAt.getTime() + leaseMs),
    fence: 1,
    settledAt: null,
  };
  return { ...content, delivery };
}

function stateOf({ notification: { tenant, id }, deliveries, fallbackDelayMs, inboxNeeds, addresses }: NewSend): SendState {
  const written = deliveries.filter(({ status }) => status !== "skipped");
  const chains = { pending: new Set(written.map(({ chain }) => chain)).size, skipped: deliveries.length - written.length };
  return {
    ...{ tenant, id, status: "pending", attempts: 0, fallbackUsed: false, fallbackDelayMs, inboxNeeds, addresses },
    ...{ deliveredAt: null, failedAt: null },
    chains: { ...chains, sent: 0, delivered: 0, failed: 0, cancelled: 0 },
  };
}

function copyOf(json: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(json)) as JsonObject;
}
