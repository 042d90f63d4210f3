import { describe, expect, test } from "vitest";
import { at, itemOf, range, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { allItems, expectTrueCounts } from "./recount.ts";

const NOBODYS_ID = "0198c000-0000-7000-8000-000000000000";

/** The promises of `markRead` and `markAllRead`. */
export function markingTests(harness: StorageHarness): void {
  describe("marking read", () => {
    const fixture = useFixture(harness);

    test("an item is read from the given time on", async () => {
      const [first] = await fixture.fill("ann", 2);
      const owner = fixture.owner("ann");
      const change = await fixture.inbox.markRead(owner, [first?.id ?? ""], at(1));
      const expected = first && itemOf(first, { userId: "ann", seq: 1, readAt: at(1) });
      const counts = await fixture.inbox.counts(owner);
      expect(change).toEqual({ items: [expected], changed: new Set([1]), counts });
      expect(counts).toMatchObject({ total: 2, unread: 1, lastSeq: 2 });
      expect(await fixture.inbox.get(owner, { seq: 1 })).toEqual(expected);
    });

    test("marking again keeps the first time, whether the second is later or earlier", async () => {
      await fixture.fill("ann", 1);
      const owner = fixture.owner("ann");
      await fixture.inbox.markRead(owner, [{ seq: 1 }], at(10));
      for (const second of [5, 10, 20]) {
        const change = await fixture.inbox.markRead(owner, [{ seq: 1 }], at(second));
        expect(change).toMatchObject({ items: [{ seq: 1, readAt: at(10) }], changed: new Set(), counts: { total: 1, unread: 0 } });
      }
    });

    test("many refs, by id and by number, are answered in their order, each item once", async () => {
      const notifications = await fixture.fill("ann", 6);
      const owner = fixture.owner("ann");
      await fixture.inbox.markRead(owner, [{ seq: 4 }], at(1));
      const id = (seq: number) => notifications[seq - 1]?.id ?? "";
      const refs = [{ seq: 5 }, id(2), id(5), { seq: 4 }, { seq: 2 }, id(1), { seq: 5 }];
      const change = await fixture.inbox.markRead(owner, refs, at(2));
      expect(change.items.map(({ seq, readAt }) => [seq, readAt])).toEqual([
        [5, at(2)],
        [2, at(2)],
        [4, at(1)],
        [1, at(2)],
      ]);
      expect(change.changed).toEqual(new Set([1, 2, 5]));
      expect(change.counts).toMatchObject({ total: 6, unread: 2 });
      await expectTrueCounts(fixture, owner);
    });

    test("unknown, foreign and deleted refs are skipped", async () => {
      const [, second] = await fixture.fill("ann", 2);
      const bobs = await fixture.create("bob");
      const others = await fixture.create("ann", { tenant: `${fixture.tenant} (other)` });
      const owner = fixture.owner("ann");
      await fixture.inbox.remove(owner, [second?.id ?? ""], at(1));
      const refs = [
        NOBODYS_ID,
        bobs.notification.id,
        others.notification.id,
        { seq: 2 },
        second?.id ?? "",
        { seq: 3 },
        { seq: Number.MAX_SAFE_INTEGER },
      ];
      const change = await fixture.inbox.markRead(owner, refs, at(2));
      expect(change).toEqual({ items: [], changed: new Set(), counts: await fixture.inbox.counts(owner) });
      expect((await fixture.inbox.markRead(owner, [...refs, { seq: 1 }], at(3))).items).toMatchObject([{ seq: 1, readAt: at(3) }]);
      expect(await fixture.inbox.get(owner, { seq: 2 }, { includeDeleted: true })).toMatchObject({ readAt: null });
      expect(await fixture.inbox.counts(fixture.owner("bob"))).toMatchObject({ unread: 1 });
      expect(await fixture.inbox.counts({ tenant: others.notification.tenant, userId: "ann" })).toMatchObject({ unread: 1 });
    });

    test("no refs change nothing", async () => {
      await fixture.fill("ann", 1);
      const owner = fixture.owner("ann");
      const counts = await fixture.inbox.counts(owner);
      expect(await fixture.inbox.markRead(owner, [], at(1))).toEqual({ items: [], changed: new Set(), counts });
    });

    test("one recipient's reading leaves the others' items unread", async () => {
      const { notification } = await fixture.create(["ann", "bob"]);
      await fixture.inbox.markRead(fixture.owner("ann"), [notification.id], at(1));
      expect(await fixture.inbox.get(fixture.owner("bob"), notification.id)).toMatchObject({ readAt: null });
      expect(await fixture.inbox.counts(fixture.owner("bob"))).toMatchObject({ unread: 1 });
    });

    test("a thousand items are marked in one call", async () => {
      await fixture.fill("ann", 1_000);
      const owner = fixture.owner("ann");
      const change = await fixture.inbox.markRead(
        owner,
        range(1_000, 1).map((seq) => ({ seq })),
        at(1),
      );
      expect(seqsOf(change.items)).toEqual(range(1_000, 1));
      expect(change.changed.size).toBe(1_000);
      expect(change.counts).toMatchObject({ total: 1_000, unread: 0 });
    });
  });

  describe("marking everything read", () => {
    const fixture = useFixture(harness);

    test("it covers what is there and nothing that comes later", async () => {
      await fixture.fill("ann", 3);
      const owner = fixture.owner("ann");
      const sweep = await fixture.inbox.markAllRead(owner, at(1));
      expect(sweep).toEqual({
        count: 3,
        isChange: true,
        counts: { total: 3, unread: 0, unseen: 0, lastSeq: 3, epoch: expect.any(String), rev: 1 },
      });
      await fixture.fill("ann", 2);
      expect(await fixture.inbox.counts(owner)).toMatchObject({ total: 5, unread: 2, lastSeq: 5 });
      const items = await expectTrueCounts(fixture, owner);
      expect(items.map((item) => item.readAt)).toEqual([null, null, at(1), at(1), at(1)]);
    });

    test("items that were read before keep their time, however they were read", async () => {
      await fixture.fill("ann", 3);
      const owner = fixture.owner("ann");
      await fixture.inbox.markRead(owner, [{ seq: 2 }], at(10));
      expect((await fixture.inbox.markAllRead(owner, at(20))).count).toBe(2);
      await fixture.fill("ann", 2);
      await fixture.inbox.markRead(owner, [{ seq: 4 }], at(30));
      expect((await fixture.inbox.markAllRead(owner, at(40))).count).toBe(1);
      const times = (await allItems(fixture, owner)).map((item) => item.readAt);
      expect(times.toReversed()).toEqual([at(20), at(10), at(20), at(30), at(40)]);
    });

    test("marking one item of a marked inbox keeps the mark's time", async () => {
      await fixture.fill("ann", 2);
      const owner = fixture.owner("ann");
      await fixture.inbox.markAllRead(owner, at(10));
      for (const second of [5, 20]) {
        const change = await fixture.inbox.markRead(owner, [{ seq: 1 }], at(second));
        expect(change).toMatchObject({ items: [{ readAt: at(10) }], changed: new Set(), counts: { unread: 0 } });
      }
      expect(await fixture.inbox.get(owner, { seq: 1 })).toMatchObject({ readAt: at(10) });
    });

    test("marking everything again changes nothing, whatever time is given", async () => {
      await fixture.fill("ann", 2);
      const owner = fixture.owner("ann");
      await fixture.inbox.markAllRead(owner, at(10));
      for (const second of [5, 10, 20]) {
        expect(await fixture.inbox.markAllRead(owner, at(second))).toMatchObject({ count: 0, counts: { total: 2, unread: 0 } });
      }
      expect((await allItems(fixture, owner)).map((item) => item.readAt)).toEqual([at(10), at(10)]);
    });

    test("with clocks that go back, each mark's own items have its time", async () => {
      const owner = fixture.owner("ann");
      for (const second of [30, 10, 20]) {
        await fixture.fill("ann", 2);
        expect((await fixture.inbox.markAllRead(owner, at(second))).count).toBe(2);
      }
      const times = (await allItems(fixture, owner)).map((item) => item.readAt);
      expect(times.toReversed()).toEqual([at(30), at(30), at(10), at(10), at(20), at(20)]);
    });

    test("deleted items are not counted", async () => {
      await fixture.fill("ann", 3);
      const owner = fixture.owner("ann");
      await fixture.inbox.remove(owner, [{ seq: 1 }, { seq: 3 }], at(1));
      expect(await fixture.inbox.markAllRead(owner, at(2))).toMatchObject({ count: 1, counts: { total: 1, unread: 0, lastSeq: 3 } });
      await fixture.fill("ann", 1);
      expect(await fixture.inbox.counts(owner)).toMatchObject({ total: 2, unread: 1, lastSeq: 4 });
      await expectTrueCounts(fixture, owner);
    });

    test("it concerns one user of one tenant", async () => {
      const other = `${fixture.tenant} (other)`;
      await fixture.inbox.createMany([fixture.entry(["ann", "bob"]), fixture.entry("ann", { tenant: other })]);
      await fixture.inbox.markAllRead(fixture.owner("ann"), at(1));
      expect(await fixture.inbox.counts(fixture.owner("bob"))).toMatchObject({ unread: 1 });
      expect(await fixture.inbox.counts({ tenant: other, userId: "ann" })).toMatchObject({ unread: 1 });
      expect((await allItems(fixture, fixture.owner("bob"))).map((item) => item.readAt)).toEqual([null]);
    });
  });
}
