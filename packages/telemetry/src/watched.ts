import { BelfryError, type NotificationService, type TenantNotifications, type WorkerLoad } from "@belfry/core";

/** The part of one tenant's notifications that metrics are read from. */
export interface WatchedTenant {
  readonly tenantId: string;
  readonly operator: Pick<TenantNotifications["operator"], "backlog" | "work">;
}

/** The part of a `NotificationService` that metrics are read from, for any declared types and any storage. */
export interface WatchedService {
  readonly defaultTenant: WatchedTenant;
  tenant(tenantId: string): WatchedTenant;
  on: NotificationService["on"];
  workers(): readonly WorkerLoad[];
  readonly connectedUsers: number;
}

/** What metrics tell apart, and how often the database is asked. */
export interface WatchedOptions {
  /**
   * The tenants that have series of their own, at most 100. All others are counted together, with the label `other`, and their backlog is not read.
   * @default the service's default tenant
   */
  readonly tenants?: readonly string[];
  /** How long the answers of the database count, in milliseconds, however often somebody asks; at least 1,000. @default 10_000 */
  readonly refreshMs?: number;
}

const MOST_TENANTS = 100;
const LEAST_REFRESH_MS = 1_000;
const REFRESH_MS = 10_000;

/** A service to watch, and how. */
export interface Watched {
  readonly service: WatchedService;
  readonly tenants: readonly WatchedTenant[];
  readonly refreshMs: number;
}

/** Checks a service and options. @throws BelfryError `CONFIGURATION` */
export function watchedBy(what: string, service: WatchedService, { tenants, refreshMs = REFRESH_MS }: WatchedOptions): Watched {
  const wrong = (message: string) => new BelfryError("CONFIGURATION", `${what} ${message}.`);
  if (typeof service?.on !== "function" || typeof service.workers !== "function") {
    throw wrong("needs a NotificationService first");
  }
  if (!Number.isFinite(refreshMs) || refreshMs < LEAST_REFRESH_MS) {
    throw wrong(`takes as refreshMs a number of milliseconds from ${LEAST_REFRESH_MS}`);
  }
  if (tenants === undefined) {
    return { service, tenants: [service.defaultTenant], refreshMs };
  }
  if (!Array.isArray(tenants) || tenants.length > MOST_TENANTS || tenants.some((name) => typeof name !== "string")) {
    throw wrong(`takes as tenants a list of at most ${MOST_TENANTS} names`);
  }
  return { service, tenants: [...new Set<string>(tenants)].map((name) => service.tenant(name)), refreshMs };
}
