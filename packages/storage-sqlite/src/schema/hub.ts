import type { JsonObject, ProcessingStatus } from "@belfry/core";
import { isNotNull, sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { ofNotification } from "./inbox.ts";

/**
 * Where notifications of kind `event` came from: a table of their own, so that its indexes cost other notifications
 * nothing. Times are milliseconds since 1970, UTC.
 */
export const events = sqliteTable(
  "belfry_events",
  {
    notificationPk: ofNotification().primaryKey(),
    tenant: text("tenant").notNull(),
    source: text("source").notNull(),
    sender: text("sender").notNull(),
    receivedAt: integer("received_at", { mode: "timestamp_ms" }).notNull(),
  },
  (table) => [
    index("belfry_events_tenant").on(table.tenant, table.receivedAt, table.notificationPk),
    index("belfry_events_source").on(table.tenant, table.source, table.receivedAt, table.notificationPk),
    index("belfry_events_sender").on(table.tenant, table.sender, table.receivedAt, table.notificationPk),
  ],
);

/** Who acknowledged an event first when. `WITHOUT ROWID` in the migrations. */
export const eventAcks = sqliteTable(
  "belfry_event_acks",
  {
    notificationPk: ofNotification().notNull(),
    client: text("client").notNull(),
    acknowledgedAt: integer("acknowledged_at", { mode: "timestamp_ms" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.notificationPk, table.client] })],
);

/** People and things, as their sources know them. */
export const identities = sqliteTable(
  "belfry_identities",
  {
    pk: integer("pk").primaryKey(),
    id: text("id").notNull(),
    tenant: text("tenant").notNull(),
    source: text("source").notNull(),
    sourceId: text("source_id").notNull(),
    name: text("name").notNull(),
    /** The name without regard to case, as core folds it: SQLite itself knows the cases of ASCII alone. */
    foldedName: text("folded_name").notNull(),
    metadata: text("metadata", { mode: "json" }).$type<JsonObject>().notNull(),
    createdAt: integer("created_at", { mode: "timestamp_ms" }).notNull(),
    updatedAt: integer("updated_at", { mode: "timestamp_ms" }).notNull(),
  },
  (table) => [
    uniqueIndex("belfry_identities_id").on(table.tenant, table.id),
    uniqueIndex("belfry_identities_source_id").on(table.tenant, table.source, table.sourceId),
    index("belfry_identities_tenant").on(table.tenant, table.createdAt, table.pk),
    index("belfry_identities_source").on(table.tenant, table.source, table.createdAt, table.pk),
  ],
);

/** The rules for the processing of events. */
export const handlers = sqliteTable(
  "belfry_handlers",
  {
    pk: integer("pk").primaryKey(),
    id: text("id").notNull(),
    tenant: text("tenant").notNull(),
    source: text("source").notNull(),
    prompt: text("prompt").notNull(),
    filter: text("filter", { mode: "json" }).$type<JsonObject>().notNull(),
    createdAt: integer("created_at", { mode: "timestamp_ms" }).notNull(),
    updatedAt: integer("updated_at", { mode: "timestamp_ms" }).notNull(),
  },
  (table) => [
    uniqueIndex("belfry_handlers_id").on(table.tenant, table.id),
    index("belfry_handlers_tenant").on(table.tenant, table.createdAt, table.pk),
    index("belfry_handlers_source").on(table.tenant, table.source, table.createdAt, table.pk),
  ],
);

/** The long prompts of records, each once, however many records have it. */
export const prompts = sqliteTable(
  "belfry_prompts",
  {
    pk: integer("pk").primaryKey(),
    tenant: text("tenant").notNull(),
    /** SHA-256 of the text, in hexadecimal. */
    digest: text("digest").notNull(),
    text: text("text").notNull(),
  },
  (table) => [uniqueIndex("belfry_prompts_digest").on(table.tenant, table.digest)],
);

/** One event to be processed by one handler: its own entry in the queue. */
export const processingRecords = sqliteTable(
  "belfry_processing_records",
  {
    pk: integer("pk").primaryKey(),
    id: text("id").notNull(),
    notificationPk: ofNotification().notNull(),
    tenant: text("tenant").notNull(),
    /** Its event's. */
    source: text("source").notNull(),
    /** No reference: records outlive their handler. */
    handlerId: text("handler_id").notNull(),
    /** Empty where `promptPk` says where it is. */
    prompt: text("prompt").notNull(),
    status: text("status").$type<ProcessingStatus>().notNull(),
    result: text("result"),
    error: text("error"),
    attempt: integer("attempt").notNull(),
    inputTokens: integer("input_tokens"),
    outputTokens: integer("output_tokens"),
    createdAt: integer("created_at", { mode: "timestamp_ms" }).notNull(),
    completedAt: integer("completed_at", { mode: "timestamp_ms" }),
    dueAt: integer("due_at", { mode: "timestamp_ms" }),
    leaseOwner: text("lease_owner"),
    leaseUntil: integer("lease_until", { mode: "timestamp_ms" }),
    fence: integer("fence").notNull(),
    promptPk: integer("prompt_pk").references(() => prompts.pk),
  },
  (table) => [
    uniqueIndex("belfry_processing_records_id").on(table.id),
    index("belfry_processing_records_notification").on(table.notificationPk, table.pk),
    index("belfry_processing_records_due").on(table.dueAt, table.pk).where(sql`status = 'PENDING'`),
    // Serves claims that leave tenants out, however many records these have pending.
    index("belfry_processing_records_tenant_due").on(table.tenant, table.dueAt, table.pk).where(sql`status = 'PENDING'`),
    index("belfry_processing_records_leased").on(table.leaseUntil).where(isNotNull(table.leaseOwner)),
    index("belfry_processing_records_settled")
      .on(table.tenant, table.source, table.completedAt, table.pk)
      .where(isNotNull(table.completedAt)),
    index("belfry_processing_records_prompt").on(table.promptPk).where(isNotNull(table.promptPk)),
  ],
);
