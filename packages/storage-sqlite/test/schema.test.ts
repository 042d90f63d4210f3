import Database from "better-sqlite3";
import { generateSQLiteDrizzleJson, generateSQLiteMigration } from "drizzle-kit/api";
import { describe, expect, test } from "vitest";
import { migrate } from "../src/index.ts";

/** Describes the tables of a database: columns, keys, indexes and references, but not whether they have a rowid. */
function describeTables(database: Database.Database): unknown {
  const names = database.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all();
  return names.map((name) => ({
    name,
    columns: database.prepare('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(?)').all(name).map(lowerCaseType),
    references: database
      .prepare('SELECT "from", "table", "to", on_update, on_delete FROM pragma_foreign_key_list(?) ORDER BY "from"')
      .all(name),
    indexes: database
      .prepare<[string, string], { name: string }>(
        'SELECT name, "unique", partial FROM pragma_index_list(?) WHERE origin = ? ORDER BY name',
      )
      .all(name, "c")
      .map((index) => ({
        ...index,
        columns: database.prepare('SELECT name, "desc", coll FROM pragma_index_xinfo(?) WHERE key').all(index.name),
      })),
  }));
}

function lowerCaseType(column: unknown): unknown {
  const { type, ...others } = column as { readonly type: string };
  return { ...others, type: type.toLowerCase() };
}

describe("schema", () => {
  test("the migrations make the tables that the drizzle schema declares", async () => {
    const schema = await import("../src/schema.ts");
    const migrated = new Database(":memory:");
    await migrate(migrated);
    const declared = new Database(":memory:");
    const statements = await generateSQLiteMigration(await generateSQLiteDrizzleJson({}), await generateSQLiteDrizzleJson(schema));
    for (const statement of statements) {
      declared.exec(statement);
    }
    expect(describeTables(migrated)).toEqual(describeTables(declared));
    expect(describeTables(migrated)).toHaveLength(Object.keys(schema).length + 1); // SQLite's own, for AUTOINCREMENT
  });

  test("every column of a notification that an inbox shows changes the content token", async () => {
    const database = new Database(":memory:");
    await migrate(database);
    const text = database.prepare("SELECT sql FROM sqlite_schema WHERE name = 'belfry_content_changed'").pluck().get();
    const [, named = ""] = /UPDATE OF ([^)]*?) ON/s.exec(String(text)) ?? [];
    const columns = database.prepare<[], string>("SELECT name FROM pragma_table_info('belfry_notifications')").pluck().all();
    const shown = columns.filter((name) => !["pk", "expired_at"].includes(name));
    expect(
      named
        .split(",")
        .map((name) => name.trim())
        .sort(),
    ).toEqual(shown.sort());
  });

  test("the tables read by key are their own key", async () => {
    const database = new Database(":memory:");
    await migrate(database);
    const clustered = database.prepare("SELECT name FROM pragma_table_list WHERE wr = 1 ORDER BY name").pluck().all();
    expect(clustered).toEqual([
      "belfry_alarms",
      "belfry_attempt_sums",
      "belfry_backlog_samples",
      "belfry_broadcast_numbers",
      "belfry_choices",
      "belfry_circuits",
      "belfry_content_tokens",
      "belfry_deleted_users",
      "belfry_delivery_attempts",
      "belfry_event_acks",
      "belfry_idempotency_keys",
      "belfry_inbox_changes",
      "belfry_inbox_counters",
      "belfry_inbox_groups",
      "belfry_inbox_items",
      "belfry_pauses",
      "belfry_read_marks",
      "belfry_settings",
      "belfry_subscriptions",
      "belfry_taken_addresses",
      "belfry_throttles",
      "belfry_worker_heartbeats",
    ]);
  });
});
