import type { DeliveryOutcome } from "./channel.ts";
import type { Delivery, DeliveryAttempt, UnreachedReason } from "./delivery.ts";
import type { LoadedDelivery, LoadedSend, SendState } from "./delivery-storage.ts";
import { followPrimary } from "./fallbacks.ts";
import { type ChainChange, due, type Settlement, settleChains, settled } from "./settle-chains.ts";

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
