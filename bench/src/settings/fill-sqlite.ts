import { systemClock, uuidV7 } from "@belfry/core";
import type Database from "better-sqlite3";
import { dataOf, MESSAGE, SPREAD_MS, TITLE, typeOf } from "./content.ts";
import { randomFrom } from "./random.ts";
import { eachUser, randomUser } from "./users.ts";

/** What is put into the inboxes of a new database. */
export interface Filling {
  readonly items: number;
  readonly users: readonly string[];
  /** This share of the items is in the inbox of the first user. @default 0 */
  readonly hotShare?: number;
  /** This share of the items is read, each by its own time. @default 0.3 */
  readonly readShare?: number;
  /** All have this type. @default several */
  readonly type?: string;
  /** Whether all users get as many items. @default each item goes to a random user */
  readonly isEven?: boolean;
}

/** Picks, for one item after another, the user and whether it is read. */
export function picker({ users, hotShare = 0, readShare = 0.3, isEven = false }: Filling) {
  const random = randomFrom(3);
  const next = isEven ? eachUser(users) : randomUser(users);
  return (): { readonly userId: string; readonly isRead: boolean } => {
    const isHot = hotShare > 0 && random() < hotShare;
    return { userId: isHot ? (users[0] as string) : next(), isRead: random() < readShare };
  };
}

/** Fills Belfry's tables: users in random order, spread over time, as they would be after months. */
export function fillSqlite(database: Database.Database, filling: Filling): void {
  const { items } = filling;
  const pick = picker(filling);
  let now = 0;
  const ids = uuidV7({ ...systemClock, now: () => now });
  const notification = database.prepare(
    "INSERT INTO belfry_notifications (tenant, id, kind, type, title, message, data, created_at) VALUES ('default', ?, 'message', ?, ?, ?, ?, ?)",
  );
  const item = database.prepare(
    "INSERT INTO belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at, read_at) VALUES ('default', ?, ?, ?, ?, ?, ?)",
  );
  const inboxes = new Map<string, { total: number; unread: number }>();
  const start = Date.now() - SPREAD_MS;
  inBulk(database, () => {
    for (let order = 0; order < items; order += 1) {
      const { userId, isRead } = pick();
      const inbox = inboxes.get(userId) ?? { total: 0, unread: 0 };
      inboxes.set(userId, inbox);
      const at = start + Math.floor((order / items) * SPREAD_MS);
      now = at;
      const type = filling.type ?? typeOf(order);
      const { lastInsertRowid } = notification.run(ids.next(), type, TITLE, MESSAGE, JSON.stringify(dataOf(order)), at);
      inbox.total += 1;
      inbox.unread += isRead ? 0 : 1;
      item.run(userId, inbox.total, lastInsertRowid, type, at, isRead ? at + 60_000 : null);
    }
    const counters = database.prepare(
      "INSERT INTO belfry_inbox_counters (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch) VALUES ('default', ?, ?, ?, ?, 0, lower(hex(randomblob(6))))",
    );
    for (const [userId, { total, unread }] of inboxes) {
      counters.run(userId, total, total, unread);
    }
  });
}

/** The table of an application without a library: a row per user, an index for lists, one for counts. */
export function fillUsualSqlite(database: Database.Database, filling: Filling): void {
  database.exec(`CREATE TABLE notifications (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, type TEXT NOT NULL, title TEXT NOT NULL,
      message TEXT NOT NULL, data TEXT NOT NULL, is_read INTEGER NOT NULL DEFAULT 0, read_at TEXT, created_at TEXT NOT NULL);
    CREATE INDEX by_user ON notifications (user_id, created_at);
    CREATE INDEX unread ON notifications (user_id, is_read)`);
  const { items } = filling;
  const pick = picker(filling);
  const insert = database.prepare("INSERT INTO notifications VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const start = Date.now() - SPREAD_MS;
  inBulk(database, () => {
    for (let order = 0; order < items; order += 1) {
      const { userId, isRead } = pick();
      const at = new Date(start + Math.floor((order / items) * SPREAD_MS)).toISOString();
      const type = filling.type ?? typeOf(order);
      insert.run(crypto.randomUUID(), userId, type, TITLE, MESSAGE, JSON.stringify(dataOf(order)), isRead ? 1 : 0, isRead ? at : null, at);
    }
  });
}

function inBulk(database: Database.Database, fill: () => void): void {
  const cacheSize = database.pragma("cache_size", { simple: true });
  database.pragma("cache_size = -1000000");
  database.transaction(fill)();
  database.pragma("wal_checkpoint(TRUNCATE)");
  database.pragma(`cache_size = ${cacheSize}`);
}
