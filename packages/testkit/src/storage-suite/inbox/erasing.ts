import type { Owner } from "@belfry/core";
import { EMPTY_COUNTS, type InboxRetention } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, itemOf, range, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { eraseAll, exportAll, removeRead, sweepAll } from "../steps.ts";
import { expectTrueCounts } from "./recount.ts";

/** The promises of `erase` and `export`. */
export function erasingTests(harness: StorageHarness): void {
  describe("erasing an inbox", () => {
    const fixture = useFixture(harness);
    const isThere = async (id: string) => (await fixture.storage.activity.find(fixture.tenant, id)) !== null;

    test("it goes step by step, with true counts after each, and begins anew with another epoch", async () => {
      await fixture.fill("ann", 3);
      const owner = fixture.owner("ann");
      await fixture.inbox.markAllRead(owner, at(1));
      await fixture.fill("ann", 4);
      await fixture.inbox.markRead(owner, [{ seq: 5 }], at(2));
      await fixture.inbox.markUnread(owner, [{ seq: 2 }], at(9));
      await fixture.inbox.remove(owner, [{ seq: 3 }, { seq: 6 }], at(3));
      await fixture.inbox.markAllRead(owner, at(4));
      await fixture.fill("ann", 1);
      const { epoch } = await fixture.inbox.counts(owner);
      const removed = await eraseAll(
        () => fixture.inbox.erase(owner, 2),
        () => expectTrueCounts(fixture, owner),
      );
      // Eight items, two marks, five changes, one row of counts.
      expect(removed).toBe(16);
      expect(await fixture.inbox.counts(owner)).toEqual(EMPTY_COUNTS);
      expect(await fixture.inbox.absence(owner, { seq: 3 })).toBe("unknown");
      expect(await fixture.inbox.erase(owner, 2)).toEqual({ removed: 0, isDone: true });
      const [first] = (await fixture.create("ann")).items;
      expect(first).toMatchObject({ seq: 1 });
      expect(first?.epoch).not.toBe(epoch);
      expect((await expectTrueCounts(fixture, owner))[0]).toMatchObject({ seq: 1, readAt: null });
    });

    test("a step that changes what lists show raises the rev once", async () => {
      await fixture.fill("ann", 4);
      const owner = fixture.owner("ann");
      await fixture.inbox.remove(owner, [{ seq: 1 }], at(1));
      expect(await fixture.inbox.erase(owner, 1)).toEqual({ removed: 1, isDone: false });
      expect(await fixture.inbox.counts(owner)).toMatchObject({ total: 3, unread: 3, lastSeq: 4, rev: 1 });
      expect(await fixture.inbox.erase(owner, 2)).toEqual({ removed: 2, isDone: false });
      expect(await fixture.inbox.counts(owner)).toMatchObject({ total: 1, unread: 1, lastSeq: 4, rev: 2 });
    });

    test("it concerns one user of one tenant, and takes the notifications that nobody else has", async () => {
      const other = { tenant: `${fixture.tenant} (other)`, userId: "ann" };
      const [own, shared] = [await fixture.create("ann"), await fixture.create(["ann", "bob"])];
      await fixture.create("ann", { tenant: other.tenant });
      await fixture.inbox.markAllRead(other, at(1));
      const foreign = await exportAll((after) => fixture.inbox.export(other, { after, limit: 10 }));
      await eraseAll(() => fixture.inbox.erase(fixture.owner("ann"), 1));
      expect(await isThere(own.notification.id)).toBe(false);
      expect(await isThere(shared.notification.id)).toBe(true);
      expect(seqsOf(await expectTrueCounts(fixture, fixture.owner("bob")))).toEqual([1]);
      expect(await exportAll((after) => fixture.inbox.export(other, { after, limit: 10 }))).toEqual(foreign);
      await eraseAll(() => fixture.inbox.erase(fixture.owner("bob"), 10));
      expect(await isThere(shared.notification.id)).toBe(false);
    });

    test("the user is taken out of fan-outs that still name them", async () => {
      // A search for the text of one of these names finds others, too.
      const users = [",", "ann", 'ann"', "anna", "bob"];
      const other = fixture.entry(users, { tenant: `${fixture.tenant} (other)` });
      await fixture.inbox.createFanOut(fixture.entry(users), 2);
      await fixture.inbox.createFanOut(fixture.entry("ann"), 2);
      await fixture.inbox.createFanOut(other, 2);
      expect(await eraseAll(() => fixture.inbox.erase(fixture.owner("ann"), 1))).toBe(2);
      expect(await eraseAll(() => fixture.inbox.erase(fixture.owner(","), 5))).toBe(1);
      while ((await fixture.inbox.fanOutNext(at(9))) !== null) {
        // The next one.
      }
      const totals = users.map(async (userId) => (await fixture.inbox.counts(fixture.owner(userId))).total);
      expect(await Promise.all(totals)).toEqual([0, 0, 1, 1, 1]);
      expect(await fixture.inbox.counts({ tenant: other.notification.tenant, userId: "ann" })).toMatchObject({ total: 1 });
    });

    test("an item written at the same time is erased, or begins the next inbox", async () => {
      const owner = fixture.owner("ann");
      await fixture.fill("ann", 10);
      const writes = range(1, 10).map(() => fixture.create(["ann", "bob"]));
      const marks = range(1, 5).map((second) => fixture.inbox.markAllRead(owner, at(second)));
      await Promise.all([
        eraseAll(() => fixture.inbox.erase(owner, 3)),
        eraseAll(() => fixture.inbox.erase(owner, 4)),
        ...writes,
        ...marks,
      ]);
      await expectTrueCounts(fixture, owner);
      await eraseAll(
        () => fixture.inbox.erase(owner, 3),
        () => expectTrueCounts(fixture, owner),
      );
      expect(await fixture.inbox.counts(owner)).toEqual(EMPTY_COUNTS);
      expect(seqsOf(await expectTrueCounts(fixture, fixture.owner("bob")))).toEqual(range(10, 1));
    });

    test("if users erase the last items of a notification at once, one of them removes the notification", async () => {
      const users = ["ann", "bob", "cleo"];
      const notifications = await Promise.all(range(1, 5).map(() => fixture.create(users)));
      await Promise.all(users.map((userId) => eraseAll(() => fixture.inbox.erase(fixture.owner(userId), 2))));
      expect(await Promise.all(notifications.map(({ notification }) => isThere(notification.id)))).toEqual(range(1, 5).map(() => false));
    });
  });

  describe("exporting an inbox", () => {
    const fixture = useFixture(harness);

    test("it gives the items page by page, oldest first, with deleted ones and the times of reading", async () => {
      const owner = fixture.owner("ann");
      const notifications = [...(await fixture.fill("ann", 3, { data: { a: 1 }, source: "shop" }))];
      await fixture.inbox.markAllRead(owner, at(1));
      notifications.push(...(await fixture.fill("ann", 2)));
      await fixture.inbox.remove(owner, [{ seq: 2 }, { seq: 5 }], at(2));
      await fixture.create("bob");
      const state = [
        { readAt: at(1), deletedAt: null },
        { readAt: at(1), deletedAt: at(2) },
        { readAt: at(1), deletedAt: null },
        { readAt: null, deletedAt: null },
        { readAt: null, deletedAt: at(2) },
      ];
      const records = notifications.map((notification, index) => {
        const { readAt = null, deletedAt = null } = state[index] ?? {};
        return { ...itemOf(notification, { userId: "ann", seq: index + 1, readAt }), deletedAt };
      });
      const pages = await exportAll((after) => fixture.inbox.export(owner, { after, limit: 2 }));
      expect(pages).toEqual([records.slice(0, 2), records.slice(2, 4), records.slice(4)]);
      expect(await fixture.inbox.export(fixture.owner("cleo"), { after: null, limit: 2 })).toEqual({ records: [], next: null });
    });
  });
}

/** Keeps unread items for ever. */
function readBefore(before: Date): InboxRetention {
  return { at: at(100), readBefore: before, unreadBefore: new Date(0), types: {} };
}

/** The promises of `sweep`. */
export function sweepingTests(harness: StorageHarness): void {
  describe("sweeping inboxes", () => {
    const fixture = useFixture(harness);

    test("old items that are read or deleted go, step by step, with true counts after each", async () => {
      const [ann, bob] = [fixture.owner("ann"), fixture.owner("bob")];
      const old = await fixture.fill("ann", 5);
      await fixture.inbox.createMany([fixture.entry("bob"), fixture.entry("bob")]);
      await fixture.inbox.markRead(ann, [{ seq: 1 }, { seq: 2 }], at(1));
      await fixture.inbox.markAllRead(bob, at(1));
      await fixture.inbox.remove(ann, [{ seq: 2 }, { seq: 4 }], at(2));
      const { createdAt: before } = fixture.entry("nobody").notification;
      await fixture.fill("ann", 2);
      await fixture.inbox.markRead(ann, [{ seq: 6 }], at(3));
      const { rev } = await fixture.inbox.counts(ann);
      const step = (after: string | null) => fixture.inbox.sweep(readBefore(before), { after, limit: 2 });
      const look = () => Promise.all([ann, bob].map((owner) => expectTrueCounts(fixture, owner)));
      // Ann's 1, 2 and 4, and Bob's 1: his 2 is the newest.
      expect(await sweepAll(step, look)).toBe(4);
      const left = await exportAll((after) => fixture.inbox.export(ann, { after, limit: 10 }));
      expect(seqsOf(left.flat())).toEqual([3, 5, 6, 7]);
      expect(await fixture.inbox.counts(ann)).toMatchObject({ total: 4, unread: 3, lastSeq: 7, rev: rev + 1 });
      expect(seqsOf((await fixture.inbox.list(bob, { status: "all", limit: 5 })).items)).toEqual([2]);
      const found = await Promise.all(old.map(({ id }) => fixture.storage.activity.find(fixture.tenant, id)));
      expect(found.map((content) => content !== null)).toEqual([false, false, true, false, true]);
      expect(await sweepAll(step)).toBe(0);
      expect((await fixture.create("ann")).items).toMatchObject([{ seq: 8 }]);
    });

    test("unread items and types have retention times of their own", async () => {
      const [ann, bob] = [fixture.owner("ann"), fixture.owner("bob")];
      const write = (user: string, type: string) => fixture.inbox.createMany([fixture.entry(user, { type })]);
      for (const type of ["news", "bill", "news", "bill", "last"]) {
        await write("ann", type);
      }
      await write("bob", "news");
      await write("bob", "bill");
      const { createdAt: later } = fixture.entry("nobody").notification;
      await fixture.inbox.markRead(ann, [{ seq: 1 }, { seq: 2 }], at(1));
      const never = new Date(0);
      const kept = { at: at(100), readBefore: later, unreadBefore: never, types: { news: { readBefore: never, unreadBefore: later } } };
      const look = () => Promise.all([ann, bob].map((owner) => expectTrueCounts(fixture, owner)));
      // Ann's 2, a bill that is read, and 3, news that are unread; Bob's 1.
      await sweepAll((after) => fixture.inbox.sweep(kept, { after, limit: 3 }), look);
      const seqs = async (owner: Owner) => seqsOf((await fixture.inbox.list(owner, { status: "all", limit: 9 })).items);
      expect([await seqs(ann), await seqs(bob)]).toEqual([[5, 4, 1], [2]]);
      expect(await fixture.inbox.counts(ann)).toMatchObject({ total: 3, unread: 2 });
      expect(await sweepAll((after) => fixture.inbox.sweep(kept, { after, limit: 3 }))).toBe(0);
    });

    test("a step removes no more than its limit, and the walk ends where no item is old enough", async () => {
      const owner = fixture.owner("ann");
      await fixture.fill("ann", 5);
      await fixture.inbox.markAllRead(owner, at(1));
      const before = fixture.entry("nobody").notification.createdAt;
      await fixture.fill("ann", 250);
      const removed: number[] = [];
      await sweepAll(async (after) => {
        const step = await fixture.inbox.sweep(readBefore(before), { after, limit: 3 });
        removed.push(step.removed);
        return step;
      });
      expect(Math.max(...removed)).toBeLessThanOrEqual(3);
      expect(await fixture.inbox.counts(owner)).toMatchObject({ total: 250, unread: 250 });
      expect(await fixture.inbox.sweep(readBefore(new Date(0)), { after: null, limit: 3 })).toEqual({ removed: 0, next: null });
    });

    test("it may go on beside reads, writes and another sweep", async () => {
      const owner = fixture.owner("ann");
      await fixture.fill("ann", 20);
      const before = fixture.entry("nobody").notification.createdAt;
      const sweep = () => sweepAll((after) => fixture.inbox.sweep(readBefore(before), { after, limit: 3 }));
      const marks = range(1, 20).map((seq) => fixture.inbox.markRead(owner, [{ seq }], at(seq)));
      await Promise.all([sweep(), sweep(), removeRead(fixture.inbox, owner, at(30)), fixture.fill("ann", 3), ...marks]);
      await expectTrueCounts(fixture, owner);
      await sweep();
      expect(seqsOf(await expectTrueCounts(fixture, owner))).toEqual([23, 22, 21]);
    });
  });
}
