/** Keeps one tenant from taking every turn of a worker: it has four fifths of them at the most. */
export class TenantShare {
  readonly #perTenant: number;
  readonly #counts = new Map<string, number>();

  /** @param concurrency how many tasks are under way at once */
  constructor(concurrency: number) {
    this.#perTenant = Math.max(1, Math.floor(concurrency * 0.8));
  }

  began(tenant: string): void {
    this.#counts.set(tenant, (this.#counts.get(tenant) ?? 0) + 1);
  }

  ended(tenant: string): void {
    const left = (this.#counts.get(tenant) ?? 1) - 1;
    if (left > 0) {
      this.#counts.set(tenant, left);
    } else {
      this.#counts.delete(tenant);
    }
  }

  /** Tenants that have their share at this moment. */
  full(): readonly string[] {
    return [...this.#counts].filter(([, count]) => count >= this.#perTenant).map(([tenant]) => tenant);
  }
}
