import type { Migration } from "@belfry/core/storage";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { Connection } from "../src/database/connection.ts";
import { migrate, sqliteStorage } from "../src/index.ts";
import { MIGRATIONS } from "../src/migrations/index.ts";
import { migrateAtOpen } from "../src/migrations/migrate.ts";
import { ended, linesOf, startProcess, temporaryPath, useCleanup } from "./setup.ts";

describe("migrations", () => {
  const cleanup = useCleanup();

  function openDatabase(path = temporaryPath(cleanup)): Database.Database {
    const database = new Database(path);
    cleanup(() => database.close());
    return database;
  }

  function applied(database: Database.Database): unknown[] {
    return database.prepare("SELECT id FROM belfry_migrations ORDER BY id").pluck().all();
  }

  function tables(database: Database.Database): unknown[] {
    return database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all();
  }

  const expand = (sql: string): Migration => ({ phase: "expand", sql });

  const all = MIGRATIONS.map((_, index) => index + 1);

  test("a fresh database gets every table", async () => {
    const database = openDatabase();
    await migrate(database);
    expect(applied(database)).toEqual(all);
    expect(tables(database)).toEqual([
      "belfry_alarms",
      "belfry_api_keys",
      "belfry_attempt_sums",
      "belfry_audiences",
      "belfry_audit_log",
      "belfry_backlog_samples",
      "belfry_broadcast_numbers",
      "belfry_broadcasts",
      "belfry_choices",
      "belfry_circuits",
      "belfry_content_tokens",
      "belfry_deleted_users",
      "belfry_deliveries",
      "belfry_delivery_attempts",
      "belfry_devices",
      "belfry_digest_entries",
      "belfry_digests",
      "belfry_ended_broadcasts",
      "belfry_event_acks",
      "belfry_events",
      "belfry_fan_out_chunks",
      "belfry_fan_out_parts",
      "belfry_fan_outs",
      "belfry_handlers",
      "belfry_idempotency_keys",
      "belfry_identities",
      "belfry_inbox_changes",
      "belfry_inbox_counters",
      "belfry_inbox_groups",
      "belfry_inbox_items",
      "belfry_item_updates",
      "belfry_migrations",
      "belfry_notifications",
      "belfry_pauses",
      "belfry_processing_records",
      "belfry_prompts",
      "belfry_read_marks",
      "belfry_retry_runs",
      "belfry_sends",
      "belfry_settings",
      "belfry_socket_tickets",
      "belfry_soft_bounces",
      "belfry_subscriptions",
      "belfry_suppressions",
      "belfry_taken_addresses",
      "belfry_throttles",
      "belfry_trackings",
      "belfry_worker_heartbeats",
      "sqlite_sequence",
    ]);
  });

  test("a second migration changes nothing", async () => {
    const database = openDatabase();
    await migrate(database);
    const before = database.prepare("SELECT * FROM belfry_migrations").all();
    await migrate(database);
    expect(database.prepare("SELECT * FROM belfry_migrations").all()).toEqual(before);
  });

  test("a database that is up to date opens while another connection writes", async () => {
    const path = temporaryPath(cleanup);
    const first = sqliteStorage(path);
    await first.open();
    cleanup(() => first.close());
    const writer = openDatabase(path);
    writer.exec("BEGIN IMMEDIATE");
    const second = sqliteStorage(path, { busyTimeoutMs: 0 });
    cleanup(() => second.close());
    await expect(second.open()).resolves.toBeUndefined();
  });

  test("a connection that reads integers as BigInt is migrated too", async () => {
    const database = openDatabase();
    database.defaultSafeIntegers(true);
    await migrate(database);
    await migrate(database);
    expect(applied(database)).toEqual(all.map(BigInt));
  });

  test("the host's own tables stay", async () => {
    const database = openDatabase();
    database.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (7)");
    await migrate(database);
    expect(database.prepare("SELECT id FROM orders").pluck().all()).toEqual([7]);
  });

  test("a migration whose SQL is not what the database has is refused", async () => {
    const database = openDatabase();
    await migrate(database);
    database.prepare("UPDATE belfry_migrations SET checksum = 'other' WHERE id = 1").run();
    await expect(migrate(database)).rejects.toMatchObject({
      code: "CONFIGURATION",
      message: expect.stringMatching(/Migration 1 .* other/),
    });
  });

  test("a database of a newer version is refused", async () => {
    const database = openDatabase();
    await migrate(database);
    database.prepare("INSERT INTO belfry_migrations VALUES (@id, 'later', 0, @id)").run({ id: MIGRATIONS.length + 1 });
    await expect(migrate(database)).rejects.toMatchObject({ code: "CONFIGURATION", message: expect.stringMatching(/newer version/) });
  });

  test("a migration that fails leaves nothing of itself or of those before it", async () => {
    const database = openDatabase();
    const connection = new Connection(database, 1_000);
    const sql = "CREATE TABLE belfry_half (id INTEGER); INSERT INTO belfry_nowhere VALUES (1);";
    await expect(migrateAtOpen(connection, [...MIGRATIONS, { phase: "expand", sql }])).rejects.toMatchObject({ code: "STORAGE_FAILED" });
    expect(tables(database)).toEqual([]);
    await migrateAtOpen(connection, MIGRATIONS);
    expect(applied(database)).toEqual(all);
  });

  test("only what is missing is applied, in order", async () => {
    const database = openDatabase();
    const connection = new Connection(database, 1_000);
    await migrateAtOpen(connection, MIGRATIONS);
    const more = [...MIGRATIONS, ...["CREATE TABLE belfry_later (id INTEGER)", "INSERT INTO belfry_later VALUES (1)"].map(expand)];
    await migrateAtOpen(connection, more);
    expect(applied(database)).toEqual(more.map((_, index) => index + 1));
    expect(database.prepare("SELECT id FROM belfry_later").pluck().all()).toEqual([1]);
  });

  test("several processes that start at once migrate once", async () => {
    const path = temporaryPath(cleanup);
    const children = Array.from({ length: 4 }, () => startProcess("open-storage", [path]));
    const lines = children.map((child) => linesOf(child)[Symbol.asyncIterator]());
    const exits = children.map(ended);
    expect(await Promise.all(lines.map(async (line) => (await line.next()).value))).toEqual(children.map(() => "ready"));
    for (const child of children) {
      child.stdin?.write("go\n");
    }
    expect(await Promise.all(lines.map(async (line) => (await line.next()).value))).toEqual(children.map(() => "opened"));
    expect(await Promise.all(exits)).toEqual(children.map(() => 0));
    expect(applied(openDatabase(path))).toEqual(all);
  });

  test("a storage told not to migrate says that the tables are not there", async () => {
    const path = temporaryPath(cleanup);
    const storage = sqliteStorage(path, { migrate: false });
    await expect(storage.open()).rejects.toMatchObject({ code: "CONFIGURATION", message: expect.stringMatching(/no Belfry tables/) });
    await migrate(openDatabase(path));
    await storage.open();
    cleanup(() => storage.close());
    expect(await storage.inbox.listTenant("acme", 1)).toEqual([]);
  });
});
