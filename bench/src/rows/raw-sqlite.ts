import { randomUUID } from "node:crypto";
import type Database from "better-sqlite3";

/** Creates one notification with hand-written, prepared statements on Belfry's own schema, inside a transaction. */
export function rawCreate(database: Database.Database): (userId: string) => void {
  const notification = database.prepare(
    "INSERT INTO belfry_notifications (tenant, id, kind, type, title, message, data, created_at) VALUES (?, ?, 'message', ?, ?, ?, ?, ?) RETURNING pk",
  );
  const counters = database.prepare(
    "INSERT INTO belfry_inbox_counters (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch) VALUES (?, ?, 1, 1, 1, 0, 'e') " +
      "ON CONFLICT (tenant, user_id) DO UPDATE SET last_seq = last_seq + 1, total = total + 1, unread = unread + 1 RETURNING last_seq",
  );
  const item = database.prepare(
    "INSERT INTO belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at) VALUES (?, ?, ?, ?, ?, ?)",
  );
  return (userId) => {
    const now = Date.now();
    const data = JSON.stringify({ order: 7 });
    const { pk } = notification.get("default", randomUUID(), "notification", "Order shipped", "It is on its way.", data, now) as {
      pk: number;
    };
    const { last_seq } = counters.get("default", userId) as { last_seq: number };
    item.run("default", userId, last_seq, pk, "notification", now);
  };
}

/** Writes like an application without a library: one table, a row per user, an index for lists, one for counts. */
export function naiveCreate(database: Database.Database): (userId: string) => void {
  database.exec(`CREATE TABLE IF NOT EXISTS notifications (
      id TEXT PRIMARY KEY, user_id TEXT NOT NULL, type TEXT, title TEXT, message TEXT, data TEXT, is_read INTEGER DEFAULT 0, created_at TEXT);
    CREATE INDEX IF NOT EXISTS by_user ON notifications (user_id, created_at);
    CREATE INDEX IF NOT EXISTS unread ON notifications (user_id, is_read)`);
  return (userId) => {
    database
      .prepare("INSERT INTO notifications (id, user_id, type, title, message, data, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)")
      .run(
        randomUUID(),
        userId,
        "notification",
        "Order shipped",
        "It is on its way.",
        JSON.stringify({ order: 7 }),
        new Date().toISOString(),
      );
  };
}
