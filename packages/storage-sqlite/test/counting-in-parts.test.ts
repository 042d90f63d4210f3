import type { InboxQuery } from "@belfry/core/storage";
import { PART_MS } from "@belfry/storage-sql";
import Database from "better-sqlite3";
import { describe, expect, test, vi } from "vitest";
import { sqliteStorage } from "../src/index.ts";
import { migratedImage } from "./migrated-sqlite.ts";
import { entry, useCleanup } from "./setup.ts";

vi.mock("../../storage-sql/src/inbox/block-sizes.ts", () => ({
  BLOCK_LENGTH: 4,
  COUNTED_FROM: 40,
  WALKED_PART: 2,
  LOOKED_AT_MOST: 21,
  COUNTED_BYTES: 50_000,
  MAX_CHANGED_BLOCKS: 100,
  PART_MS: 8,
}));

/** The statements that count the items of a block. */
const COUNTING = /^SELECT count\(\*\) (AS matching FROM|FILTER .* AS matching, count\(\*\) AS looked FROM) belfry_inbox_items/;
const ITEMS = 160;
/** The block with the number 0 has one number less. */
const BLOCKS = ITEMS / 4 + 1;
const NOTES = { status: "all", type: "note", limit: 5 } satisfies InboxQuery;
const HIGH = { priorities: ["high"] } satisfies InboxQuery["filter"];
const UNREAD = { status: "unread", type: "note", limit: 5 } satisfies InboxQuery;

describe("lists of a large inbox", () => {
  const cleanup = useCleanup();

  /** An inbox, and how many blocks were counted in each turn of the event loop, on a clock that each look moves by a millisecond. */
  async function filled() {
    const counted = [0];
    const database = new Database(await migratedImage(), {
      verbose: (text) => {
        if (COUNTING.test(String(text))) {
          counted.push((counted.pop() ?? 0) + 1);
        }
      },
    });
    cleanup(() => database.close());
    const storage = sqliteStorage(database);
    await storage.open();
    const entries = Array.from({ length: ITEMS }, () => entry(["ann"]));
    await storage.inbox.createMany(entries);
    const [{ tenant } = { tenant: "" }] = entries.map(({ notification }) => notification);
    let isWatching = true;
    const watch = () => {
      counted.push(0);
      if (isWatching) {
        setImmediate(watch);
      }
    };
    setImmediate(watch);
    let nowMs = 0;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => {
      nowMs += 1;
      return nowMs;
    });
    cleanup(() => {
      isWatching = false;
      clock.mockRestore();
    });
    /** How many blocks were counted since it was asked last: in all, and in one turn at the most. */
    const sinceLast = () => {
      const turns = counted.splice(0, counted.length, 0);
      return { all: turns.reduce((sum, blocks) => sum + blocks, 0), inOneTurn: Math.max(...turns) };
    };
    return { database, owner: { tenant, userId: "ann" }, storage, sinceLast };
  }

  test("have no page below a number and behind an offset at once", async () => {
    const { owner, storage } = await filled();
    await expect(async () => storage.inbox.list(owner, { ...NOTES, before: 14, offset: 2 })).rejects.toMatchObject({
      cause: expect.any(TypeError),
    });
  });

  test("are counted once for all who ask for one of them", async () => {
    const { owner, storage, sinceLast } = await filled();
    const pages = await Promise.all(Array.from({ length: 20 }, async () => storage.inbox.list(owner, NOTES)));
    const { all, inOneTurn } = sinceLast();
    expect(pages.map(({ matching }) => matching)).toEqual(pages.map(() => ITEMS));
    expect(all).toBe(BLOCKS);
    expect(inOneTurn).toBeLessThanOrEqual(PART_MS);
  });

  test("share the event loop's time, each with turns of its own", async () => {
    const { owner, storage, sinceLast } = await filled();
    const lists = [NOTES, UNREAD, { ...NOTES, status: "read" }, { ...NOTES, type: "alert" }] satisfies InboxQuery[];
    const pages = await Promise.all(lists.map(async (list) => storage.inbox.list(owner, list)));
    const { all, inOneTurn } = sinceLast();
    expect(pages.map(({ matching }) => matching)).toEqual([ITEMS, ITEMS, 0, 0]);
    expect(all).toBe(lists.length * BLOCKS);
    expect(inOneTurn).toBeLessThanOrEqual(PART_MS);
  });

  test("have the blocks counted in parts that a change of many touched, and a single one at once", async () => {
    const { owner, storage, sinceLast } = await filled();
    await storage.inbox.list(owner, UNREAD);
    sinceLast();
    const scattered = Array.from({ length: 30 }, (_, block) => ({ seq: block * 4 + 2 }));
    await storage.inbox.markRead(owner, scattered, new Date());
    expect(await storage.inbox.list(owner, UNREAD)).toMatchObject({ matching: ITEMS - 30 });
    const { all, inOneTurn } = sinceLast();
    expect(all).toBe(30);
    expect(inOneTurn).toBeLessThanOrEqual(PART_MS);
    await storage.inbox.markRead(owner, [{ seq: 3 }], new Date());
    expect(storage.inbox.list(owner, UNREAD)).toMatchObject({ matching: ITEMS - 31 });
    expect(sinceLast().all).toBe(1);
  });

  test("are not counted again for changes that do not matter to them, however many", async () => {
    const { owner, storage, sinceLast } = await filled();
    await storage.inbox.list(owner, NOTES);
    sinceLast();
    for (let turn = 0; turn < 150; turn += 1) {
      await storage.inbox.mark(owner, [{ seq: 2 + (turn % 50) * 3 }], { mark: "seen", at: new Date() });
      await storage.inbox.markRead(owner, [{ seq: 2 + (turn % 50) * 3 }], new Date());
      await storage.inbox.markUnread(owner, [{ seq: 2 + (turn % 50) * 3 }], new Date());
    }
    expect(storage.inbox.list(owner, NOTES)).toMatchObject({ matching: ITEMS });
    expect(sinceLast().all).toBe(0);
  });

  test("are not counted for an offset that skips a small part, if the counters have the number of items", async () => {
    const { owner, storage, sinceLast } = await filled();
    const at = async (offset: number) => {
      const { items, matching } = await storage.inbox.list(owner, { status: "all", offset, limit: 1 });
      return { seqs: items.map(({ seq }) => seq), matching, blocks: sinceLast().all };
    };
    expect(await at(60)).toEqual({ seqs: [ITEMS - 60], matching: ITEMS, blocks: 0 });
    expect(await at(100)).toEqual({ seqs: [ITEMS - 100], matching: ITEMS, blocks: BLOCKS });
  });

  test("hold the event loop no longer when changes of the whole inbox have them begin again", async () => {
    const { owner, storage, sinceLast } = await filled();
    let isListed = false;
    const listing = Promise.resolve(storage.inbox.list(owner, UNREAD)).finally(() => {
      isListed = true;
    });
    for (let turn = 0; turn < 30; turn += 1) {
      await storage.inbox.renewEpochs();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(isListed).toBe(false);
    expect(await listing).toMatchObject({ matching: ITEMS });
    const { all, inOneTurn } = sinceLast();
    expect(all).toBeGreaterThan(BLOCKS);
    expect(inOneTurn).toBeLessThanOrEqual(PART_MS);
  });

  test("by priority are counted down to some of the newest items, and go on below without counts", async () => {
    const { owner, storage, sinceLast } = await filled();
    const list = async (query: Partial<InboxQuery>) => {
      const { items, counts: _, ...said } = await storage.inbox.list(owner, { status: "all", filter: HIGH, limit: 5, ...query });
      return { seqs: items.map(({ seq }) => seq), ...said, blocks: sinceLast().all };
    };
    const newest = { matching: 25, more: true };
    // 160 is in a block of its own; more than 21 items are in seven blocks.
    expect(await list({})).toEqual({ seqs: [160, 159, 158, 157, 156], ...newest, blocks: 7 });
    expect(await list({ before: 139 })).toEqual({ seqs: [138, 137, 136], ...newest, rest: 136, blocks: 0 });
    expect(await list({ before: 136 })).toMatchObject({ seqs: [135, 134, 133, 132, 131], blocks: 0 });
    expect(await list({ offset: 23 })).toEqual({ seqs: [137, 136], ...newest, rest: 136, blocks: 0 });
    expect(await list({ offset: 30 })).toEqual({ seqs: [], ...newest, rest: 136, blocks: 0 });
    expect(await list({ filter: { priorities: ["low"] } })).toEqual({ seqs: [], matching: 0, more: true, rest: 136, blocks: 7 });
    await storage.inbox.markRead(owner, [{ seq: 1 }, { seq: 158 }], new Date());
    expect(await list({ status: "read" })).toEqual({ seqs: [158], matching: 1, more: true, rest: 136, blocks: 7 });
    await storage.inbox.remove(
      owner,
      Array.from({ length: 8 }, (_, index) => ({ seq: 148 + index })),
      new Date(),
    );
    // The two blocks that have no items any more, and the two below that are looked at in their stead.
    expect(await list({})).toEqual({ seqs: [160, 159, 158, 157, 156], ...newest, blocks: 4 });
    expect(await list({ before: 132 })).toEqual({ seqs: [131, 130, 129, 128], ...newest, rest: 128, blocks: 0 });
  });

  test("by priority are counted to the end where that is near", async () => {
    const { owner, storage, sinceLast } = await filled();
    await storage.inbox.remove(
      owner,
      Array.from({ length: 140 }, (_, index) => ({ seq: 21 + index })),
      new Date(),
    );
    sinceLast();
    const page = await storage.inbox.list(owner, { status: "all", filter: HIGH, limit: 5 });
    expect(page).toMatchObject({ matching: 20, more: false, items: [{ seq: 20 }, { seq: 19 }, { seq: 18 }, { seq: 17 }, { seq: 16 }] });
    expect(page).not.toHaveProperty("rest");
    expect(sinceLast().all).toBe(BLOCKS);
  });

  test("reject for all who wait for them once the database cannot be read", async () => {
    const { database, owner, storage } = await filled();
    const listings = Promise.allSettled([NOTES, NOTES, UNREAD].map(async (list) => storage.inbox.list(owner, list)));
    database.close();
    expect((await listings).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  });
});
