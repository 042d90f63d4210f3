import { NotificationService } from "@belfry/core";
import { type FreshDatabase, freshDatabase } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { longReplaySuite } from "@belfry/testkit";
import { afterAll } from "vitest";
import { honoHarness } from "./harness.ts";

/** 150 MB for each client. */
const ITEMS = 600;

const databases: FreshDatabase[] = [];

afterAll(async () => {
  await Promise.all(databases.map((database) => database.drop()));
});

longReplaySuite(
  "Hono over SQLite",
  honoHarness(async (needs) => new NotificationService({ storage: sqliteStorage(":memory:"), ...needs })),
  ITEMS,
);

longReplaySuite(
  "Hono over PostgreSQL",
  honoHarness(async (needs) => {
    const database = await freshDatabase();
    databases.push(database);
    return new NotificationService({ storage: postgresStorage(database.url), ...needs });
  }),
  ITEMS,
);
