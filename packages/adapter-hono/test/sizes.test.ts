import { NotificationService } from "@belfry/core";
import { type FreshDatabase, freshDatabase } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { longReplaySuite, widestListSuite } from "@belfry/testkit";
import { afterAll } from "vitest";
import { honoHarness } from "./harness.ts";

/** 15 MB for each client, or 200 MB in long runs. */
const ITEMS = process.env.BELFRY_LONG ? 800 : 60;

const databases: FreshDatabase[] = [];

afterAll(async () => {
  await Promise.all(databases.map((database) => database.drop()));
});

const onSqlite = honoHarness(async (needs) => new NotificationService({ storage: sqliteStorage(":memory:"), ...needs }));

const onPostgres = honoHarness(async (needs) => {
  const database = await freshDatabase();
  databases.push(database);
  return new NotificationService({ storage: postgresStorage(database.url), ...needs });
});

longReplaySuite("Hono over SQLite", onSqlite, ITEMS);
longReplaySuite("Hono over PostgreSQL", onPostgres, ITEMS);
widestListSuite("Hono over SQLite", onSqlite);
widestListSuite("Hono over PostgreSQL", onPostgres);
