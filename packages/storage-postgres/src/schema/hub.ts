import type { JsonObject, ProcessingStatus } from "@belfry/core";
import { isNotNull, sql } from "drizzle-orm";
import { foreignKey, index, integer, json, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { bytewiseText, goesWith, key, number, type TableMaker, time } from "./columns.ts";
import type { Notifications } from "./inbox.ts";

/**
 * Where notifications of kind `event` came from: a table of their own, so that its indexes cost other notifications
 * nothing.
 */
export const eventsTable = (table: TableMaker, notifications: Notifications) =>
  table(
    "belfry_events",
    {
      notificationPk: number("notification_pk").primaryKey(),
      tenant: bytewiseText("tenant").notNull(),
      source: bytewiseText("source").notNull(),
      sender: bytewiseText("sender").notNull(),
      receivedAt: time("received_at").notNull(),
    },
    (columns) => [
      goesWith("belfry_events_notification_pk_fkey", columns.notificationPk, notifications.pk),
      index("belfry_events_tenant").on(columns.tenant, columns.receivedAt, columns.notificationPk),
      index("belfry_events_source").on(columns.tenant, columns.source, columns.receivedAt, columns.notificationPk),
      index("belfry_events_sender").on(columns.tenant, columns.sender, columns.receivedAt, columns.notificationPk),
    ],
  );

/** Who acknowledged an event first when. */
export const eventAcksTable = (table: TableMaker, notifications: Notifications) =>
  table(
    "belfry_event_acks",
    {
      notificationPk: number("notification_pk").notNull(),
      client: bytewiseText("client").notNull(),
      acknowledgedAt: time("acknowledged_at").notNull(),
    },
    (columns) => [
      primaryKey({ name: "belfry_event_acks_pkey", columns: [columns.notificationPk, columns.client] }),
      goesWith("belfry_event_acks_notification_pk_fkey", columns.notificationPk, notifications.pk),
    ],
  );

/** People and things, as their sources know them. */
export const identitiesTable = (table: TableMaker) =>
  table(
    "belfry_identities",
    {
      pk: key("pk"),
      id: uuid("id").notNull(),
      tenant: bytewiseText("tenant").notNull(),
      source: bytewiseText("source").notNull(),
      sourceId: bytewiseText("source_id").notNull(),
      /** SHA-256 of `source_id`: three long texts would be more than an index takes. */
      sourceDigest: bytewiseText("source_digest").notNull(),
      name: text("name").notNull(),
      /** The name without regard to case, as core folds it: what PostgreSQL folds depends on the database's locale. */
      foldedName: bytewiseText("folded_name").notNull(),
      metadata: json("metadata").$type<JsonObject>().notNull(),
      createdAt: time("created_at").notNull(),
      updatedAt: time("updated_at").notNull(),
    },
    (columns) => [
      uniqueIndex("belfry_identities_id").on(columns.tenant, columns.id),
      uniqueIndex("belfry_identities_source_id").on(columns.tenant, columns.source, columns.sourceDigest),
      index("belfry_identities_tenant").on(columns.tenant, columns.createdAt, columns.pk),
      index("belfry_identities_source").on(columns.tenant, columns.source, columns.createdAt, columns.pk),
    ],
  );

/** The rules for the processing of events. */
export const handlersTable = (table: TableMaker) =>
  table(
    "belfry_handlers",
    {
      pk: key("pk"),
      id: uuid("id").notNull(),
      tenant: bytewiseText("tenant").notNull(),
      source: bytewiseText("source").notNull(),
      prompt: text("prompt").notNull(),
      filter: json("filter").$type<JsonObject>().notNull(),
      createdAt: time("created_at").notNull(),
      updatedAt: time("updated_at").notNull(),
    },
    (columns) => [
      uniqueIndex("belfry_handlers_id").on(columns.tenant, columns.id),
      index("belfry_handlers_tenant").on(columns.tenant, columns.createdAt, columns.pk),
      index("belfry_handlers_source").on(columns.tenant, columns.source, columns.createdAt, columns.pk),
    ],
  );

/** The long prompts of records, each once, however many records have it. */
export const promptsTable = (table: TableMaker) =>
  table(
    "belfry_prompts",
    {
      pk: key("pk"),
      tenant: bytewiseText("tenant").notNull(),
      /** SHA-256 of the text, in hexadecimal. */
      digest: text("digest").notNull(),
      text: text("text").notNull(),
    },
    (columns) => [uniqueIndex("belfry_prompts_digest").on(columns.tenant, columns.digest)],
  );

/** One event to be processed by one handler: its own entry in the queue. */
export const processingRecordsTable = (table: TableMaker, notifications: Notifications, prompts: ReturnType<typeof promptsTable>) =>
  table(
    "belfry_processing_records",
    {
      pk: key("pk"),
      id: uuid("id").notNull(),
      notificationPk: number("notification_pk").notNull(),
      tenant: bytewiseText("tenant").notNull(),
      /** Its event's. */
      source: bytewiseText("source").notNull(),
      /** No reference: records outlive their handler. */
      handlerId: uuid("handler_id").notNull(),
      /** Empty where `promptPk` says where it is. */
      prompt: text("prompt").notNull(),
      promptPk: number("prompt_pk"),
      status: text("status").$type<ProcessingStatus>().notNull(),
      result: text("result"),
      error: text("error"),
      attempt: integer("attempt").notNull(),
      inputTokens: number("input_tokens"),
      outputTokens: number("output_tokens"),
      createdAt: time("created_at").notNull(),
      completedAt: time("completed_at"),
      dueAt: time("due_at"),
      leaseOwner: text("lease_owner"),
      leaseUntil: time("lease_until"),
      fence: integer("fence").notNull(),
    },
    (columns) => [
      goesWith("belfry_processing_records_notification_pk_fkey", columns.notificationPk, notifications.pk),
      foreignKey({ name: "belfry_processing_records_prompt_pk_fkey", columns: [columns.promptPk], foreignColumns: [prompts.pk] }),
      uniqueIndex("belfry_processing_records_id").on(columns.id),
      index("belfry_processing_records_notification").on(columns.notificationPk, columns.pk),
      index("belfry_processing_records_due").on(columns.dueAt, columns.pk).where(sql`status = 'PENDING'`),
      // Serves claims that leave tenants out, however many records these have pending.
      index("belfry_processing_records_tenant_due").on(columns.tenant, columns.dueAt, columns.pk).where(sql`status = 'PENDING'`),
      index("belfry_processing_records_leased").on(columns.leaseUntil).where(isNotNull(columns.leaseOwner)),
      index("belfry_processing_records_settled")
        .on(columns.tenant, columns.source, columns.completedAt, columns.pk)
        .where(isNotNull(columns.completedAt)),
      index("belfry_processing_records_prompt").on(columns.promptPk).where(isNotNull(columns.promptPk)),
    ],
  );
