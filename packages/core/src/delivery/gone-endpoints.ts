import { endpointKey } from "./circuit-breaker.ts";
import type { Endpoint } from "./delivery-storage.ts";

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
