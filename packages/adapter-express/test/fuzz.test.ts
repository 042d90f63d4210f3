import { NotificationService } from "@belfry/core";
import type { FreshDatabase } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import { fuzzSuite } from "@belfry/testkit";
import { afterAll } from "vitest";
import { migratedPostgres } from "../../../test/migrated-postgres.ts";
import { expressHarness } from "./harness.ts";

const databases: FreshDatabase[] = [];

afterAll(async () => {
  await Promise.all(databases.map((database) => database.drop()));
});

fuzzSuite(
  "Express over PostgreSQL",
  expressHarness(async (needs) => {
    const database = await migratedPostgres();
    databases.push(database);
    return new NotificationService({ storage: postgresStorage(database.url), ...needs });
  }),
  { requests: Number(process.env.BELFRY_FUZZ ?? 250), frames: process.env.BELFRY_FUZZ ? 500 : 250 },
);
