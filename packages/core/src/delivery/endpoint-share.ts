import { endpointKey } from "./circuit-breaker.ts";
import type { ClaimedDelivery, Endpoint } from "./delivery-storage.ts";

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
