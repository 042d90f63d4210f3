import type { ApiKeyScope, AttemptStatus, AuditAction, DeliveryStatus, JsonObject, SendStatus, UnreachedReason } from "@belfry/core";
import { isNotNull, sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { ofNotification } from "./inbox.ts";

/** How the deliveries of notifications are planned, and how far they got. Times are milliseconds since 1970, UTC. */
export const trackings = sqliteTable(
  "belfry_trackings",
  {
    notificationPk: ofNotification().primaryKey(),
    tenant: text("tenant").notNull(),
    channel: text("channel").notNull(),
    fallbackDelayMs: integer("fallback_delay_ms").notNull(),
    scheduledAt: integer("scheduled_at", { mode: "timestamp_ms" }),
    status: text("status").$type<SendStatus>().notNull(),
    /** How many of its chains came to what: the status follows from these. */
    pendingChains: integer("pending_chains").notNull(),
    sentChains: integer("sent_chains").notNull(),
    deliveredChains: integer("delivered_chains").notNull(),
    failedChains: integer("failed_chains").notNull(),
    cancelledChains: integer("cancelled_chains").notNull(),
    attempts: integer("attempts").notNull(),
    fallbackUsed: integer("fallback_used", { mode: "boolean" }).notNull(),
    deliveredAt: integer("delivered_at", { mode: "timestamp_ms" }),
    failedAt: integer("failed_at", { mode: "timestamp_ms" }),
    createdAt: integer("created_at", { mode: "timestamp_ms" }).notNull(),
    updatedAt: integer("updated_at", { mode: "timestamp_ms" }).notNull(),
  },
  (table) => [
    index("belfry_trackings_tenant_created").on(table.tenant, table.createdAt, table.notificationPk),
    index("belfry_trackings_tenant_status").on(table.tenant, table.status, table.createdAt, table.notificationPk),
  ],
);

/** What senders said of their sends that only the view of a send shows. */
export const sends = sqliteTable("belfry_sends", {
  notificationPk: ofNotification().primaryKey(),
  tenant: text("tenant").notNull(),
  channels: text("channels", { mode: "json" }).$type<readonly string[]>().notNull(),
  roomId: text("room_id"),
  recipients: text("recipients", { mode: "json" }).$type<readonly string[]>().notNull(),
  hasFallback: integer("has_fallback", { mode: "boolean" }).notNull(),
  meta: text("meta", { mode: "json" }).$type<JsonObject>().notNull(),
  erasedRecipients: integer("erased_recipients").notNull().default(0),
});

/** One notification to one recipient over one channel: its own entry in the queue. */
export const deliveries = sqliteTable(
  "belfry_deliveries",
  {
    pk: integer("pk").primaryKey(),
    id: text("id").notNull(),
    notificationPk: ofNotification().notNull(),
    tenant: text("tenant").notNull(),
    channel: text("channel").notNull(),
    recipient: text("recipient").notNull(),
    chain: integer("chain").notNull(),
    isFallback: integer("is_fallback", { mode: "boolean" }).notNull(),
    status: text("status").$type<DeliveryStatus>().notNull(),
    reason: text("reason").$type<UnreachedReason>(),
    attempt: integer("attempt").notNull(),
    attemptsBefore: integer("attempts_before").notNull(),
    dueAt: integer("due_at", { mode: "timestamp_ms" }),
    leaseOwner: text("lease_owner"),
    leaseUntil: integer("lease_until", { mode: "timestamp_ms" }),
    fence: integer("fence").notNull(),
    settledAt: integer("settled_at", { mode: "timestamp_ms" }),
  },
  (table) => [
    uniqueIndex("belfry_deliveries_id").on(table.id),
    index("belfry_deliveries_chain").on(table.notificationPk, table.chain, table.isFallback),
    index("belfry_deliveries_recipient").on(table.tenant, table.recipient, table.notificationPk),
    index("belfry_deliveries_due").on(table.dueAt).where(sql`status = 'pending' AND lease_owner IS NULL`),
    index("belfry_deliveries_waiting").on(table.dueAt).where(sql`status = 'waiting'`),
    index("belfry_deliveries_leased").on(table.leaseUntil).where(isNotNull(table.leaseOwner)),
  ],
);

/** Every try of a delivery. `WITHOUT ROWID` in the migrations. */
export const deliveryAttempts = sqliteTable(
  "belfry_delivery_attempts",
  {
    deliveryPk: integer("delivery_pk")
      .notNull()
      .references(() => deliveries.pk, { onDelete: "cascade" }),
    attempt: integer("attempt").notNull(),
    status: text("status").$type<AttemptStatus>().notNull(),
    startedAt: integer("started_at", { mode: "timestamp_ms" }).notNull(),
    finishedAt: integer("finished_at", { mode: "timestamp_ms" }).notNull(),
    provider: text("provider").notNull(),
    response: text("response"),
    messageId: text("message_id"),
    error: text("error"),
    note: text("note"),
    isTransient: integer("is_transient", { mode: "boolean" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.deliveryPk, table.attempt] }), index("belfry_delivery_attempts_finished").on(table.finishedAt)],
);

/** Keys under which a send was created, and what its sender was answered. `WITHOUT ROWID` in the migrations. */
export const idempotencyKeys = sqliteTable(
  "belfry_idempotency_keys",
  {
    tenant: text("tenant").notNull(),
    key: text("key").notNull(),
    bodyHash: text("body_hash").notNull(),
    response: text("response").notNull(),
    createdAt: integer("created_at", { mode: "timestamp_ms" }).notNull(),
    notificationId: text("notification_id"),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.key] }),
    index("belfry_idempotency_keys_created").on(table.createdAt),
    index("belfry_idempotency_keys_notification").on(table.notificationId),
  ],
);

/** Who did what to sends. It outlives them. */
export const auditLog = sqliteTable(
  "belfry_audit_log",
  {
    number: integer("number").primaryKey({ autoIncrement: true }),
    tenant: text("tenant").notNull(),
    at: integer("at", { mode: "timestamp_ms" }).notNull(),
    action: text("action").$type<AuditAction>().notNull(),
    actor: text("actor").notNull(),
    notificationId: text("notification_id").notNull(),
  },
  (table) => [
    index("belfry_audit_log_tenant").on(table.tenant, table.number),
    index("belfry_audit_log_notification").on(table.tenant, table.notificationId, table.number),
  ],
);

/** API keys; of each only a digest. */
export const apiKeys = sqliteTable(
  "belfry_api_keys",
  {
    id: text("id").primaryKey(),
    tenant: text("tenant").notNull(),
    name: text("name").notNull(),
    digest: text("digest").notNull(),
    scopes: text("scopes", { mode: "json" }).$type<readonly ApiKeyScope[]>().notNull(),
    createdAt: integer("created_at", { mode: "timestamp_ms" }).notNull(),
    revokedAt: integer("revoked_at", { mode: "timestamp_ms" }),
  },
  (table) => [index("belfry_api_keys_tenant").on(table.tenant, table.createdAt)],
);

/** Tickets for WebSockets: of each a digest, and a credential that only its holder can read. */
export const socketTickets = sqliteTable(
  "belfry_socket_tickets",
  {
    digest: text("digest").primaryKey(),
    sealed: text("sealed").notNull(),
    expiresAt: integer("expires_at", { mode: "timestamp_ms" }).notNull(),
  },
  (table) => [index("belfry_socket_tickets_expires").on(table.expiresAt)],
);
