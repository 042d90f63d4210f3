import type { MailSender } from "./mail-sender.ts";

/** How long the senders of a tenant are kept that a promise brought. */
const KEPT_MS = 60_000;
/** Of how many tenants. There is a limit because their names may come from outside. */
const MAX_TENANTS = 1_000;

/** The senders of a tenant that a promise brings. */
export interface KeptSenders {
  readonly senders: Promise<readonly MailSender[]>;
  /** Null until the promise has come true. */
  readonly found: readonly MailSender[] | null;
  readonly until: number;
}

/** Keeps what a host's function looked up for tenants. Those who ask meanwhile wait for the same look-up; one that failed is not kept. */
export class TenantSenders {
  readonly #kept = new Map<string, KeptSenders>();

  get(tenant: string): KeptSenders | null {
    const known = this.#kept.get(tenant);
    return known !== undefined && known.until > performance.now() ? known : null;
  }

  keep(tenant: string, senders: Promise<readonly MailSender[]>): KeptSenders {
    const kept = { senders, until: performance.now() + KEPT_MS, found: null as readonly MailSender[] | null };
    this.#kept.delete(tenant);
    this.#kept.set(tenant, kept);
    senders.then(
      (found) => {
        kept.found = found;
      },
      () => {
        if (this.#kept.get(tenant) === kept) {
          this.#kept.delete(tenant);
        }
      },
    );
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_TENANTS && oldest !== undefined) {
      this.#kept.delete(oldest);
    }
    return kept;
  }
}
