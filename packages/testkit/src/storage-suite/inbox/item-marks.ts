import type { ItemMark, Owner } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { at, range, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { expectTrueCounts } from "./recount.ts";

/** Marking items seen, pinned and archived. */
export function itemMarkTests(harness: StorageHarness): void {
  describe("marks of items", () => {
    const fixture = useFixture(harness);
    const mark = (owner: Owner, seqs: readonly number[], name: ItemMark, second = 1) =>
      fixture.inbox.mark(
        owner,
        seqs.map((seq) => ({ seq })),
        { mark: name, at: at(second) },
      );
    /** The numbers of the items that are seen, oldest first. */
    const seen = async (owner: Owner) => seqsOf((await expectTrueCounts(fixture, owner)).filter(({ isSeen }) => isSeen).toReversed());

    test("reading implies seeing, and an item that is unread again stays seen", async () => {
      await fixture.fill("ann", 4);
      const owner = fixture.owner("ann");
      await fixture.inbox.markRead(owner, [{ seq: 1 }], at(1));
      expect(await seen(owner)).toEqual([1]);
      const { items, counts } = await fixture.inbox.markUnread(owner, [{ seq: 1 }], at(9));
      expect(items).toMatchObject([{ readAt: null, isSeen: true }]);
      expect(counts).toMatchObject({ unread: 4, unseen: 3 });
      await fixture.inbox.markAllRead(owner, at(2));
      expect(await fixture.inbox.markUnread(owner, [{ seq: 2 }], at(9))).toMatchObject({ counts: { unread: 1, unseen: 0 } });
      expect(await seen(owner)).toEqual([1, 2, 3, 4]);
    });

    test("an item's own later mark outranks an older mark of everything, and the next one covers it again", async () => {
      await fixture.fill("ann", 4);
      const owner = fixture.owner("ann");
      expect(await fixture.inbox.markAllSeen(owner, at(9))).toMatchObject({ count: 4, counts: { unread: 4, unseen: 0, rev: 1 } });
      expect(await fixture.inbox.markAllSeen(owner, at(9))).toMatchObject({ count: 0, counts: { rev: 1 } });
      await fixture.fill("ann", 1);
      expect(await seen(owner)).toEqual([1, 2, 3, 4]);
      const change = await mark(owner, [2, 3, 5, 9], "unseen");
      expect(change).toMatchObject({ changed: new Set([2, 3]), counts: { unseen: 3 } });
      expect(seqsOf(change.items)).toEqual([2, 3, 5]);
      expect(await seen(owner)).toEqual([1, 4]);
      await mark(owner, [3], "seen");
      expect(await seen(owner)).toEqual([1, 3, 4]);
      expect((await fixture.inbox.markAllSeen(owner, at(9))).count).toBe(2);
      expect(await seen(owner)).toEqual(range(1, 5));
    });

    test("a read item cannot be unseen", async () => {
      await fixture.fill("ann", 2);
      const owner = fixture.owner("ann");
      await fixture.inbox.markRead(owner, [{ seq: 1 }], at(1));
      expect(await mark(owner, [1], "unseen")).toMatchObject({
        items: [{ isSeen: true }],
        changed: new Set(),
        counts: { unseen: 1, rev: 1 },
      });
    });

    test("archiving takes an item out of every list and count but that of archived ones, and unarchiving brings it back", async () => {
      const [, second] = await fixture.fill("ann", 3);
      const owner = fixture.owner("ann");
      await mark(owner, [1], "pinned", 5);
      await mark(owner, [2], "seen");
      const change = await mark(owner, [1, 2], "archived", 6);
      expect(change).toMatchObject({
        items: [{ archivedAt: at(6), pinnedAt: at(5) }, { isSeen: true }],
        counts: { total: 1, unread: 1, unseen: 1 },
      });
      expect(seqsOf(await expectTrueCounts(fixture, owner))).toEqual([3]);
      expect(await fixture.inbox.get(owner, { seq: 1 })).toBeNull();
      expect(await fixture.inbox.absence(owner, second?.id ?? "")).toBe("deleted");
      expect((await fixture.inbox.listAfter(owner, 0, { limit: 9, bytes: 9_999 })).items.map(({ seq }) => seq)).toEqual([3]);
      expect(seqsOf(await fixture.inbox.listTenant(fixture.tenant, 9))).toEqual([3]);
      const archived = await fixture.inbox.list(owner, { status: "all", place: "archived", limit: 1, offset: 1 });
      expect(archived).toMatchObject({ items: [{ seq: 1, archivedAt: at(6) }], matching: 2 });
      for (const name of ["seen", "unseen", "pinned", "unpinned"] satisfies ItemMark[]) {
        expect((await mark(owner, [1], name)).items).toEqual([]);
      }
      const again = await mark(owner, [1], "archived", 7);
      expect(again).toMatchObject({ items: [{ archivedAt: at(6) }], changed: new Set(), counts: change.counts });
      expect((await fixture.inbox.remove(owner, [{ seq: 1 }], at(7))).items).toEqual([]);
      const back = await mark(owner, [1, 2, 3], "unarchived");
      expect(back).toMatchObject({
        items: [{ pinnedAt: at(5), archivedAt: null }, { isSeen: true }, { archivedAt: null }],
        changed: new Set([1, 2]),
      });
      expect(back.counts).toMatchObject({ total: 3, unread: 3, unseen: 2 });
      expect(seqsOf(await expectTrueCounts(fixture, owner))).toEqual([3, 2, 1]);
    });

    test("an archived or snoozed item is found, read and removed where it is, if it is looked for there", async () => {
      await fixture.fill("ann", 4);
      const { inbox } = fixture;
      const owner = fixture.owner("ann");
      await mark(owner, [1, 2], "archived", 5);
      await inbox.mark(owner, [{ seq: 3 }], { mark: "snoozed", at: at(5), until: at(900) });
      const places = ["active", "archived", "snoozed"] as const;
      expect(await inbox.get(owner, { seq: 1 }, { places: ["snoozed"] })).toBeNull();
      expect(await inbox.get(owner, { seq: 1 }, { places })).toMatchObject({ archivedAt: at(5), readAt: null });
      const all = [1, 3, 4].map((seq) => ({ seq }));
      expect(await inbox.mark(owner, all, { mark: "read", at: at(6), places })).toMatchObject({
        items: [{ readAt: at(6), archivedAt: at(5) }, { snoozedUntil: at(900) }, { readAt: at(6) }],
        changed: new Set([1, 3, 4]),
        counts: { total: 1, unread: 0, unseen: 0 },
      });
      expect(await inbox.mark(owner, all, { mark: "unread", at: at(7), places: ["archived"] })).toMatchObject({ changed: new Set([1]) });
      const removed = await inbox.mark(owner, [{ seq: 2 }, { seq: 3 }, { seq: 4 }], { mark: "deleted", at: at(8), places });
      expect(removed).toMatchObject({ items: [{ archivedAt: at(5) }, { snoozedUntil: at(900) }, {}], counts: { total: 0 } });
      expect(await inbox.get(owner, { seq: 2 }, { places })).toBeNull();
      expect((await mark(owner, [1, 2, 3], "unarchived")).counts).toMatchObject({ total: 1, unread: 1, unseen: 0 });
      await expectTrueCounts(fixture, owner);
    });

    test("marking everything covers archived items, also when no active item is left", async () => {
      await fixture.fill("ann", 2);
      const owner = fixture.owner("ann");
      await mark(owner, [1, 2], "archived");
      expect(await fixture.inbox.markAllSeen(owner, at(9))).toMatchObject({ count: 0, counts: { total: 0, rev: 2 } });
      expect(await fixture.inbox.markAllSeen(owner, at(9))).toMatchObject({ count: 0, counts: { rev: 2 } });
      expect(await fixture.inbox.markAllRead(owner, at(9))).toMatchObject({ count: 0, counts: { total: 0, rev: 3 } });
      expect(await fixture.inbox.markAllRead(owner, at(9))).toMatchObject({ count: 0, counts: { rev: 3 } });
      expect(await mark(owner, [1, 2], "unarchived")).toMatchObject({
        items: [{ readAt: at(9) }, { readAt: at(9) }],
        counts: { total: 2, unread: 0, unseen: 0 },
      });
      await expectTrueCounts(fixture, owner);
    });

    test("pinning again keeps the first time", async () => {
      await fixture.fill("ann", 1);
      const owner = fixture.owner("ann");
      await mark(owner, [1], "pinned", 5);
      expect(await mark(owner, [1], "pinned", 6)).toMatchObject({ items: [{ pinnedAt: at(5) }], changed: new Set(), counts: { rev: 1 } });
      expect(await mark(owner, [1], "unpinned")).toMatchObject({ items: [{ pinnedAt: null }], counts: { rev: 2 } });
    });

    test("erasing, sweeping and deleting archived items keeps the counts true", async () => {
      const [first] = await fixture.fill("ann", 6);
      const owner = fixture.owner("ann");
      await fixture.inbox.markAllSeen(owner, at(9));
      await mark(owner, [1, 2, 3], "archived");
      const { storage, inbox } = fixture;
      await storage.activity.deleteNotification(fixture.tenant, first?.id ?? "", { at: at(9), actor: "host", limit: 10 });
      expect(await inbox.erase(owner, 1)).toMatchObject({ removed: 1 });
      await expectTrueCounts(fixture, owner);
      expect(await mark(owner, [3], "unarchived")).toMatchObject({ counts: { total: 4, unread: 4, unseen: 0 } });
      expect(await inbox.markAllRead(owner, at(10))).toMatchObject({ count: 4, counts: { unread: 0, unseen: 0 } });
      expect((await inbox.markAllRead(owner, at(10))).counts).toEqual(await inbox.counts(owner));
      await expectTrueCounts(fixture, owner);
    });

    test("calls at once leave every item counted as it is", async () => {
      await fixture.fill("ann", 12);
      const owner = fixture.owner("ann");
      const marks = ["archived", "seen", "unarchived", "unseen", "pinned", "unarchived"] satisfies ItemMark[];
      await Promise.all(
        range(1, 12).flatMap((seq) => [
          ...marks.map((name) => mark(owner, [seq], name)),
          fixture.inbox.markRead(owner, [{ seq }], at(1)),
          fixture.inbox.markUnread(owner, [{ seq }], at(9)),
          fixture.inbox.markAllSeen(owner, at(9)),
        ]),
      );
      await expectTrueCounts(fixture, owner);
      await mark(owner, range(1, 12), "unarchived");
      expect(await expectTrueCounts(fixture, owner)).toHaveLength(12);
    });
  });
}
