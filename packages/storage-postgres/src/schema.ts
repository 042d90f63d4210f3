import { pgSchema, pgTable } from "drizzle-orm/pg-core";
import { deliveryTables } from "./schema/deliveries.ts";
import { hubTables } from "./schema/hub.ts";
import { inboxTables } from "./schema/inbox.ts";
import { migrationsTable } from "./schema/migrations.ts";

/**
 * Belfry's drizzle tables in the PostgreSQL schema `name`, for hosts that set the storage's option `schema`.
 *
 * @example
 * ```ts
 * export const { notifications, inboxItems, inboxCounters, readMarks, fanOutChunks, migrations } = tablesIn("belfry");
 * ```
 */
export function tablesIn(name: string) {
  // drizzle has its own way to say "public" and refuses the name.
  const table = name === "public" ? pgTable : pgSchema(name).table;
  const inbox = inboxTables(table);
  const { notifications } = inbox;
  return { ...inbox, ...deliveryTables(table, notifications), ...hubTables(table, notifications), migrations: migrationsTable(table) };
}

export const {
  notifications,
  inboxItems,
  inboxCounters,
  readMarks,
  fanOutChunks,
  trackings,
  sends,
  deliveries,
  deliveryAttempts,
  idempotencyKeys,
  auditLog,
  apiKeys,
  presence,
  events,
  eventAcks,
  identities,
  handlers,
  processingRecords,
  migrations,
} = tablesIn("public");
