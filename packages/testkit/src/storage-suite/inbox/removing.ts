import { describe, expect, test } from "vitest";
import { at, itemOf, range, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { removeRead } from "../steps.ts";
import { expectTrueCounts } from "./recount.ts";

const NOBODYS_ID = "0198c000-0000-7000-8000-000000000000";

/** The promises of `remove` and `removeRead`. */
export function removingTests(harness: StorageHarness): void {
  describe("removing", () => {
    const fixture = useFixture(harness);

    test("a removed item leaves lists and counts, and its number is not given again", async () => {
      const [, second] = await fixture.fill("ann", 2);
      const owner = fixture.owner("ann");
      const change = await fixture.inbox.remove(owner, [second?.id ?? ""], at(1));
      const counts = await fixture.inbox.counts(owner);
      expect(change).toEqual({ items: [second && itemOf(second, { userId: "ann", seq: 2 })], changed: new Set([2]), counts });
      expect(counts).toMatchObject({ total: 1, unread: 1, lastSeq: 2 });
      expect(seqsOf((await fixture.inbox.list(owner, { status: "all", limit: 5 })).items)).toEqual([1]);
      expect(seqsOf((await fixture.inbox.listAfter(owner, 0, { limit: 5, bytes: 1_000_000 })).items)).toEqual([1]);
      expect((await fixture.create("ann")).items).toMatchObject([{ seq: 3 }]);
    });

    test("removing an unread item makes one unread less, removing a read one does not", async () => {
      await fixture.fill("ann", 4);
      const owner = fixture.owner("ann");
      await fixture.inbox.markRead(owner, [{ seq: 1 }], at(1));
      expect((await fixture.inbox.remove(owner, [{ seq: 1 }], at(2))).counts).toMatchObject({ total: 3, unread: 3 });
      expect((await fixture.inbox.remove(owner, [{ seq: 2 }], at(3))).counts).toMatchObject({ total: 2, unread: 2 });
      await fixture.inbox.markAllRead(owner, at(4));
      expect((await fixture.inbox.remove(owner, [{ seq: 3 }], at(5))).counts).toMatchObject({ total: 1, unread: 0 });
      await expectTrueCounts(fixture, owner);
    });

    test("many refs, by id and by number, are answered in their order, each item once", async () => {
      const notifications = await fixture.fill("ann", 5);
      const owner = fixture.owner("ann");
      await fixture.inbox.markRead(owner, [{ seq: 5 }], at(1));
      const id = (seq: number) => notifications[seq - 1]?.id ?? "";
      const change = await fixture.inbox.remove(owner, [id(3), { seq: 5 }, { seq: 3 }, id(5), id(1)], at(2));
      expect(seqsOf(change.items)).toEqual([3, 5, 1]);
      expect(change.changed).toEqual(new Set([1, 3, 5]));
      expect(change.counts).toMatchObject({ total: 2, unread: 2 });
      expect(seqsOf(await expectTrueCounts(fixture, owner))).toEqual([4, 2]);
    });

    test("unknown, foreign and removed refs are skipped", async () => {
      await fixture.fill("ann", 2);
      const bobs = await fixture.create("bob");
      const others = await fixture.create("ann", { tenant: `${fixture.tenant} (other)` });
      const owner = fixture.owner("ann");
      await fixture.inbox.remove(owner, [{ seq: 2 }], at(1));
      const counts = await fixture.inbox.counts(owner);
      const refs = [NOBODYS_ID, bobs.notification.id, others.notification.id, { seq: 2 }, { seq: 3 }, { seq: Number.MAX_SAFE_INTEGER }];
      expect(await fixture.inbox.remove(owner, refs, at(2))).toEqual({ items: [], changed: new Set(), counts });
      expect(await fixture.inbox.remove(owner, [], at(2))).toEqual({ items: [], changed: new Set(), counts });
      expect(await fixture.inbox.counts(fixture.owner("bob"))).toMatchObject({ total: 1 });
      expect(await fixture.inbox.counts({ tenant: others.notification.tenant, userId: "ann" })).toMatchObject({ total: 1 });
    });

    test("an inbox that lost all its items goes on counting", async () => {
      await fixture.fill("ann", 2);
      const owner = fixture.owner("ann");
      const { epoch } = await fixture.inbox.counts(owner);
      await fixture.inbox.remove(owner, [{ seq: 1 }, { seq: 2 }], at(1));
      expect(await fixture.inbox.counts(owner)).toEqual({ total: 0, unread: 0, unseen: 0, lastSeq: 2, epoch, rev: 1 });
      expect(await fixture.inbox.listTenant(fixture.tenant, 5)).toEqual([]);
      expect((await fixture.create("ann")).items).toEqual([{ userId: "ann", seq: 3, epoch }]);
    });

    test("a thousand items are removed in one call", async () => {
      await fixture.fill("ann", 1_001);
      const owner = fixture.owner("ann");
      const change = await fixture.inbox.remove(
        owner,
        range(1, 1_000).map((seq) => ({ seq })),
        at(1),
      );
      expect(change.items).toHaveLength(1_000);
      expect(change.counts).toMatchObject({ total: 1, unread: 1, lastSeq: 1_001 });
    });
  });

  describe("removing what is read", () => {
    const fixture = useFixture(harness);

    test("it removes items read one by one and by a mark, and leaves unread ones", async () => {
      await fixture.fill("ann", 3);
      const owner = fixture.owner("ann");
      await fixture.inbox.markAllRead(owner, at(1));
      await fixture.fill("ann", 3);
      await fixture.inbox.markRead(owner, [{ seq: 5 }], at(2));
      expect(await removeRead(fixture.inbox, owner, at(3))).toMatchObject({ count: 4, counts: { total: 2, unread: 2, lastSeq: 6 } });
      expect(seqsOf(await expectTrueCounts(fixture, owner))).toEqual([6, 4]);
      expect(await fixture.inbox.absence(owner, { seq: 1 })).toBe("deleted");
    });

    test("again it finds nothing", async () => {
      await fixture.fill("ann", 2);
      const owner = fixture.owner("ann");
      await fixture.inbox.markRead(owner, [{ seq: 1 }], at(1));
      await removeRead(fixture.inbox, owner, at(2));
      expect(await removeRead(fixture.inbox, owner, at(3))).toMatchObject({ count: 0, counts: { total: 1, unread: 1 } });
    });

    test("items removed before are not counted", async () => {
      await fixture.fill("ann", 3);
      const owner = fixture.owner("ann");
      await fixture.inbox.markAllRead(owner, at(1));
      await fixture.inbox.remove(owner, [{ seq: 2 }], at(2));
      expect(await removeRead(fixture.inbox, owner, at(3))).toMatchObject({ count: 2, counts: { total: 0, unread: 0, lastSeq: 3 } });
    });

    test("it concerns one user of one tenant", async () => {
      const other = { tenant: `${fixture.tenant} (other)`, userId: "ann" };
      await fixture.inbox.createMany([fixture.entry(["ann", "bob"]), fixture.entry("ann", { tenant: other.tenant })]);
      for (const owner of [fixture.owner("ann"), fixture.owner("bob"), other]) {
        await fixture.inbox.markAllRead(owner, at(1));
      }
      expect((await removeRead(fixture.inbox, fixture.owner("ann"), at(2))).count).toBe(1);
      expect(await fixture.inbox.counts(fixture.owner("bob"))).toMatchObject({ total: 1 });
      expect(await fixture.inbox.counts(other)).toMatchObject({ total: 1 });
    });
  });
}
