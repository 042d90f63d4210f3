import { COUNTED_FROM } from "@belfry/storage-sql";
import { storageSuite } from "@belfry/testkit";
import { expect, test, vi } from "vitest";
import { driverTransaction, drizzleTransaction, openSubject } from "./storage-subject.ts";

// Blocks of a few numbers, and counts by blocks for every inbox, which take many parts where they take any.
vi.mock("../../storage-sql/src/inbox/block-sizes.ts", () => ({
  BLOCK_LENGTH: 4,
  COUNTED_FROM: 1,
  WALKED_PART: 2,
  LOOKED_AT_MOST: 20_000,
  COUNTED_BYTES: 50_000,
  MAX_CHANGED_BLOCKS: 6,
  PART_MS: 0,
}));

// Any few items that are read are deleted at once, if few others are in the way.
vi.mock("../../storage-sql/src/inbox/removed-sizes.ts", () => ({ REMOVED_AT_LEAST: 1, LOOKED_AT_BESIDE: 100 }));

const isLong = Boolean(process.env.BELFRY_LONG);

test("the models read lists of every inbox by blocks", () => {
  expect(COUNTED_FROM).toBe(1);
});

storageSuite("postgres on the host's pool", {
  singleWriter: false,
  covers: "models",
  // More where there is time.
  modelOperations: isLong ? 10_000 : 160,
  modelCheckEvery: isLong ? 1 : 4,
  cacheSteps: isLong ? 10_000 : 40,
  create: () =>
    openSubject({
      source: ({ host }) => host,
      transaction: driverTransaction,
      // The models look at answers, and hardly at what runs at once.
      connections: 3,
      plansOnce: true,
    }),
});

if (isLong) {
  storageSuite("postgres by connection string, in a schema of its own", {
    singleWriter: false,
    covers: "models",
    modelOperations: 1_000,
    create: () => openSubject({ source: ({ url }) => url, transaction: drizzleTransaction, schema: 'Bel"fry' }),
  });
}
