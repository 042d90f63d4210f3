import type { JsonObject, Notification, NotificationKind } from "@belfry/core";
import { integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** One row for each event that users are told of, however many users get it. Times are milliseconds since 1970, UTC. */
export const notifications = sqliteTable(
  "belfry_notifications",
  {
    /** For joins; the public id is `id`. */
    pk: integer("pk").primaryKey(),
    tenant: text("tenant").notNull(),
    /** UUIDv7 in lower case. */
    id: text("id").notNull(),
    kind: text("kind").$type<NotificationKind>().notNull(),
    type: text("type").notNull(),
    title: text("title").notNull(),
    message: text("message").notNull(),
    data: text("data", { mode: "json" }).$type<JsonObject>().notNull(),
    source: text("source"),
    sender: text("sender"),
    createdAt: integer("created_at", { mode: "timestamp_ms" }).notNull(),
    priority: text("priority").$type<Notification["priority"]>().notNull().default("normal"),
  },
  // Serves look-up by id and, because a UUIDv7 sorts by time, a tenant's newest first.
  (table) => [uniqueIndex("belfry_notifications_tenant_id").on(table.tenant, table.id)],
);

/** The key of a notification, with which the row goes. */
export const ofNotification = () => integer("notification_pk").references(() => notifications.pk, { onDelete: "cascade" });

/**
 * Notifications in users' inboxes. In the migrations the table is `WITHOUT ROWID`: it is its own primary key, so that a
 * list is one range scan. An item is read if it has a `readAt`, or if its number is at most the inbox's `readUpToSeq` and it
 * was not marked unread after the inbox's `readRev`.
 */
export const inboxItems = sqliteTable(
  "belfry_inbox_items",
  {
    tenant: text("tenant").notNull(),
    userId: text("user_id").notNull(),
    seq: integer("seq").notNull(),
    notificationPk: ofNotification().notNull(),
    type: text("type").notNull(),
    createdAt: integer("created_at", { mode: "timestamp_ms" }).notNull(),
    /** When the owner read this very item; null while unread or read only by a mark. */
    readAt: integer("read_at", { mode: "timestamp_ms" }),
    deletedAt: integer("deleted_at", { mode: "timestamp_ms" }),
    /** The change of the inbox that marked this very item unread again: a mark of everything made before does not cover it. */
    unreadRev: integer("unread_rev"),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.userId, table.seq] }),
    // The only secondary index: each one more costs every create.
    uniqueIndex("belfry_inbox_items_notification_user").on(table.notificationPk, table.userId),
  ],
);

/** The state of each inbox, changed in the same transaction as its items. `WITHOUT ROWID` in the migrations. */
export const inboxCounters = sqliteTable(
  "belfry_inbox_counters",
  {
    tenant: text("tenant").notNull(),
    userId: text("user_id").notNull(),
    lastSeq: integer("last_seq").notNull(),
    total: integer("total").notNull(),
    unread: integer("unread").notNull(),
    /** Everything up to this number was read by the newest read mark. */
    readUpToSeq: integer("read_up_to_seq").notNull(),
    epoch: text("epoch").notNull(),
    /** Numbers the changes of the inbox but for new items: the last one's number. */
    rev: integer("rev").notNull().default(0),
    /** The change that made the newest read mark. */
    readRev: integer("read_rev").notNull().default(0),
    /** Below it nothing is unread again that the newest read mark covers; null if nothing is at all. */
    reopenedFromSeq: integer("reopened_from_seq"),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.userId] })],
);

/**
 * Each "mark everything read", never changed afterwards. An item without a `readAt` of its own was read at the time of
 * the earliest mark that covers it and is later than its `unreadRev`. `WITHOUT ROWID` in the migrations.
 */
export const readMarks = sqliteTable(
  "belfry_read_marks",
  {
    tenant: text("tenant").notNull(),
    userId: text("user_id").notNull(),
    upToSeq: integer("up_to_seq").notNull(),
    readAt: integer("read_at", { mode: "timestamp_ms" }).notNull(),
    /** The change of the inbox that made it. */
    rev: integer("rev").notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.userId, table.upToSeq, table.rev] })],
);

/** Recipients whose items are still to be written, oldest chunk first. */
export const fanOutChunks = sqliteTable("belfry_fan_out_chunks", {
  pk: integer("pk").primaryKey(),
  notificationPk: ofNotification().notNull(),
  /** Sorted bytewise. */
  recipients: text("recipients", { mode: "json" }).$type<readonly string[]>().notNull(),
});
