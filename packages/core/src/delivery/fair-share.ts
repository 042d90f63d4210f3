import { TenantShare } from "../work/tenant-share.ts";
import { endpointKey } from "./circuit-breaker.ts";
import type { ClaimedDelivery, Endpoint } from "./delivery-storage.ts";

/** Keeps one tenant, or one slow endpoint, from taking every turn. */
export class FairShare {
  /** How many deliveries of one endpoint one claim may take. */
  readonly perEndpoint: number;
  readonly #tenants: TenantShare;
  readonly #endpoints = new Map<string, { readonly endpoint: Endpoint; count: number }>();

  /** @param concurrency how many deliveries are under way at once */
  constructor(concurrency: number) {
    this.perEndpoint = Math.max(1, Math.floor(concurrency / 10));
    this.#tenants = new TenantShare(concurrency);
  }

  began({ delivery }: ClaimedDelivery): void {
    this.#tenants.began(delivery.tenant);
    const key = endpointKey(delivery);
    const { channel, recipient } = delivery;
    const entry = this.#endpoints.get(key) ?? { endpoint: { channel, recipient }, count: 0 };
    entry.count += 1;
    this.#endpoints.set(key, entry);
  }

  ended({ delivery }: ClaimedDelivery): void {
    this.#tenants.ended(delivery.tenant);
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
    return this.#tenants.full();
  }

  /** Endpoints that have their share at this moment. */
  fullEndpoints(): readonly Endpoint[] {
    return [...this.#endpoints.values()].filter(({ count }) => count >= this.perEndpoint).map(({ endpoint }) => endpoint);
  }
}
