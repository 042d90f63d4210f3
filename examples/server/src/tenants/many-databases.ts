import { NotificationService, type NotificationServiceOptions } from "@belfry/core";
import { postgresStorage } from "@belfry/storage-postgres";
import pg from "pg";
import type { Logger } from "pino";
import { ServicesByTenant } from "./services-by-tenant.ts";
import { PLACES_READ_MS, TenantPlaces } from "./tenant-places.ts";

/** Several databases, a tenant in each of them. */
export interface ManyDatabases {
  readonly notifications: ServicesByTenant;
  readonly places: TenantPlaces;
}

/** Makes a service for each database, and reads in the first one where tenants are. */
export function manyDatabases(
  databases: ReadonlyMap<string, string>,
  { logger, ...options }: Omit<NotificationServiceOptions, "storage" | "logger"> & { readonly logger: Logger },
): ManyDatabases {
  const [home = ""] = databases.values();
  const pool = new pg.Pool({ connectionString: home, max: 1, connectionTimeoutMillis: 5 * PLACES_READ_MS });
  const places = new TenantPlaces(pool, logger);
  const services = [...databases].map(([name, url]) => {
    const storage = postgresStorage(url, { logger });
    return [name, new NotificationService({ ...options, storage, logger })] as const;
  });
  return { notifications: new ServicesByTenant(new Map(services), places), places };
}
