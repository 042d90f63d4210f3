import { setNewest } from "../foundation/bounds.ts";
import { Share } from "../work/fairness.ts";
import type { Endpoint } from "./delivery.ts";
import type { OpenCircuit } from "./delivery-state.ts";

const FAILURES_TO_OPEN = 5;
const FIRST_PAUSE_MS = 10_000;
const MAX_PAUSE_MS = 600_000;
/** The most failing endpoints to remember. The one that failed longest ago is forgotten first. */
const MAX_ENDPOINTS = 10_000;

interface Circuit {
  failures: number;
  /** Null before it opens for the first time. */
  openedMs: number | null;
  openUntilMs: number;
}

/** What an attempt changed: its endpoint rests from now on, or, with null, rests no longer after it did. */
export type CircuitChange = OpenCircuit | null;

/**
 * Pauses endpoints that fail repeatedly, so that they take no turns from other endpoints.
 *
 * ```
 * closed ──5 failures in a row──> open ──pause over──> a few go through ─┬─ok────> closed
 *                                  ↑────────────── pause doubled ────────┴─failed
 * ```
 */
export class CircuitBreaker {
  readonly #circuits = new Map<string, Circuit>();

  /** Records the end of an attempt, and returns what it changed; undefined for nothing. Only transient failures count. */
  ended(endpoint: Endpoint, hasFailed: boolean, nowMs: number): CircuitChange | undefined {
    if (!hasFailed) {
      // Usually there is none: a key costs every attempt more than this look.
      return this.#circuits.size > 0 ? this.#close(endpointKey(endpoint)) : undefined;
    }
    const key = endpointKey(endpoint);
    const circuit = this.#circuits.get(key) ?? { failures: 0, openedMs: null, openUntilMs: 0 };
    circuit.failures += 1;
    setNewest(this.#circuits, [key, circuit], MAX_ENDPOINTS);
    const over = circuit.failures - FAILURES_TO_OPEN;
    if (over < 0 || nowMs < circuit.openUntilMs) {
      return undefined;
    }
    circuit.openedMs ??= nowMs;
    circuit.openUntilMs = nowMs + Math.min(FIRST_PAUSE_MS * 2 ** over, MAX_PAUSE_MS);
    const [openedAt, openUntil] = [new Date(circuit.openedMs), new Date(circuit.openUntilMs)];
    return { ...endpointOf(key), failures: circuit.failures, openedAt, openUntil };
  }

  #close(key: string): CircuitChange | undefined {
    const circuit = this.#circuits.get(key);
    this.#circuits.delete(key);
    return circuit === undefined || circuit.openedMs === null ? undefined : null;
  }

  /** Pauses an endpoint that another process paused, unless it is paused for as long here. */
  adopt({ channel, recipient, failures, openedAt, openUntil }: OpenCircuit): void {
    const key = endpointKey({ channel, recipient });
    const openUntilMs = openUntil.getTime();
    if ((this.#circuits.get(key)?.openUntilMs ?? 0) < openUntilMs) {
      setNewest(this.#circuits, [key, { failures, openedMs: openedAt.getTime(), openUntilMs }], MAX_ENDPOINTS);
    }
  }

  /** Lets an endpoint be tried before its pause is over. */
  rouse(endpoint: Endpoint): void {
    const circuit = this.#circuits.get(endpointKey(endpoint));
    if (circuit !== undefined) {
      circuit.openUntilMs = 0;
    }
  }

  /** Whether an endpoint is paused at this moment. */
  isOpen(endpoint: Endpoint, nowMs: number): boolean {
    return this.#circuits.size > 0 && (this.#circuits.get(endpointKey(endpoint))?.openUntilMs ?? 0) > nowMs;
  }

  /** Returns the endpoints that are paused at this moment. */
  open(nowMs: number): readonly Endpoint[] {
    return [...this.#circuits].filter(([, { openUntilMs }]) => openUntilMs > nowMs).map(([key]) => endpointOf(key));
  }
}

/** Names an endpoint. A NUL cannot be part of either. */
function endpointKey({ channel, recipient }: Endpoint): string {
  return `${channel}\u0000${recipient}`;
}

function endpointOf(key: string): Endpoint {
  const [channel = "", recipient = ""] = key.split("\u0000");
  return { channel, recipient };
}

const REST_MS = 24 * 60 * 60 * 1_000;

/**
 * Endpoints that said they are gone for good, as a webhook's receiver does by 410: for a day nothing is attempted to them.
 * Kept by this process alone; after a restart an endpoint says it once more.
 */
export class GoneEndpoints {
  readonly #untilMs = new Map<string, number>();

  note(endpoint: Endpoint, nowMs: number): void {
    setNewest(this.#untilMs, [endpointKey(endpoint), nowMs + REST_MS], MAX_ENDPOINTS);
  }

  /** Usually there is none: a key, or a look at the clock, costs every attempt more than this. */
  get areNone(): boolean {
    return this.#untilMs.size === 0;
  }

  /** Forgets an endpoint that has answered again. */
  forget(endpoint: Endpoint): void {
    if (!this.areNone) {
      this.#untilMs.delete(endpointKey(endpoint));
    }
  }

  /** Returns the end of an endpoint's pause, or null. */
  until(endpoint: Endpoint, nowMs: number): Date | null {
    const untilMs = this.#untilMs.get(endpointKey(endpoint)) ?? 0;
    return untilMs > nowMs ? new Date(untilMs) : null;
  }
}

/** Stops one slow endpoint from taking every turn. */
export class EndpointShare {
  /** The most deliveries of one endpoint at once. */
  readonly perEndpoint: number;
  readonly #share: Share;

  /** @param concurrency how many deliveries are under way at once */
  constructor(concurrency: number) {
    this.perEndpoint = Math.max(1, Math.floor(concurrency / 10));
    this.#share = new Share(this.perEndpoint);
  }

  began(endpoint: Endpoint): void {
    this.#share.began(endpointKey(endpoint));
  }

  ended(endpoint: Endpoint): void {
    this.#share.ended(endpointKey(endpoint));
  }

  /** Whether one more delivery to an endpoint may begin. */
  mayBegin(endpoint: Endpoint): boolean {
    return this.#share.mayBegin(endpointKey(endpoint));
  }

  /** Returns the endpoints that have their full share at this moment. */
  full(): readonly Endpoint[] {
    return this.#share.full().map(endpointOf);
  }
}
