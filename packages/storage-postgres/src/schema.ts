import { pgSchema, pgTable } from "drizzle-orm/pg-core";
import {
  apiKeysTable,
  auditLogTable,
  deliveriesTable,
  deliveryAttemptsTable,
  idempotencyKeysTable,
  presenceTable,
  sendsTable,
  socketTicketsTable,
  trackingsTable,
} from "./schema/deliveries.ts";
import { eventAcksTable, eventsTable, handlersTable, identitiesTable, processingRecordsTable, promptsTable } from "./schema/hub.ts";
import { fanOutChunksTable, inboxCountersTable, inboxItemsTable, notificationsTable, readMarksTable } from "./schema/inbox.ts";
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
  const notifications = notificationsTable(table);
  const deliveries = deliveriesTable(table, notifications);
  const prompts = promptsTable(table);
  return {
    notifications,
    inboxItems: inboxItemsTable(table, notifications),
    inboxCounters: inboxCountersTable(table),
    readMarks: readMarksTable(table),
    fanOutChunks: fanOutChunksTable(table, notifications),
    trackings: trackingsTable(table, notifications),
    sends: sendsTable(table, notifications),
    deliveries,
    deliveryAttempts: deliveryAttemptsTable(table, deliveries),
    idempotencyKeys: idempotencyKeysTable(table),
    auditLog: auditLogTable(table),
    apiKeys: apiKeysTable(table),
    socketTickets: socketTicketsTable(table),
    presence: presenceTable(table),
    events: eventsTable(table, notifications),
    eventAcks: eventAcksTable(table, notifications),
    identities: identitiesTable(table),
    handlers: handlersTable(table),
    prompts,
    processingRecords: processingRecordsTable(table, notifications, prompts),
    migrations: migrationsTable(table),
  };
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
  socketTickets,
  presence,
  events,
  eventAcks,
  identities,
  handlers,
  prompts,
  processingRecords,
  migrations,
} = tablesIn("public");
