import type { Owner } from "@belfry/core";
import { COUNTED_ITEMS, type InboxQuery, type ItemFilter } from "@belfry/core/storage";
import { beforeEach, describe, expect, test } from "vitest";
import { at, range, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";

/** Lists and counts of the items that meet conditions. The model tries all of them together; these are the rules one by one. */
export function filterTests(harness: StorageHarness): void {
  describe("filters", () => {
    const fixture = useFixture(harness);
    let owner: Owner;

    /** 1 to 6, of which 3 is read, 2 and 3 are seen, 4 is pinned and 6 was written before categories were stored. */
    beforeEach(async () => {
      owner = fixture.owner("ann");
      await fixture.create("ann", { type: "comment", category: "social", priority: "low" });
      await fixture.create("ann", { type: "mention", category: "social", priority: "urgent" });
      await fixture.create("ann", { type: "invoice", category: "billing", priority: "normal" });
      await fixture.create("ann", { type: "note", category: null, priority: "normal" });
      await fixture.create(["ann", "bob"], { type: "comment", category: "billing", priority: "high" });
      await fixture.create("ann", { type: "comment", category: null, priority: "low" });
      await fixture.inbox.markRead(owner, [{ seq: 3 }], at(1));
      await fixture.inbox.mark(owner, [{ seq: 2 }], { mark: "seen", at: at(1) });
      await fixture.inbox.mark(owner, [{ seq: 4 }], { mark: "pinned", at: at(1) });
    });

    test.each<[name: string, filter: ItemFilter, seqs: readonly number[]]>([
      ["several types", { types: ["mention", "invoice"] }, [3, 2]],
      ["a category", { categories: { names: ["social"], types: [] } }, [2, 1]],
      ["several categories", { categories: { names: ["social", "billing"], types: [] } }, [5, 3, 2, 1]],
      ["a category with items of before by their type", { categories: { names: ["social"], types: ["comment", "mention"] } }, [6, 2, 1]],
      ["a priority", { priorities: ["low"] }, [6, 1]],
      ["several priorities", { priorities: ["high", "urgent"] }, [5, 2]],
      ["read", { isRead: true }, [3]],
      ["unread", { isRead: false }, [6, 5, 4, 2, 1]],
      ["seen", { isSeen: true }, [3, 2]],
      ["unseen", { isSeen: false }, [6, 5, 4, 1]],
      ["pinned", { isPinned: true }, [4]],
      ["not pinned", { isPinned: false }, [6, 5, 3, 2, 1]],
      ["back from being put off", { wasSnoozed: true }, []],
      ["all of several conditions", { types: ["comment"], isSeen: false, priorities: ["low", "high"] }, [6, 5, 1]],
    ])("%s", async (_, filter, seqs) => {
      const page = await fixture.inbox.list(owner, { status: "all", filter, limit: 50 });
      expect({ seqs: seqsOf(page.items), matching: page.matching, more: page.more }).toEqual({ seqs, matching: seqs.length, more: false });
      const second = await fixture.inbox.list(owner, { status: "all", filter, offset: 1, limit: 1 });
      expect({ seqs: seqsOf(second.items), matching: second.matching }).toEqual({ seqs: seqs.slice(1, 2), matching: seqs.length });
    });

    test("an item that was put off and came back is found as such, and so are archived items", async () => {
      await fixture.inbox.mark(owner, [{ seq: 1 }], { mark: "snoozed", at: at(2), until: at(3) });
      await fixture.inbox.mark(owner, [{ seq: 5 }], { mark: "archived", at: at(2) });
      await fixture.inbox.applyDue(owner, at(3));
      const list = async (place: "active" | "archived", filter: ItemFilter) =>
        seqsOf((await fixture.inbox.list(owner, { status: "unread", place, filter, limit: 9 })).items);
      expect(await list("active", { wasSnoozed: true })).toEqual([1]);
      expect(await list("active", { wasSnoozed: true, isPinned: false })).toEqual([1]);
      expect(await list("archived", { categories: { names: ["billing"], types: [] } })).toEqual([5]);
      expect(await list("archived", { isPinned: true })).toEqual([]);
    });

    test("each way to write an item stores its category", async () => {
      const categories = async (userId: string) =>
        (await fixture.inbox.list(fixture.owner(userId), { status: "all", limit: 9 })).items.map(({ category }) => category);
      const entry = fixture.entry(["cat", "dan"], { category: "social" });
      await fixture.inbox.createFanOut(entry, 1);
      while (await fixture.inbox.fanOutNext(at(1))) {
        // Each turn takes one.
      }
      await fixture.inbox.createMany([fixture.entry("cat", { category: "one" }), fixture.entry("cat", { category: null })]);
      await fixture.inbox.createMany([fixture.entry(["cat", "dan"], { category: "both" })]);
      expect(await categories("cat")).toEqual(["both", null, "one", "social"]);
      expect(await categories("dan")).toEqual(["both", "social"]);
      expect(await categories("bob")).toEqual(["billing"]);
    });

    test("an inbox that never had an item has no tallies", async () => {
      const query = { places: ["active", "archived"], withPriorities: false, limit: 9 } as const;
      const { counts, tallies } = await fixture.inbox.tally(fixture.owner("zoe"), query);
      expect({ counts, tallies }).toEqual({
        counts: await fixture.inbox.counts(fixture.owner("zoe")),
        tallies: { active: [], archived: [], snoozed: [] },
      });
      expect(await fixture.inbox.list(fixture.owner("zoe"), { status: "all", filter: { isPinned: true }, limit: 1 })).toMatchObject({
        items: [],
        matching: 0,
        more: false,
      });
    });

    test("beyond 20,000 items a list says that there are more, and goes on page by page to the last one that matches", async () => {
      const big = fixture.owner("big");
      await fixture.create("big", { type: "rare", priority: "low" });
      for (const _ of range(1, 10)) {
        await fixture.fill("big", COUNTED_ITEMS / 10);
      }
      const list = (filter: ItemFilter, more: Partial<InboxQuery> = {}) =>
        fixture.inbox.list(big, { status: "all", filter, limit: 3, ...more });
      expect(await list({ types: ["rare"] })).toMatchObject({ items: [{ seq: 1 }], matching: 1, more: true });
      await fixture.fill("big", 1);
      const first = await list({ types: ["rare"] });
      expect(first).toMatchObject({ items: [], matching: 0, more: true, rest: 2 });
      const { rest: before = 0 } = first;
      for (const read of ["list", "listStored"] as const) {
        const last = await fixture.inbox[read](big, { status: "all", filter: { types: ["rare"] }, before, limit: 3 });
        expect(last).toMatchObject({ items: [{ seq: 1 }], more: true });
        expect(last).not.toHaveProperty("rest");
      }
      expect(await list({ types: ["note"] }, { offset: COUNTED_ITEMS - 1 })).toMatchObject({ items: [{ seq: 3 }, { seq: 2 }], rest: 2 });
      expect(await list({ types: ["note"] }, { offset: COUNTED_ITEMS + 50 })).toMatchObject({ items: [], rest: 2 });
      expect(await list({ types: ["note"] })).not.toHaveProperty("rest");
      expect(await list({ types: ["note"] })).toMatchObject({ matching: COUNTED_ITEMS + 1, more: true });
      expect(await list({ isPinned: true })).toMatchObject({ items: [], matching: 0, more: false });
      const query = { places: ["active"], withPriorities: true, limit: COUNTED_ITEMS + 1 } as const;
      const { tallies } = await fixture.inbox.tally(big, query);
      const alike = { category: null, priority: "high", isRead: false, isSeen: false, isPinned: false };
      expect(tallies.active).toEqual([{ type: "note", ...alike, count: COUNTED_ITEMS + 1 }]);
      // A list by priority may go on for a thousand items more.
      await fixture.fill("big", 1_100);
      const low = await list({ priorities: ["low"] });
      expect(low).toMatchObject({ items: [], matching: 0, more: true, rest: expect.any(Number) });
      expect(await list({ priorities: ["low"] }, { before: low.rest ?? 0 })).toMatchObject({ items: [{ seq: 1 }] });
      const deep = await list({ priorities: ["high"] }, { offset: COUNTED_ITEMS - 1 });
      expect(seqsOf(deep.items)).toEqual([1_103, 1_102, 1_101]);
    });
  });
}
