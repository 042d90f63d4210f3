import type { ApiKeyScope, AttemptStatus, AuditAction, DeliveryStatus, JsonObject, SendStatus, UnreachedReason } from "@belfry/core";
import { isNotNull, sql } from "drizzle-orm";
import { boolean, index, integer, json, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { bytewiseText, goesWith, key, number, type TableMaker, time } from "./columns.ts";
import type { Notifications } from "./inbox.ts";

/** How the deliveries of notifications are planned, and how far they got. */
export const trackingsTable = (table: TableMaker, notifications: Notifications) =>
  table(
    "belfry_trackings",
    {
      notificationPk: number("notification_pk").primaryKey(),
      tenant: bytewiseText("tenant").notNull(),
      channel: text("channel").notNull(),
      fallbackDelayMs: number("fallback_delay_ms").notNull(),
      scheduledAt: time("scheduled_at"),
      status: bytewiseText("status").$type<SendStatus>().notNull(),
      /** How many of its chains came to what: the status follows from these. */
      pendingChains: integer("pending_chains").notNull(),
      sentChains: integer("sent_chains").notNull(),
      deliveredChains: integer("delivered_chains").notNull(),
      failedChains: integer("failed_chains").notNull(),
      cancelledChains: integer("cancelled_chains").notNull(),
      attempts: integer("attempts").notNull(),
      fallbackUsed: boolean("fallback_used").notNull(),
      deliveredAt: time("delivered_at"),
      failedAt: time("failed_at"),
      createdAt: time("created_at").notNull(),
      updatedAt: time("updated_at").notNull(),
    },
    (columns) => [
      goesWith("belfry_trackings_notification_pk_fkey", columns.notificationPk, notifications.pk),
      index("belfry_trackings_tenant_created").on(columns.tenant, columns.createdAt, columns.notificationPk),
      index("belfry_trackings_tenant_status").on(columns.tenant, columns.status, columns.createdAt, columns.notificationPk),
    ],
  );

/** What senders said of their sends that only the view of a send shows. */
export const sendsTable = (table: TableMaker, notifications: Notifications) =>
  table(
    "belfry_sends",
    {
      notificationPk: number("notification_pk").primaryKey(),
      tenant: bytewiseText("tenant").notNull(),
      channels: json("channels").$type<readonly string[]>().notNull(),
      roomId: text("room_id"),
      recipients: json("recipients").$type<readonly string[]>().notNull(),
      hasFallback: boolean("has_fallback").notNull(),
      meta: json("meta").$type<JsonObject>().notNull(),
      erasedRecipients: integer("erased_recipients").notNull().default(0),
    },
    (columns) => [goesWith("belfry_sends_notification_pk_fkey", columns.notificationPk, notifications.pk)],
  );

/** One notification to one recipient over one channel: its own entry in the queue. */
export const deliveriesTable = (table: TableMaker, notifications: Notifications) =>
  table(
    "belfry_deliveries",
    {
      pk: key("pk"),
      id: uuid("id").notNull(),
      notificationPk: number("notification_pk").notNull(),
      tenant: bytewiseText("tenant").notNull(),
      channel: bytewiseText("channel").notNull(),
      recipient: bytewiseText("recipient").notNull(),
      chain: integer("chain").notNull(),
      isFallback: boolean("is_fallback").notNull(),
      status: text("status").$type<DeliveryStatus>().notNull(),
      reason: text("reason").$type<UnreachedReason>(),
      attempt: integer("attempt").notNull(),
      attemptsBefore: integer("attempts_before").notNull(),
      dueAt: time("due_at"),
      leaseOwner: text("lease_owner"),
      leaseUntil: time("lease_until"),
      fence: integer("fence").notNull(),
      settledAt: time("settled_at"),
    },
    (columns) => [
      goesWith("belfry_deliveries_notification_pk_fkey", columns.notificationPk, notifications.pk),
      uniqueIndex("belfry_deliveries_id").on(columns.id),
      index("belfry_deliveries_chain").on(columns.notificationPk, columns.chain, columns.isFallback),
      index("belfry_deliveries_recipient").on(columns.tenant, columns.recipient, columns.notificationPk),
      index("belfry_deliveries_due").on(columns.dueAt).where(sql`status = 'pending' AND lease_owner IS NULL`),
      index("belfry_deliveries_waiting").on(columns.dueAt).where(sql`status = 'waiting'`),
      index("belfry_deliveries_leased").on(columns.leaseUntil).where(isNotNull(columns.leaseOwner)),
    ],
  );

/** Every try of a delivery. */
export const deliveryAttemptsTable = (table: TableMaker, deliveries: ReturnType<typeof deliveriesTable>) =>
  table(
    "belfry_delivery_attempts",
    {
      deliveryPk: number("delivery_pk").notNull(),
      attempt: integer("attempt").notNull(),
      status: text("status").$type<AttemptStatus>().notNull(),
      startedAt: time("started_at").notNull(),
      finishedAt: time("finished_at").notNull(),
      provider: text("provider").notNull(),
      response: text("response"),
      messageId: text("message_id"),
      error: text("error"),
      note: text("note"),
      isTransient: boolean("is_transient").notNull(),
    },
    (columns) => [
      primaryKey({ name: "belfry_delivery_attempts_pkey", columns: [columns.deliveryPk, columns.attempt] }),
      goesWith("belfry_delivery_attempts_delivery_pk_fkey", columns.deliveryPk, deliveries.pk),
      index("belfry_delivery_attempts_finished").on(columns.finishedAt),
    ],
  );

/** Keys under which a send was created, and what its sender was answered. */
export const idempotencyKeysTable = (table: TableMaker) =>
  table(
    "belfry_idempotency_keys",
    {
      tenant: bytewiseText("tenant").notNull(),
      key: bytewiseText("key").notNull(),
      bodyHash: text("body_hash").notNull(),
      response: text("response").notNull(),
      createdAt: time("created_at").notNull(),
      notificationId: uuid("notification_id"),
    },
    (columns) => [
      primaryKey({ name: "belfry_idempotency_keys_pkey", columns: [columns.tenant, columns.key] }),
      index("belfry_idempotency_keys_created").on(columns.createdAt),
      index("belfry_idempotency_keys_notification").on(columns.notificationId),
    ],
  );

/** Who did what to sends. It outlives them. */
export const auditLogTable = (table: TableMaker) =>
  table(
    "belfry_audit_log",
    {
      number: key("number"),
      tenant: bytewiseText("tenant").notNull(),
      at: time("at").notNull(),
      action: text("action").$type<AuditAction>().notNull(),
      actor: text("actor").notNull(),
      notificationId: uuid("notification_id").notNull(),
    },
    (columns) => [
      index("belfry_audit_log_tenant").on(columns.tenant, columns.number),
      index("belfry_audit_log_notification").on(columns.tenant, columns.notificationId, columns.number),
    ],
  );

/** API keys; of each only a digest. */
export const apiKeysTable = (table: TableMaker) =>
  table(
    "belfry_api_keys",
    {
      id: bytewiseText("id").primaryKey(),
      tenant: bytewiseText("tenant").notNull(),
      name: text("name").notNull(),
      digest: text("digest").notNull(),
      scopes: json("scopes").$type<readonly ApiKeyScope[]>().notNull(),
      createdAt: time("created_at").notNull(),
      revokedAt: time("revoked_at"),
    },
    (columns) => [index("belfry_api_keys_tenant").on(columns.tenant, columns.createdAt)],
  );

/** Tickets for WebSockets: of each a digest, and a credential that only its holder can read. */
export const socketTicketsTable = (table: TableMaker) =>
  table(
    "belfry_socket_tickets",
    {
      digest: bytewiseText("digest").primaryKey(),
      sealed: text("sealed").notNull(),
      expiresAt: time("expires_at").notNull(),
    },
    (columns) => [index("belfry_socket_tickets_expires").on(columns.expiresAt)],
  );

/** Who is connected to which instance. The row without tenant and user is the instance's lease, and its users' rows last as long. */
export const presenceTable = (table: TableMaker) =>
  table(
    "belfry_presence",
    {
      tenant: bytewiseText("tenant").notNull(),
      userId: bytewiseText("user_id").notNull(),
      instance: bytewiseText("instance").notNull(),
      leaseUntil: time("lease_until").notNull(),
    },
    (columns) => [
      primaryKey({ name: "belfry_presence_pkey", columns: [columns.tenant, columns.userId, columns.instance] }),
      index("belfry_presence_instance").on(columns.instance),
    ],
  );
