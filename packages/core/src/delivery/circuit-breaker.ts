import type { Endpoint } from "./delivery-storage.ts";

const FAILURES_TO_OPEN = 5;
const FIRST_PAUSE_MS = 10_000;
const MAX_PAUSE_MS = 600_000;
/** Endpoints that fail are remembered, the ones that failed longest ago forgotten first. */
const MAX_ENDPOINTS = 10_000;

interface Circuit {
  readonly endpoint: Endpoint;
  failures: number;
  openUntilMs: number;
}

/**
 * Leaves endpoints in peace that fail again and again, so that they take no turns from others.
 *
 * ```
 * closed ──5 failures in a row──> open ──pause over──> a few go through ─┬─ok────> closed
 *                                  ↑────────────── pause doubled ────────┴─failed
 * ```
 */
export class CircuitBreaker {
  readonly #circuits = new Map<string, Circuit>();

  /** Says how an attempt ended; only failures that may pass count. */
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

  /** The endpoints to be left in peace at this moment. */
  open(nowMs: number): readonly Endpoint[] {
    return [...this.#circuits.values()].filter(({ openUntilMs }) => openUntilMs > nowMs).map(({ endpoint }) => endpoint);
  }
}

/** Names an endpoint. */
export function endpointKey({ channel, recipient }: Endpoint): string {
  // A NUL cannot be part of either.
  return `${channel}\u0000${recipient}`;
}
