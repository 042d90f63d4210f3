import { INBOX_CHANNEL } from "../notifications/index.ts";
import {
  type ChainCounts,
  chainOutcome,
  type Delivery,
  type DeliveryAttempt,
  type DeliveryChanged,
  partsOf,
  type SendChanged,
  sendStatus,
} from "./delivery.ts";
import type { LoadedDelivery, LoadedSend, SendState, SettleChanges } from "./delivery-storage.ts";
import { due, settled, stopped } from "./delivery-transitions.ts";
import type { FanOutEnd } from "./fan-out-storage.ts";
import type { NewAuditEntry } from "./send.ts";

/**
 * Lets the fallbacks of a chain follow its primary delivery, which has just settled: delivered ends them; failed starts
 * them, unless they wait for a while whether the user still comes; sent by presence alone leaves nothing to wait for; skipped
 * ends them, unless it was because the user has no address there.
 */
export function followPrimary(chain: readonly Delivery[], { fallbackDelayMs }: SendState, now: Date): readonly Delivery[] {
  const { primaries, fallbacks, leading: primary } = partsOf(chain);
  if (primary === undefined) {
    return chain;
  }
  const { status, channel, reason } = primary;
  const isOfInbox = channel === INBOX_CHANNEL;
  const mayStillCome = isOfInbox && reason === "offline" && fallbackDelayMs > 0;
  const follow = (fallback: Delivery): Delivery => {
    if (status === "delivered" || status === "cancelled" || (status === "skipped" && !isUnreachable(primary))) {
      return stopped(fallback, now);
    }
    if (fallback.status !== "waiting") {
      return fallback;
    }
    if (status === "failed" || status === "skipped") {
      return mayStillCome ? fallback : due(fallback, now);
    }
    return isOfInbox && status === "sent" && fallbackDelayMs === 0 ? stopped(fallback, now) : fallback;
  };
  return [...primaries, ...fallbacks.map(follow)];
}

/** Whether a delivery was skipped since its recipient cannot be reached over its channel; another channel may do. */
function isUnreachable({ reason }: Delivery): boolean {
  return reason === "no_address" || reason === "suppressed";
}

/** Starts the fallbacks of the loaded chains that have waited long enough. */
export function endWaits(loaded: readonly LoadedSend[], now: Date): Settlement {
  return settleChains(loaded, now, (chain) => {
    const ended = endWait(chain, now);
    return ended === null ? null : { chain: ended };
  });
}

/** Returns the new state of a chain whose fallback has waited long enough; null if the primary was not attempted yet. */
export function endWait(chain: readonly (Delivery & { readonly isRead: boolean })[], now: Date): readonly Delivery[] | null {
  const { primaries, fallbacks, leading: primary } = partsOf(chain);
  if (primary === undefined || primary.status === "pending" || primary.status === "waiting") {
    return null;
  }
  const changed = (after: Delivery): readonly Delivery[] => primaries.map((one) => (one === primary ? after : one));
  if (primary.isRead || primary.status === "delivered" || primary.status === "cancelled" || primary.status === "skipped") {
    const read = primary.isRead && primary.status !== "delivered" ? settled(primary, { status: "delivered", now }) : primary;
    return [...changed(read), ...fallbacks.map((fallback) => stopped(fallback, now))];
  }
  const missed = primary.status === "sent" ? settled(primary, { status: "failed", reason: "no_ack", now }) : primary;
  const isDue = (fallback: Delivery) => fallback.status === "waiting" && (fallback.dueAt === null || fallback.dueAt <= now);
  return [...changed(missed), ...fallbacks.map((fallback) => (isDue(fallback) ? due(fallback, now) : fallback))];
}

/** The change to one chain; null for none. */
export interface ChainChange {
  /** The whole chain in its new state; empty if it is removed. Unchanged deliveries are the same objects. */
  readonly chain: readonly Delivery[];
  readonly attempts?: readonly DeliveryAttempt[];
  /** The least number of attempts that the send shows. @default the number it shows now */
  readonly shownAttempts?: number;
  /** Whether a fallback was handed to its provider just now. @default false */
  readonly usesFallback?: boolean;
}

/** The result of a decision: the changes to write, and the events to raise after the commit. */
export interface Settlement {
  readonly changes: SettleChanges;
  readonly deliveries: readonly DeliveryChanged[];
  readonly sends: readonly SendChanged[];
}

/** Decides on every chain of the loaded sends and updates each send's counts, status and times. */
export function settleChains(
  loaded: readonly LoadedSend[],
  now: Date,
  decide: (chain: readonly LoadedDelivery[], send: SendState) => ChainChange | null,
): Settlement {
  const result = {
    deliveries: [] as Delivery[],
    attempts: [] as DeliveryAttempt[],
    sends: [] as SendState[],
    audit: [] as NewAuditEntry[],
  };
  const transitions: DeliveryChanged[] = [];
  const sends: SendChanged[] = [];
  for (const { state, chains } of loaded) {
    const after = new SendLedger(state);
    for (const chain of chains) {
      const change = decide(chain, state);
      if (change !== null) {
        after.add(chain, change);
        result.attempts.push(...(change.attempts ?? []));
      }
    }
    result.deliveries.push(...after.changed);
    transitions.push(...after.transitions);
    if (after.hasChanged) {
      const next = after.state(now);
      result.sends.push(next);
      if (next.status !== state.status) {
        sends.push({ tenant: state.tenant, id: state.id, from: state.status, to: next.status });
      }
    }
  }
  return { changes: result, deliveries: transitions, sends };
}

/** Adds up the changes in the chains of one send. */
class SendLedger {
  readonly changed: Delivery[] = [];
  hasChanged = false;
  readonly transitions: DeliveryChanged[] = [];
  readonly #before: SendState;
  readonly #chains: { -readonly [Outcome in keyof ChainCounts]: number };
  #attempts: number;
  #fallbackUsed: boolean;

  constructor(before: SendState) {
    this.#before = before;
    this.#chains = { ...before.chains };
    this.#attempts = before.attempts;
    this.#fallbackUsed = before.fallbackUsed;
  }

  add(before: readonly LoadedDelivery[], { chain, shownAttempts = 0, usesFallback = false }: ChainChange): void {
    this.#chains[outcomeOf(before)] -= 1;
    if (chain.length > 0) {
      this.#chains[outcomeOf(chain)] += 1;
    }
    this.hasChanged ||= chain.length === 0;
    this.#attempts = Math.max(this.#attempts, shownAttempts);
    this.#fallbackUsed ||= usesFallback;
    let index = 0;
    for (const delivery of chain) {
      this.#compare(before[index], delivery);
      index += 1;
    }
  }

  #compare(old: LoadedDelivery | undefined, delivery: Delivery): void {
    if (old !== undefined && old !== delivery) {
      this.changed.push(delivery);
      this.hasChanged = true;
      if (old.status !== delivery.status) {
        this.transitions.push({ delivery, from: old.status });
      }
    }
  }

  state(now: Date): SendState {
    const status = sendStatus(this.#chains);
    const before = this.#before;
    return {
      ...before,
      status,
      chains: this.#chains,
      attempts: this.#attempts,
      fallbackUsed: this.#fallbackUsed,
      deliveredAt: status === "delivered" ? (before.deliveredAt ?? now) : null,
      failedAt: status === "failed" ? (before.failedAt ?? now) : null,
    };
  }
}

function outcomeOf(chain: readonly Delivery[]): ReturnType<typeof chainOutcome> {
  return chainOutcome(chain.map(({ status }) => status));
}

/** What ended of a notification. */
export interface Ended {
  readonly as: FanOutEnd["as"];
  /** Whether a fan-out did: what was not written counts as pending no longer. */
  readonly hasFanOut: boolean;
  /** Whether the inboxes of everyone did, before it went out to them: they count as one chain. */
  readonly hasInboxes: boolean;
}

/** The state of a notification of which something ended before it was written. */
export function withoutRest(state: SendState, { as: end, hasFanOut, hasInboxes }: Ended, now: Date): SendState {
  const { chains: before } = state;
  const pending = before.pending - (hasFanOut ? 1 : 0) - (hasInboxes ? 1 : 0);
  const others = { ...before, pending, ...(hasInboxes && end !== "written" ? { [end]: before[end] + 1 } : {}) };
  const isNone = Object.values(others).every((count) => count === 0);
  // Something has to say what became of it.
  const chains = isNone && end !== "written" ? { ...others, [end]: 1 } : others;
  const status = sendStatus(chains);
  return {
    ...{ ...state, chains, status },
    deliveredAt: status === "delivered" ? (state.deliveredAt ?? now) : null,
    failedAt: status === "failed" ? (state.failedAt ?? now) : null,
  };
}

/**
 * Takes the loaded chains out of their notifications' counts. What is left of a notification has the status of its other
 * chains; one that has none left raises no event.
 */
export function eraseChains(loaded: readonly LoadedSend[], now: Date): Settlement {
  const settlement = settleChains(loaded, now, () => ({ chain: [] }));
  const left = new Set(
    settlement.changes.sends.filter(({ chains }) => Object.values(chains).some((count) => count > 0)).map(({ id }) => id),
  );
  return { ...settlement, sends: settlement.sends.filter(({ id }) => left.has(id)) };
}
