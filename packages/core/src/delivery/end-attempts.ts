import type { LostLease } from "../work/lease-storage.ts";
import { type ChainChange, followPrimary, type Settlement, settleChains } from "./chains.ts";
import type { DeliveryOutcome } from "./channel.ts";
import type { Delivery, DeliveryAttempt, UnreachedReason } from "./delivery.ts";
import type { LoadedDelivery, LoadedSend, SendState } from "./delivery-storage.ts";
import { due, type Ruling, ruled, settled, type UnbegunWait } from "./delivery-transitions.ts";
import type { StoredBundle } from "./digest-storage.ts";
import { type HardBounce, withHardBounces } from "./hard-bounces.ts";
import { keptExchange, short } from "./kept-exchange.ts";
import { type CarriedBundle, heirOf, settleBundles } from "./settle-bundles.ts";

/** The lost leases, and the number of attempts of each channel. */
export interface LostDeliveries {
  /** By delivery. */
  readonly lost: ReadonlyMap<string, LostLease>;
  readonly leaseMs: number;
  attemptsOf(channel: string): number;
  /** The digests that some of them carried. @default none */
  readonly bundles?: readonly StoredBundle[];
}

/**
 * Takes deliveries back from lost workers. The recipient may or may not have been reached. The attempt is kept as `unknown`
 * and counts, so that a delivery that kills its worker is not retried for ever.
 */
export function endLostLeases(loaded: readonly LoadedSend[], now: Date, leases: LostDeliveries): Settlement {
  const endOf = (delivery: LoadedDelivery): End | null =>
    isLost(delivery, leases.lost.get(delivery.id))
      ? { after: endedAsLost(delivery, now, leases), attempt: unknownAttempt(delivery, now, leases), wasHandedIn: true }
      : null;
  return endInChains(loaded, now, { endOf, bundles: leases.bundles });
}

/** The end of a claim: the delivery after it, and the attempt to keep. */
interface End {
  readonly after: Delivery;
  /** Null if none was begun. */
  readonly attempt: DeliveryAttempt | null;
  /** Whether its channel was called. */
  readonly wasHandedIn: boolean;
}

/** How attempts ended, and the digests that some of the deliveries carried. */
interface Ending {
  endOf(delivery: LoadedDelivery): End | null;
  readonly bundles: readonly StoredBundle[] | undefined;
}

/** Ends attempts of the loaded deliveries; their fallbacks follow, and what was in a digest with them. */
function endInChains(loaded: readonly LoadedSend[], now: Date, { endOf, bundles = [] }: Ending): Settlement {
  const end = (chain: readonly LoadedDelivery[], send: SendState): ChainChange | null => {
    const [only] = chain;
    if (only !== undefined && chain.length === 1) {
      return endAlone(only, endOf(only));
    }
    const ends = chain.map(endOf);
    if (ends.every((one) => one === null)) {
      return null;
    }
    const attempts = ends.flatMap((one) => one?.attempt ?? []);
    const changed = chain.map((delivery, index) => ends[index]?.after ?? delivery);
    return {
      chain: chain.some((one, index) => !one.isFallback && changed[index] !== one) ? followPrimary(changed, send, now) : changed,
      attempts,
      usesFallback: chain.some(({ isFallback }, index) => isFallback && ends[index]?.wasHandedIn),
      shownAttempts: Math.max(0, ...attempts.map(({ attempt }) => attempt)),
    };
  };
  return bundles.length === 0 ? settleChains(loaded, now, end) : settleBundles(loaded, now, { end, bundles });
}

/** The change to a chain of one delivery, which nothing follows: most chains are that. */
function endAlone({ isFallback }: LoadedDelivery, end: End | null): ChainChange | null {
  if (end === null) {
    return null;
  }
  const { after, attempt, wasHandedIn } = end;
  return {
    chain: [after],
    attempts: attempt === null ? [] : [attempt],
    usesFallback: isFallback && wasHandedIn,
    shownAttempts: attempt?.attempt ?? 0,
  };
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
    exchange: null,
  };
}

/** An attempt that has ended, as the worker that made it reports it. */
export interface EndedAttempt extends Pick<DeliveryAttempt, "deliveryId" | "startedAt" | "finishedAt"> {
  readonly fence: number;
  readonly outcome: DeliveryOutcome;
  /** Whether its channel was called. It is not where there is no channel or no address. */
  readonly wasHandedIn: boolean;
  /** What its channel said of the address, if nobody is there for good. @default nothing */
  readonly bounced?: HardBounce | null | undefined;
  /** The reason it failed, if a later read still counts. */
  readonly reason: UnreachedReason | null;
  /** The milliseconds until the next attempt after a failure; null when there is none. */
  readonly retryInMs: number | null;
}

/** The hard bounce that ended an attempt; null for none. */
export function bouncedBy(ended: EndedAttempt | RuledAttempt | undefined): HardBounce | null {
  return ended !== undefined && "outcome" in ended ? (ended.bounced ?? null) : null;
}

/** An attempt that was not begun, because it was decided so when its delivery was claimed. */
export interface RuledAttempt extends Pick<EndedAttempt, "deliveryId" | "fence"> {
  readonly ruling: Ruling | UnbegunWait;
}

/** Attempts of one worker that have ended, by delivery. */
export interface EndedBy {
  readonly owner: string;
  readonly byId: ReadonlyMap<string, EndedAttempt | RuledAttempt>;
  /** The digests that some of them carried. @default none */
  readonly bundles?: readonly CarriedBundle[];
}

/**
 * Settles deliveries by the results of their attempts. An attempt whose lease was lost changes nothing. The attempt of a digest whose
 * carrier was deleted meanwhile counts as one of another entry.
 */
export function endAttempts(loaded: readonly LoadedSend[], now: Date, { owner, byId, bundles = [] }: EndedBy): Settlement {
  const heirs = new Map(
    bundles.flatMap((bundle) => {
      const heir = heirOf(bundle, loaded);
      return heir === null ? [] : [[heir.id, bundle.carrier] as const];
    }),
  );
  const endOf = (delivery: LoadedDelivery): End | null => {
    const carrier = heirs.get(delivery.id);
    const ended = byId.get(carrier?.id ?? delivery.id);
    if (ended === undefined) {
      return null;
    }
    if (carrier !== undefined) {
      return endBy({ ...delivery, attempt: carrier.attempt }, ended, now);
    }
    return delivery.leaseOwner === owner && delivery.fence === ended.fence ? endBy(delivery, ended, now) : null;
  };
  const settlement = endInChains(loaded, now, { endOf, bundles });
  return withHardBounces(settlement, (id) => bouncedBy(byId.get(heirs.get(id)?.id ?? id)));
}

function endBy(delivery: LoadedDelivery, ended: EndedAttempt | RuledAttempt, now: Date): End {
  if ("ruling" in ended) {
    return { after: ruled(delivery, ended.ruling, now), attempt: null, wasHandedIn: false };
  }
  return { after: afterAttempt(delivery, ended, now), attempt: recordOf(delivery, ended), wasHandedIn: ended.wasHandedIn };
}

function afterAttempt(delivery: LoadedDelivery, { outcome, reason, retryInMs }: EndedAttempt, now: Date): Delivery {
  if (delivery.isRead || outcome.status !== "failed") {
    // A user who has read the item has it, whatever the socket said.
    return settled(delivery, { status: delivery.isRead ? "delivered" : outcome.status, now });
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
    exchange: keptExchange(outcome.exchange),
  };
}
