import type { ClaimedDelivery, Endpoint } from "../../delivery-storage.ts";
import { endpointKey } from "./circuit-breaker.ts";

/** Keeps one tenant, or one slow endpoint, from taking every turn. */
export class FairShare {
  /** How many deliveries of one endpoint one claim may take. */
  readonly perEndpoint: number;
  readonly #perTenant: number;
  readonly #tenants = new Map<string, number>();
  readonly #endpoints = new Map<string, { readonly endpoint: Endpoint; count: number }>();

  /** @param concurrency how many deliveries are under way at once */
  constructor(concurrency: number) {
    this.perEndpoint = Math.max(1, Math.floor(concurrency / 10));
    this.#perTenant = Math.max(1, Math.floor(concurrency * 0.8));
  }

  began({ delivery }: ClaimedDelivery): void {
    this.#tenants.set(delivery.tenant, (this.#tenants.get(delivery.tenant) ?? 0) + 1);
    const key = endpointKey(delivery);
    const { channel, recipient } = delivery;
    const entry = this.#endpoints.get(key) ?? { endpoint: { channel, recipient }, count: 0 };
    entry.count += 1;
    this.#endpoints.set(key, entry);
  }

  ended({ delivery }: ClaimedDelivery): void {
    const left = (this.#tenants.get(delivery.tenant) ?? 1) - 1;
    if (left > 0) {
      this.#tenants.set(delivery.tenant, left);
    } else {
      this.#tenants.delete(delivery.tenant);
    }
    const key = endpointKey(delivery);
    const entry = this.#endpoints.get(key);
    if (entry) {
      entry.count -= 1;
      if (entry.count === 0) {
        this.#endpoints.delete(key);
      }
    }
  }

  /** Tenants that have their share at this moment. */
  fullTenants(): readonly string[] {
    return [...this.#tenants].filter(([, count]) => count >= this.#perTenant).map(([tenant]) => tenant);
  }

  /** Endpoints that have their share at this moment. */
  fullEndpoints(): readonly Endpoint[] {
    return [...this.#endpoints.values()].filter(({ count }) => count >= this.perEndpoint).map(({ endpoint }) => endpoint);
  }
}
