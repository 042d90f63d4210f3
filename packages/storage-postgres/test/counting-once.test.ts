import type { InboxQuery } from "@belfry/core/storage";
import pg from "pg";
import { expect, test, vi } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { entry, openPool, silent, useCleanup, useDatabase } from "./setup.ts";

vi.mock("../../storage-sql/src/inbox/block-sizes.ts", () => ({
  BLOCK_LENGTH: 4,
  COUNTED_FROM: 40,
  WALKED_PART: 2,
  LOOKED_AT_MOST: 21,
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
async function filled(userId: string) {
  const pool = openPool(database.url);
  cleanup(() => pool.end());
  const storage = postgresStorage(pool, { logger: silent });
  await storage.open();
  cleanup(() => storage.close());
  const entries = Array.from({ length: ITEMS }, () => entry([userId]));
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
  return { storage, owner: { tenant, userId }, counted };
}

test("a list of a large inbox is counted once for all who ask for it, also after a change of the whole inbox", async () => {
  const { storage, owner, counted } = await filled("ann");
  const matching = async () => {
    const pages = await Promise.all(Array.from({ length: ASKING }, () => storage.inbox.list(owner, NOTES)));
    return [new Set(pages.map((page) => page.matching)), counted()];
  };
  expect(await matching()).toEqual([new Set([ITEMS]), 1]);
  await storage.inbox.markAllRead(owner, new Date());
  expect(await matching()).toEqual([new Set([0]), 1]);
});

test("a list by priority is counted down to some of the newest items, and goes on below without counts", async () => {
  const { storage, owner } = await filled("bob");
  const list = async (query: Partial<InboxQuery>) => {
    const filter = { priorities: ["high"] } satisfies InboxQuery["filter"];
    const { items, counts: _, ...said } = await storage.inbox.list(owner, { status: "all", filter, limit: 5, ...query });
    return { seqs: items.map(({ seq }) => seq), ...said };
  };
  const newest = { matching: 25, more: true };
  // 60 is in a block of its own; more than 21 items are in seven blocks.
  for (const _ of ["counted", "known"]) {
    expect(await list({})).toEqual({ seqs: [60, 59, 58, 57, 56], ...newest });
    expect(await list({ before: 39 })).toEqual({ seqs: [38, 37, 36], ...newest, rest: 36 });
    expect(await list({ before: 36 })).toMatchObject({ seqs: [35, 34, 33, 32, 31] });
    expect(await list({ offset: 23 })).toEqual({ seqs: [37, 36], ...newest, rest: 36 });
    expect(await list({ offset: 30 })).toEqual({ seqs: [], ...newest, rest: 36 });
    expect(await list({ filter: { priorities: ["low"] } })).toEqual({ seqs: [], matching: 0, more: true, rest: 36 });
  }
  await storage.inbox.markRead(owner, [{ seq: 1 }, { seq: 58 }], new Date());
  expect(await list({ status: "read" })).toEqual({ seqs: [58], matching: 1, more: true, rest: 36 });
  await storage.inbox.remove(
    owner,
    Array.from({ length: 8 }, (_, index) => ({ seq: 48 + index })),
    new Date(),
  );
  // Two blocks have no items any more; two below are looked at in their stead.
  expect(await list({})).toEqual({ seqs: [60, 59, 58, 57, 56], ...newest });
  expect(await list({ before: 32 })).toEqual({ seqs: [31, 30, 29, 28], ...newest, rest: 28 });
  await storage.inbox.remove(
    owner,
    Array.from({ length: 12 }, (_, index) => ({ seq: 20 + index })),
    new Date(),
  );
  // Down to 16, since there are only 21 down to 32. Of these 25, one is read.
  const { items, matching, more } = await storage.inbox.list(owner, { status: "unread", filter: { priorities: ["high"] }, limit: 50 });
  expect([items.length, matching, more]).toEqual([24, 24, true]);
});
