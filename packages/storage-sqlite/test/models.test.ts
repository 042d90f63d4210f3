import { COUNTED_FROM } from "@belfry/storage-sql";
import { storageSuite } from "@belfry/testkit";
import { expect, test, vi } from "vitest";
import { byPath, shared } from "./storage-subject.ts";

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

// More where there is time.
storageSuite("sqlite by path", {
  singleWriter: true,
  covers: "models",
  modelOperations: isLong ? 10_000 : 320,
  cacheSteps: isLong ? 100_000 : 100,
  create: byPath,
});

if (isLong) {
  storageSuite("sqlite on the host's connection", { singleWriter: true, covers: "models", modelOperations: 2_000, create: shared });
}
