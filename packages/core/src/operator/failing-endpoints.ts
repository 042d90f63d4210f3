import { type DeliveryReason, type Endpoint, type OpenCircuit, type Pause, type StoredPause, shownPause } from "../delivery/index.ts";
import type { FailingDelivery, FailingKind } from "./activity-storage.ts";

/** What went wrong at an endpoint: deliveries with the same last error. */
export interface FailureCause {
  /** Who said so, as attempts name it, such as `smtp`; `belfry` for what no provider said, such as that a process was lost. */
  readonly provider: string;
  /** The first 200 characters of the error, or Belfry's words where the attempt went well, as for a bounce, or was that of another delivery's digest. */
  readonly error: string;
  /** Why a delivery failed that its provider had taken, such as `bounced`; null otherwise. */
  readonly reason: DeliveryReason | null;
  /** How many deliveries it affects. */
  readonly deliveries: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

/** An endpoint to which deliveries failed, or wait for another attempt after a failure. */
export interface FailingEndpoint extends Endpoint {
  /** How many deliveries it affects: those that failed, and those that wait for another attempt. */
  readonly deliveries: number;
  /** How many of them wait for another attempt. */
  readonly retrying: number;
  /** How many attempts of them failed since they were created, or retried by somebody. */
  readonly attempts: number;
  /** When the first of these attempts failed, and the last. */
  readonly firstAt: Date;
  readonly lastAt: Date;
  /** Until when it rests, since it failed several times in a row; null if it does not. */
  readonly restsUntil: Date | null;
  /** How often it failed in a row, where it rests; 0 otherwise. */
  readonly failuresInARow: number;
  /** The pause that covers it, or null. */
  readonly pause: Pause | null;
  /** Up to ten, the most frequent first. */
  readonly causes: readonly FailureCause[];
}

const MOST_CAUSES = 10;
/** How many causes of an endpoint are told apart: errors may have numbers in them. */
const MOST_TOLD_APART = 100;

interface CauseTally extends Pick<FailureCause, "provider" | "error" | "reason"> {
  deliveries: number;
  firstMs: number;
  lastMs: number;
}

interface EndpointTally extends Endpoint {
  deliveries: number;
  retrying: number;
  attempts: number;
  readonly causes: Map<string, CauseTally>;
}

/** An endpoint with its failures, without what is known of it beside them. */
export type TalliedEndpoint = Omit<FailingEndpoint, "restsUntil" | "failuresInARow" | "pause">;

/** Adds up failing deliveries by endpoint and cause. */
export class FailureTally {
  readonly #endpoints = new Map<string, EndpointTally>();

  add(delivery: FailingDelivery, kind: FailingKind): void {
    const { channel, recipient, attempts } = delivery;
    const key = `${channel}\u0000${recipient}`;
    const endpoint = this.#endpoints.get(key) ?? { channel, recipient, deliveries: 0, retrying: 0, attempts: 0, causes: new Map() };
    this.#endpoints.set(key, endpoint);
    endpoint.deliveries += 1;
    endpoint.retrying += kind === "retrying" ? 1 : 0;
    endpoint.attempts += attempts;
    addCause(endpoint.causes, delivery);
  }

  /** The endpoints with the most affected deliveries first. */
  worst(limit: number): readonly TalliedEndpoint[] {
    const ranked = [...this.#endpoints.values()].sort((left, right) => right.deliveries - left.deliveries);
    return ranked.slice(0, limit).map(({ causes, ...endpoint }) => {
      const all = [...causes.values()].sort((left, right) => right.deliveries - left.deliveries);
      return {
        ...endpoint,
        firstAt: new Date(Math.min(...all.map(({ firstMs }) => firstMs))),
        lastAt: new Date(Math.max(...all.map(({ lastMs }) => lastMs))),
        causes: all.slice(0, MOST_CAUSES).map(toCause),
      };
    });
  }
}

/** What went wrong where no attempt says it: it went well and the provider gave the notification back, or it was made for a digest by another delivery. */
function wordsOf({ provider, reason }: FailingDelivery): string {
  if (reason === "bounced") {
    return "The provider took it, and gave it back later.";
  }
  return provider === "" ? "The digest that it was in was not delivered." : "It was not delivered, though the attempt went well.";
}

function addCause(causes: Map<string, CauseTally>, delivery: FailingDelivery): void {
  const { reason, firstAt, lastAt } = delivery;
  const [provider, error] = [delivery.provider || "belfry", delivery.error || wordsOf(delivery)];
  const [firstMs, lastMs] = [firstAt.getTime(), lastAt.getTime()];
  const key = [provider, error, reason].join("\u0000");
  // What is not told apart counts as the first one.
  const known = causes.get(key) ?? (causes.size < MOST_TOLD_APART ? undefined : causes.values().next().value);
  if (known === undefined) {
    causes.set(key, { provider, error, reason, deliveries: 1, firstMs, lastMs });
  } else {
    known.deliveries += 1;
    known.firstMs = Math.min(known.firstMs, firstMs);
    known.lastMs = Math.max(known.lastMs, lastMs);
  }
}

function toCause({ firstMs, lastMs, ...cause }: CauseTally): FailureCause {
  return { ...cause, firstAt: new Date(firstMs), lastAt: new Date(lastMs) };
}

/** What is known of endpoints beside their failures: which of them rest, and, in their order, the pauses that cover them. */
interface EndpointStates {
  readonly circuits: readonly OpenCircuit[];
  readonly pauses: readonly (StoredPause | null)[];
  readonly now: Date;
}

/** Adds to endpoints whether they rest or are paused. */
export function withStates(endpoints: readonly TalliedEndpoint[], { circuits, pauses, now }: EndpointStates): readonly FailingEndpoint[] {
  return endpoints.map((endpoint, index) => {
    const { channel, recipient } = endpoint;
    const circuit = circuits.find((one) => one.channel === channel && one.recipient === recipient && one.openUntil > now);
    const pause = pauses[index] ?? null;
    return {
      ...endpoint,
      restsUntil: circuit?.openUntil ?? null,
      failuresInARow: circuit?.failures ?? 0,
      pause: pause === null ? null : shownPause(pause),
    };
  });
}
