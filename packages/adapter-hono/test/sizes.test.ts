import { NotificationService } from "@belfry/core";
import type { FreshDatabase } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { longReplaySuite, widestListSuite } from "@belfry/testkit";
import { afterAll } from "vitest";
import { migratedPostgres } from "../../../test/migrated-postgres.ts";
import { honoHarness } from "./harness.ts";

/** 200 MB for each client. The suites of both storages have 15 MB. */
const ITEMS = 800;

const databases: FreshDatabase[] = [];

afterAll(async () => {
  await Promise.all(databases.map((database) => database.drop()));
});

const onSqlite = honoHarness(async (needs) => new NotificationService({ storage: sqliteStorage(":memory:"), ...needs }));

const onPostgres = honoHarness(async (needs) => {
  const database = await migratedPostgres();
  databases.push(database);
  return new NotificationService({ storage: postgresStorage(database.url), ...needs });
});

if (process.env.BELFRY_LONG) {
  longReplaySuite("Hono over SQLite", onSqlite, ITEMS);
  longReplaySuite("Hono over PostgreSQL", onPostgres, ITEMS);
}
widestListSuite("Hono over SQLite", onSqlite);
widestListSuite("Hono over PostgreSQL", onPostgres);
