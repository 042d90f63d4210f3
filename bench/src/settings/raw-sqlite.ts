import type Database from "better-sqlite3";
import { dataOf, MESSAGE, TITLE, typeOf } from "./content.ts";
import { rawUuidV7 } from "./raw-uuid.ts";

/** Writes on Belfry's schema by hand: prepared statements, rows as lists, no more columns than needed. */
export class RawSqliteWriter {
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #notification: Database.Statement;
  readonly #oneMore: Database.Statement;
  readonly #first: Database.Statement;
  readonly #number: Database.Statement;
  readonly #item: Database.Statement;
  #order = 0;

  constructor(database: Database.Database) {
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
    this.#notification = database.prepare(
      "INSERT INTO belfry_notifications (tenant, id, kind, type, title, message, data, priority, created_at) VALUES ('default', ?, 'message', ?, ?, ?, ?, 'normal', ?)",
    );
    // An upsert that returns the number costs more than these two: SQLite makes a table for what it returns.
    this.#oneMore = database.prepare(
      "UPDATE belfry_inbox_counters SET last_seq = last_seq + 1, total = total + 1, unread = unread + 1 WHERE tenant = 'default' AND user_id = ?",
    );
    this.#first = database.prepare(
      "INSERT INTO belfry_inbox_counters (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch) VALUES ('default', ?, 1, 1, 1, 0, lower(hex(randomblob(6))))",
    );
    this.#number = database.prepare("SELECT last_seq, epoch FROM belfry_inbox_counters WHERE tenant = 'default' AND user_id = ?").raw();
    this.#item = database.prepare(
      "INSERT INTO belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at) VALUES ('default', ?, ?, ?, ?, ?)",
    );
  }

  /** Creates a notification for each of the users, in one transaction, and answers with the number of the last item. */
  create(users: readonly string[]): number {
    let seq = 0;
    this.#begin.run();
    for (const userId of users) {
      const now = Date.now();
      this.#order += 1;
      const type = typeOf(this.#order);
      const { lastInsertRowid } = this.#notification.run(rawUuidV7(now), type, TITLE, MESSAGE, JSON.stringify(dataOf(this.#order)), now);
      if (this.#oneMore.run(userId).changes === 0) {
        this.#first.run(userId);
      }
      [seq] = this.#number.get(userId) as [number, string];
      this.#item.run(userId, seq, lastInsertRowid, type, now);
    }
    this.#commit.run();
    return seq;
  }
}

/** Writes as an application without a library does: a transaction per notification, a statement prepared where it is used. */
export function usualCreate(database: Database.Database): (userId: string) => void {
  let order = 0;
  return (userId) => {
    order += 1;
    database
      .prepare("INSERT INTO notifications (id, user_id, type, title, message, data, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)")
      .run(crypto.randomUUID(), userId, typeOf(order), TITLE, MESSAGE, JSON.stringify(dataOf(order)), new Date().toISOString());
  };
}
