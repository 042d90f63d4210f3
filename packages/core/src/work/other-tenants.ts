/** After a claim for other tenants that found nothing, it goes without for so long while one tenant has its share. */
const INTERVAL_MS = 50;

/** Remembers that nothing was due of other tenants than those that had their share. */
export class OtherTenants {
  #foundNoneMs = Number.NEGATIVE_INFINITY;
  #leftOut: ReadonlySet<string> = new Set();

  /** Notes whether a claim found any task of other tenants than these. */
  claimed(leftOut: readonly string[], { hasFound, nowMs }: { readonly hasFound: boolean; readonly nowMs: number }): void {
    this.#leftOut = new Set(leftOut);
    this.#foundNoneMs = hasFound ? Number.NEGATIVE_INFINITY : nowMs;
  }

  /** Notes the end of a task. If it is one of others, something of theirs may be due now that waited for its endpoint. */
  ended(tenant: string): void {
    if (!this.#leftOut.has(tenant)) {
      this.#foundNoneMs = Number.NEGATIVE_INFINITY;
    }
  }

  /** Whether nothing was due a moment ago. */
  hadNoneJustNow(nowMs: number): boolean {
    // The distance counts, because a clock may go back.
    return Math.abs(nowMs - this.#foundNoneMs) < INTERVAL_MS;
  }
}
