import { getTableConfig } from "drizzle-orm/pg-core";
import { tablesIn } from "../schema.ts";

/** Belfry's tables as SQL names them: with their schema, quoted. */
export type TableNames = Readonly<Record<keyof ReturnType<typeof tablesIn>, string>>;

/** The names of the tables in the PostgreSQL schema `schema`. */
export function tableNames(schema: string): TableNames {
  const tables = tablesIn(schema);
  const name = (table: (typeof tables)[keyof typeof tables]) => `${quoteIdentifier(schema)}.${quoteIdentifier(getTableConfig(table).name)}`;
  return {
    notifications: name(tables.notifications),
    inboxItems: name(tables.inboxItems),
    inboxCounters: name(tables.inboxCounters),
    readMarks: name(tables.readMarks),
    fanOutChunks: name(tables.fanOutChunks),
    sends: name(tables.sends),
    trackings: name(tables.trackings),
    deliveries: name(tables.deliveries),
    deliveryAttempts: name(tables.deliveryAttempts),
    idempotencyKeys: name(tables.idempotencyKeys),
    auditLog: name(tables.auditLog),
    apiKeys: name(tables.apiKeys),
    presence: name(tables.presence),
    events: name(tables.events),
    eventAcks: name(tables.eventAcks),
    identities: name(tables.identities),
    handlers: name(tables.handlers),
    processingRecords: name(tables.processingRecords),
    migrations: name(tables.migrations),
  };
}

/** A name of any characters as SQL takes it. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
