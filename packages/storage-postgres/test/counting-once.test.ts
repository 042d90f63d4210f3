import type { InboxQuery } from "@belfry/core/storage";
import pg from "pg";
import { expect, test, vi } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { entry, openPool, silent, useCleanup, useDatabase } from "./setup.ts";

vi.mock("../../storage-sql/src/inbox/block-sizes.ts", () => ({
  BLOCK_LENGTH: 4,
  COUNTED_FROM: 40,
  WALKED_PART: 2,
  COUNTED_BYTES: 50_000,
  MAX_CHANGED_BLOCKS: 100,
  PART_MS: 8,
}));

const ITEMS = 60;
const ASKING = 8;
const NOTES = { status: "unread", type: "note", limit: 5 } satisfies InboxQuery;

const database = useDatabase();
const cleanup = useCleanup();

/** An inbox, and how often all blocks of a list were counted since that was asked last. */
async function filled() {
  const pool = openPool(database.url);
  cleanup(() => pool.end());
  const storage = postgresStorage(pool, { logger: silent });
  await storage.open();
  cleanup(() => storage.close());
  const entries = Array.from({ length: ITEMS }, () => entry(["ann"]));
  await storage.inbox.createMany(entries);
  const [{ tenant } = { tenant: "" }] = entries.map(({ notification }) => notification);
  // Each of those who ask has a connection: none has to be opened first.
  await Promise.all(Array.from({ length: ASKING }, () => pool.query("SELECT pg_sleep(0.05)")));
  const query = vi.spyOn(pg.Client.prototype, "query");
  cleanup(() => query.mockRestore());
  const counted = () => {
    const texts = query.mock.calls.map(([config]: readonly unknown[]) => JSON.stringify(config));
    query.mockClear();
    return texts.filter((text) => text.includes("GROUP BY 1")).length;
  };
  return { storage, owner: { tenant, userId: "ann" }, counted };
}

test("a list of a large inbox is counted once for all who ask for it, also after a change of the whole inbox", async () => {
  const { storage, owner, counted } = await filled();
  const matching = async () => {
    const pages = await Promise.all(Array.from({ length: ASKING }, () => storage.inbox.list(owner, NOTES)));
    return [new Set(pages.map((page) => page.matching)), counted()];
  };
  expect(await matching()).toEqual([new Set([ITEMS]), 1]);
  await storage.inbox.markAllRead(owner, new Date());
  expect(await matching()).toEqual([new Set([0]), 1]);
});
