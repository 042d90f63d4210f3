import { storageSuite } from "@belfry/testkit";
import { test } from "vitest";
import { hasLowest } from "./lowest-server.ts";
import { driverTransaction, openSubject } from "./storage-subject.ts";

const isLong = Boolean(process.env.BELFRY_LONG);
const harness = { singleWriter: false, create: () => openSubject({ source: ({ host }) => host, transaction: driverTransaction }) };

if (hasLowest) {
  // All migrations, how it opens and closes, and what a random walk asks of most parts.
  storageSuite("postgres 15", { ...harness, covers: isLong ? "examples" : "opening" });
  storageSuite("postgres 15, at random", {
    ...harness,
    covers: "models",
    modelOperations: isLong ? 1_000 : 60,
    modelCheckEvery: 10,
    cacheSteps: 20,
  });
} else {
  test.skip("there are no programs of PostgreSQL 15 for this platform", () => undefined);
}
