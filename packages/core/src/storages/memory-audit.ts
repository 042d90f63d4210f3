import type { AuditEntry, NewAuditEntry } from "../delivery/index.ts";

/** The audit log of a memory storage. */
export class MemoryAudit {
  /** Oldest first; the one numbered `n` stands at `n - 1`. */
  readonly #entries: AuditEntry[] = [];

  log(tenant: string, at: Date, { action, actor, notificationId }: NewAuditEntry): void {
    this.#entries.push({ action, actor, notificationId, tenant, at: new Date(at), number: this.#entries.length + 1 });
  }

  newestFirst(tenant: string, { limit, before = Number.POSITIVE_INFINITY }: { limit: number; before?: number }): readonly AuditEntry[] {
    return this.#entries
      .filter((entry) => entry.tenant === tenant && entry.number < before)
      .toReversed()
      .slice(0, limit);
  }

  /** The lines about one notification, oldest first. */
  of(tenant: string, notificationId: string): readonly AuditEntry[] {
    return this.#entries.filter((entry) => entry.tenant === tenant && entry.notificationId === notificationId);
  }
}
