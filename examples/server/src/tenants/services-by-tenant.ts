import type { NotificationService, Readiness } from "@belfry/core";
import type { ContractService } from "@belfry/core/http";
import type { DashboardService, DashboardTenant } from "@belfry/dashboard";

/** Says where a tenant is. */
export interface Places {
  /** The name of its database; undefined for the first one. */
  of(tenant: string): string | undefined;
}

type Unsubscribing = NonNullable<ContractService["unsubscribing"]>;

/** A service for each database, and each tenant at one of them: one service to those who mount it. */
export class ServicesByTenant implements DashboardService {
  readonly #services: ReadonlyMap<string, NotificationService>;
  readonly #first: NotificationService;
  readonly #places: Places;
  readonly unsubscribing: Unsubscribing | null;

  /** @throws Error for no services */
  constructor(services: ReadonlyMap<string, NotificationService>, places: Places) {
    const [first] = services.values();
    if (first === undefined) {
      throw new Error("There has to be at least one database.");
    }
    this.#services = services;
    this.#first = first;
    this.#places = places;
    this.unsubscribing = first.unsubscribing === null ? null : this.#unsubscribingAt(first.unsubscribing);
  }

  get types(): NotificationService["types"] {
    return this.#first.types;
  }

  get defaultTenant(): DashboardTenant {
    return this.tenant(this.#first.tenantId);
  }

  /** Tickets are those of all tenants, and last for 30 seconds. */
  get socketTickets(): NotificationService["socketTickets"] {
    return this.#first.socketTickets;
  }

  /** A delivery is in one of the databases. */
  readonly receiptsOfAll: ContractService["receiptsOfAll"] = {
    record: async (receipt) => {
      const recorded = await this.#first.receiptsOfAll.record(receipt);
      for (const service of this.#others()) {
        if (recorded.outcome !== "unknown") {
          break;
        }
        const found = await service.receiptsOfAll.record(receipt);
        if (found.outcome !== "unknown") {
          return found;
        }
      }
      return recorded;
    },
  };

  tenant(tenantId: string): DashboardTenant {
    return this.#serviceOf(tenantId).tenant(tenantId);
  }

  /** Listens to all of them. */
  readonly on: NotificationService["on"] = (name, listener) => {
    const takeOff = this.#all().map((service) => service.on(name, listener));
    return () => {
      for (const off of takeOff) {
        off();
      }
    };
  };

  async start(): Promise<void> {
    await Promise.all(this.#all().map((service) => service.start()));
  }

  retire(): void {
    for (const service of this.#all()) {
      service.retire();
    }
  }

  async stop(): Promise<void> {
    const stopped = await Promise.allSettled(this.#all().map((service) => service.stop()));
    const failed = stopped.find((result) => result.status === "rejected");
    if (failed !== undefined) {
      throw failed.reason;
    }
  }

  /** It is ready when all databases answer. */
  async readiness(): Promise<Readiness> {
    const all = await Promise.all(this.#all().map((service) => service.readiness()));
    return all.find(({ isReady }) => !isReady) ?? { isReady: true, reason: null };
  }

  #all(): readonly NotificationService[] {
    return [...this.#services.values()];
  }

  #others(): readonly NotificationService[] {
    return this.#all().slice(1);
  }

  #serviceOf(tenantId: string): NotificationService {
    const name = this.#places.of(tenantId);
    const service = name === undefined ? this.#first : this.#services.get(name);
    if (service === undefined) {
      throw new Error(`A tenant is in the database ${JSON.stringify(name)}, which DATABASE_URLS does not name.`);
    }
    return service;
  }

  /** The links of mails say whose they are. The service checks what they say; here it only decides who is asked. */
  #unsubscribingAt(first: Unsubscribing): Unsubscribing {
    const at = (token: string) => this.#serviceOf(tenantOfLink(token) ?? this.#first.tenantId).unsubscribing ?? first;
    return {
      locale: first.locale,
      look: (token, locale) => at(token).look(token, locale),
      follow: (token, locale) => at(token).follow(token, locale),
      undo: (token, locale) => at(token).undo(token, locale),
    };
  }
}

/** The tenant that a link names; null for a text that is no link. */
function tenantOfLink(token: string): string | null {
  try {
    const [, tenant] = JSON.parse(Buffer.from(token.split(".", 1)[0] ?? "", "base64url").toString()) as readonly unknown[];
    return typeof tenant === "string" ? tenant : null;
  } catch {
    return null;
  }
}
