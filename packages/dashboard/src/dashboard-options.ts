import type { Logger, NotificationService, TenantNotifications } from "@belfry/core";
import type { ContractService, ContractTenant } from "@belfry/core/http";
import type { Authorize } from "./access.ts";
import type { Redact } from "./redaction.ts";

/** The part of one tenant's notifications that the dashboard uses. */
export interface DashboardTenant extends ContractTenant {
  readonly operator: TenantNotifications["operator"];
  readonly suppressions: TenantNotifications["suppressions"];
}

/** The part of a `NotificationService` that the dashboard uses, for any declared types and any storage. */
export interface DashboardService extends ContractService {
  readonly defaultTenant: DashboardTenant;
  tenant(tenantId: string): DashboardTenant;
  on: NotificationService["on"];
}

/** Says who may use the dashboard, and how it is mounted. */
export interface DashboardOptions {
  /**
   * Says what the sender of a request may do.
   *
   * @default everything for requests from this machine, nothing for any other
   */
  readonly authorize?: Authorize;
  /**
   * Strikes out or replaces what the dashboard would show: titles, texts, data, addresses, names, errors. It is called for each of them, in
   * every answer and live event. If it throws, or returns what cannot stand there, nothing of that answer is shown.
   *
   * @default everything is shown as it is
   */
  readonly redact?: Redact;
  /** The `WWW-Authenticate` of a 401 if `authorize` returns null, for example `Basic realm="Belfry"`. @default a 403 instead */
  readonly challenge?: string;
  /** The tenant it shows. @default the service's default tenant */
  readonly tenant?: string;
  /** The path prefix that `fetch` cuts off, for routers that do not, for example `/admin/notifications`. @default "" */
  readonly basePath?: string;
  /** Anything pino-shaped. @default warnings and errors on the console */
  readonly logger?: Logger;
}
