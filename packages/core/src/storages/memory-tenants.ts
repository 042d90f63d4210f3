import { MemoryTenant } from "./memory-tenant.ts";

/** The tenants of one memory storage; each is there as soon as it is asked for. */
export class MemoryTenants {
  readonly #tenants = new Map<string, MemoryTenant>();

  of(tenantId: string): MemoryTenant {
    const known = this.#tenants.get(tenantId);
    if (known) {
      return known;
    }
    const tenant = new MemoryTenant(tenantId);
    this.#tenants.set(tenantId, tenant);
    return tenant;
  }

  all(): Iterable<MemoryTenant> {
    return this.#tenants.values();
  }
}
