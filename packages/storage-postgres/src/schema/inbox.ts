import type { JsonObject, Notification, NotificationKind } from "@belfry/core";
import { json, primaryKey, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { bytewiseText, goesWith, key, number, type TableMaker, time } from "./columns.ts";

/**
 * One row for each event that users are told of, however many users get it. `data` is `json`, not `jsonb`: it comes back as it was written, the
 * order of its members included, and costs less to write.
 */
export const notificationsTable = (table: TableMaker) =>
  table(
    "belfry_notifications",
    {
      /** For joins; the public id is `id`. */
      pk: key("pk"),
      tenant: bytewiseText("tenant").notNull(),
      /** UUIDv7. */
      id: uuid("id").notNull(),
      kind: text("kind").$type<NotificationKind>().notNull(),
      type: text("type").notNull(),
      title: text("title").notNull(),
      message: text("message").notNull(),
      data: json("data").$type<JsonObject>().notNull(),
      source: text("source"),
      sender: text("sender"),
      createdAt: time("created_at").notNull(),
      priority: text("priority").$type<Notification["priority"]>().notNull().default("normal"),
    },
    // Serves look-up by id and, because a UUIDv7 sorts by time, a tenant's newest first.
    (columns) => [uniqueIndex("belfry_notifications_tenant_id").on(columns.tenant, columns.id)],
  );

/** The table of notifications, to which others refer. */
export type Notifications = ReturnType<typeof notificationsTable>;

/**
 * Notifications in users' inboxes. An item is read if it has a `readAt`, or if its number is at most the inbox's
 * `readUpToSeq` and it was not marked unread after the inbox's `readRev`.
 */
export const inboxItemsTable = (table: TableMaker, notifications: Notifications) =>
  table(
    "belfry_inbox_items",
    {
      tenant: bytewiseText("tenant").notNull(),
      userId: bytewiseText("user_id").notNull(),
      seq: number("seq").notNull(),
      notificationPk: number("notification_pk").notNull(),
      type: text("type").notNull(),
      createdAt: time("created_at").notNull(),
      /** When the owner read this very item; null while unread or read only by a mark. */
      readAt: time("read_at"),
      deletedAt: time("deleted_at"),
      /** The change of the inbox that marked this very item unread again: a mark of everything made before does not cover it. */
      unreadRev: number("unread_rev"),
    },
    (columns) => [
      primaryKey({ name: "belfry_inbox_items_pkey", columns: [columns.tenant, columns.userId, columns.seq] }),
      goesWith("belfry_inbox_items_notification_pk_fkey", columns.notificationPk, notifications.pk),
      // The only secondary index: each one more costs every create.
      uniqueIndex("belfry_inbox_items_notification_user").on(columns.notificationPk, columns.userId),
    ],
  );

/**
 * The state of each inbox, changed in the same transaction as its items; its row's lock orders the writes of an inbox.
 * A row whose `lastSeq` is 0 stands for an inbox that never had an item.
 */
export const inboxCountersTable = (table: TableMaker) =>
  table(
    "belfry_inbox_counters",
    {
      tenant: bytewiseText("tenant").notNull(),
      userId: bytewiseText("user_id").notNull(),
      lastSeq: number("last_seq").notNull(),
      total: number("total").notNull(),
      unread: number("unread").notNull(),
      /** Everything up to this number was read by the newest read mark. */
      readUpToSeq: number("read_up_to_seq").notNull(),
      epoch: text("epoch").notNull(),
      /** Numbers the changes of the inbox but for new items: the last one's number. */
      rev: number("rev").notNull().default(0),
      /** The change that made the newest read mark. */
      readRev: number("read_rev").notNull().default(0),
      /** Below it nothing is unread again that the newest read mark covers; null if nothing is at all. */
      reopenedFromSeq: number("reopened_from_seq"),
    },
    (columns) => [primaryKey({ name: "belfry_inbox_counters_pkey", columns: [columns.tenant, columns.userId] })],
  );

/**
 * Each "mark everything read", never changed afterwards. An item without a `readAt` of its own was read at the time of
 * the earliest mark that covers it and is later than its `unreadRev`.
 */
export const readMarksTable = (table: TableMaker) =>
  table(
    "belfry_read_marks",
    {
      tenant: bytewiseText("tenant").notNull(),
      userId: bytewiseText("user_id").notNull(),
      upToSeq: number("up_to_seq").notNull(),
      readAt: time("read_at").notNull(),
      /** The change of the inbox that made it. */
      rev: number("rev").notNull().default(0),
    },
    (columns) => [primaryKey({ name: "belfry_read_marks_pkey", columns: [columns.tenant, columns.userId, columns.upToSeq, columns.rev] })],
  );

/** Recipients whose items are still to be written, oldest chunk first. */
export const fanOutChunksTable = (table: TableMaker, notifications: Notifications) =>
  table(
    "belfry_fan_out_chunks",
    {
      pk: key("pk"),
      notificationPk: number("notification_pk").notNull(),
      /** Sorted bytewise. */
      recipients: text("recipients").array().notNull(),
    },
    (columns) => [goesWith("belfry_fan_out_chunks_notification_pk_fkey", columns.notificationPk, notifications.pk)],
  );
