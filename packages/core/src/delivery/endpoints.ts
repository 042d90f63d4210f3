import type { ClaimedDelivery, Endpoint } from "./delivery-storage.ts";

const FAILURES_TO_OPEN = 5;
const FIRST_PAUSE_MS = 10_000;
const MAX_PAUSE_MS = 600_000;
/** The most failing endpoints to remember. The one that failed longest ago is forgotten first. */
const MAX_ENDPOINTS = 10_000;

interface Circuit {
  readonly endpoint: Endpoint;
  failures: number;
  openUntilMs: number;
}

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

  /** Records the end of an attempt. Only transient failures count. */
  ended({ channel, recipient }: Endpoint, hasFailed: boolean, nowMs: number): void {
    const endpoint = { channel, recipient };
    const key = endpointKey(endpoint);
    const circuit = this.#circuits.get(key) ?? { endpoint, failures: 0, openUntilMs: 0 };
    this.#circuits.delete(key);
    if (!hasFailed) {
      return;
    }
    circuit.failures += 1;
    const over = circuit.failures - FAILURES_TO_OPEN;
    if (over >= 0 && nowMs >= circuit.openUntilMs) {
      circuit.openUntilMs = nowMs + Math.min(FIRST_PAUSE_MS * 2 ** over, MAX_PAUSE_MS);
    }
    this.#circuits.set(key, circuit);
    const [oldest] = this.#circuits.keys();
    if (this.#circuits.size > MAX_ENDPOINTS && oldest !== undefined) {
      this.#circuits.delete(oldest);
    }
  }

  /** Returns the endpoints that are paused at this moment. */
  open(nowMs: number): readonly Endpoint[] {
    return [...this.#circuits.values()].filter(({ openUntilMs }) => openUntilMs > nowMs).map(({ endpoint }) => endpoint);
  }
}

/** Names an endpoint. */
export function endpointKey({ channel, recipient }: Endpoint): string {
  // A NUL cannot be part of either.
  return `${channel}\u0000${recipient}`;
}

/** Stops one slow endpoint from taking every turn. */
export class EndpointShare {
  /** The most deliveries of one endpoint in one claim. */
  readonly perEndpoint: number;
  readonly #endpoints = new Map<string, { readonly endpoint: Endpoint; count: number }>();

  /** @param concurrency how many deliveries are under way at once */
  constructor(concurrency: number) {
    this.perEndpoint = Math.max(1, Math.floor(concurrency / 10));
  }

  began({ delivery }: ClaimedDelivery): void {
    const key = endpointKey(delivery);
    const { channel, recipient } = delivery;
    const entry = this.#endpoints.get(key) ?? { endpoint: { channel, recipient }, count: 0 };
    entry.count += 1;
    this.#endpoints.set(key, entry);
  }

  ended({ delivery }: ClaimedDelivery): void {
    const key = endpointKey(delivery);
    const entry = this.#endpoints.get(key);
    if (entry) {
      entry.count -= 1;
      if (entry.count === 0) {
        this.#endpoints.delete(key);
      }
    }
  }

  /** Returns the endpoints that have their full share at this moment. */
  full(): readonly Endpoint[] {
    return [...this.#endpoints.values()].filter(({ count }) => count >= this.perEndpoint).map(({ endpoint }) => endpoint);
  }
}
