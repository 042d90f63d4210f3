import { NotificationService } from "@belfry/core";
import type { FreshDatabase } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import { httpSuite } from "@belfry/testkit";
import { afterAll } from "vitest";
import { migratedPostgres } from "../../../test/migrated-postgres.ts";
import { expressHarness } from "./harness.ts";

const databases: FreshDatabase[] = [];

afterAll(async () => {
  await Promise.all(databases.map((database) => database.drop()));
});

httpSuite(
  "Express over PostgreSQL",
  expressHarness(async (needs) => {
    const database = await migratedPostgres();
    databases.push(database);
    // The suite moves its clock by hand.
    return new NotificationService({ storage: postgresStorage(database.url, { time: "service" }), ...needs });
  }),
);
