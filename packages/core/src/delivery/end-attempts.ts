import type { LostLease } from "../work/lease-storage.ts";
import { type ChainChange, due, followPrimary, type Settlement, settleChains, settled } from "./chains.ts";
import type { DeliveryOutcome } from "./channel.ts";
import type { Delivery, DeliveryAttempt, UnreachedReason } from "./delivery.ts";
import type { Endpoint, LoadedDelivery, LoadedSend, SendState } from "./delivery-storage.ts";
import { endpointKey } from "./endpoints.ts";

const REST_MS = 24 * 60 * 60 * 1_000;
const MAX_ENDPOINTS = 10_000;

/**
 * Endpoints that said they are gone for good, as a webhook's receiver does by 410: for a day nothing is attempted to them.
 * Kept by this process alone; after a restart an endpoint says it once more.
 */
export class GoneEndpoints {
  readonly #untilMs = new Map<string, number>();

  note(endpoint: Endpoint, nowMs: number): void {
    const key = endpointKey(endpoint);
    this.#untilMs.delete(key);
    this.#untilMs.set(key, nowMs + REST_MS);
    const [oldest] = this.#untilMs.keys();
    if (this.#untilMs.size > MAX_ENDPOINTS && oldest !== undefined) {
      this.#untilMs.delete(oldest);
    }
  }

  /** Forgets an endpoint that has answered again. */
  forget(endpoint: Endpoint): void {
    this.#untilMs.delete(endpointKey(endpoint));
  }

  /** Returns the end of an endpoint's pause, or null. */
  until(endpoint: Endpoint, nowMs: number): Date | null {
    const untilMs = this.#untilMs.get(endpointKey(endpoint)) ?? 0;
    return untilMs > nowMs ? new Date(untilMs) : null;
  }
}

/** The lost leases, and the number of attempts of each channel. */
export interface LostDeliveries {
  /** By delivery. */
  readonly lost: ReadonlyMap<string, LostLease>;
  readonly leaseMs: number;
  attemptsOf(channel: string): number;
}

/**
 * Takes deliveries back from lost workers. The recipient may or may not have been reached. The attempt is kept as `unknown`
 * and counts, so that a delivery that kills its worker is not retried for ever.
 */
export function endLostLeases(loaded: readonly LoadedSend[], now: Date, leases: LostDeliveries): Settlement {
  return settleChains(loaded, now, (chain, send) => {
    const lost = chain.filter((delivery) => isLost(delivery, leases.lost.get(delivery.id)));
    if (lost.length === 0) {
      return null;
    }
    const changed = chain.map((delivery) => (lost.includes(delivery) ? endedAsLost(delivery, now, leases) : delivery));
    return {
      chain: changed[0] === chain[0] ? changed : followPrimary(changed, send, now),
      attempts: lost.map((delivery) => unknownAttempt(delivery, now, leases)),
      shownAttempts: Math.max(...lost.map(({ attempt }) => attempt)),
    };
  });
}

/** Whether the lease is still the one that was lost: its holder may have ended or renewed it since. */
function isLost({ leaseOwner, leaseUntil, fence }: Delivery, lease: LostLease | undefined): boolean {
  return lease?.owner === leaseOwner && lease?.fence === fence && lease?.until.getTime() === leaseUntil?.getTime();
}

function endedAsLost(delivery: LoadedDelivery, now: Date, { attemptsOf }: LostDeliveries): Delivery {
  if (delivery.isRead) {
    return settled(delivery, { status: "delivered", now });
  }
  const isLast = delivery.attempt - delivery.attemptsBefore >= attemptsOf(delivery.channel);
  return isLast ? settled(delivery, { status: "failed", now }) : due(delivery, now);
}

function unknownAttempt(delivery: Delivery, now: Date, { leaseMs }: LostDeliveries): DeliveryAttempt {
  const startedAt = new Date(Math.min(now.getTime(), (delivery.leaseUntil?.getTime() ?? now.getTime()) - leaseMs));
  return {
    deliveryId: delivery.id,
    attempt: delivery.attempt,
    status: "unknown",
    startedAt,
    finishedAt: now,
    provider: "",
    response: null,
    messageId: null,
    error: "The process that made this attempt was lost before it ended.",
    note: null,
    isTransient: true,
  };
}

const MAX_TEXT = 1_000;

/** An attempt that has ended, as the worker that made it reports it. */
export interface EndedAttempt {
  readonly deliveryId: string;
  readonly fence: number;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly outcome: DeliveryOutcome;
  /** The reason it failed, if a later read still counts. */
  readonly reason: UnreachedReason | null;
  /** The milliseconds until the next attempt after a failure; null when there is none. */
  readonly retryInMs: number | null;
}

/** Attempts of one worker that have ended, by delivery. */
export interface EndedBy {
  readonly owner: string;
  readonly byId: ReadonlyMap<string, EndedAttempt>;
}

/** The changes from ended attempts, and the accepted attempts. An attempt whose lease was lost is not accepted. */
export interface EndedAttempts extends Settlement {
  readonly accepted: ReadonlySet<string>;
}

/** Settles deliveries by the results of their attempts. */
export function endAttempts(loaded: readonly LoadedSend[], now: Date, ended: EndedBy): EndedAttempts {
  const accepted = new Set<string>();
  const settlement = settleChains(loaded, now, (chain, send) => {
    const attempts = chain.flatMap((delivery) => {
      const attempt = ended.byId.get(delivery.id);
      return attempt && delivery.leaseOwner === ended.owner && delivery.fence === attempt.fence ? [{ delivery, attempt }] : [];
    });
    for (const { delivery } of attempts) {
      accepted.add(delivery.id);
    }
    return attempts.length === 0 ? null : endInChain(chain, attempts, { send, now });
  });
  return { ...settlement, accepted };
}

function endInChain(
  chain: readonly LoadedDelivery[],
  attempts: readonly { readonly delivery: LoadedDelivery; readonly attempt: EndedAttempt }[],
  { send, now }: { readonly send: SendState; readonly now: Date },
): ChainChange {
  const ended = new Map(attempts.map(({ delivery, attempt }) => [delivery.id, attempt]));
  const changed = chain.map((delivery) => {
    const attempt = ended.get(delivery.id);
    return attempt ? afterAttempt(delivery, attempt, now) : delivery;
  });
  return {
    chain: changed[0] === chain[0] ? changed : followPrimary(changed, send, now),
    attempts: attempts.map(({ delivery, attempt }) => recordOf(delivery, attempt)),
    shownAttempts: Math.max(...attempts.map(({ delivery }) => delivery.attempt)),
  };
}

function afterAttempt(delivery: LoadedDelivery, { outcome, reason, retryInMs }: EndedAttempt, now: Date): Delivery {
  if (outcome.status !== "failed") {
    // A user who has read the item has it, whatever the socket said.
    return settled(delivery, { status: delivery.isRead ? "delivered" : outcome.status, now });
  }
  if (delivery.isRead) {
    return settled(delivery, { status: "delivered", now });
  }
  if (outcome.transient && retryInMs !== null) {
    return due(delivery, new Date(now.getTime() + retryInMs));
  }
  return settled(delivery, { status: "failed", reason, now });
}

function recordOf(delivery: Delivery, { outcome, startedAt, finishedAt }: EndedAttempt): DeliveryAttempt {
  const failed = outcome.status === "failed";
  return {
    deliveryId: delivery.id,
    attempt: delivery.attempt,
    status: outcome.status,
    startedAt,
    finishedAt,
    provider: short(outcome.provider) ?? "",
    response: short(outcome.response),
    messageId: failed ? null : short(outcome.messageId),
    error: failed ? short(outcome.error) : null,
    note: failed ? null : short(outcome.note),
    isTransient: failed && outcome.transient,
  };
}

/** A provider's words may be of any length and hold what no database keeps. */
function short(text: string | undefined): string | null {
  return text === undefined ? null : text.slice(0, MAX_TEXT).replaceAll("\u0000", "").toWellFormed();
}
