import type { Owner } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { at, range, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { expectTrueCounts } from "./recount.ts";

/** What the clock changes: snoozed items, and those of expired notifications. */
export function dueItemTests(harness: StorageHarness): void {
  describe("items that the clock changes", () => {
    const fixture = useFixture(harness);
    const snooze = (owner: Owner, seqs: readonly number[], until: number) =>
      fixture.inbox.mark(
        owner,
        seqs.map((seq) => ({ seq })),
        { mark: "snoozed", at: at(1), until: at(until) },
      );
    const dueAt = async ({ tenant, userId }: Owner) =>
      (await fixture.inbox.dueInboxes(1_000)).find((due) => due.tenant === tenant && due.userId === userId)?.dueAt ?? null;

    test("an inbox is due when its first snoozed item is", async () => {
      await fixture.fill("ann", 4);
      const owner = fixture.owner("ann");
      expect(await dueAt(owner)).toBeNull();
      await snooze(owner, [1], 30);
      await snooze(owner, [2], 20);
      await snooze(owner, [3], 40);
      expect(await dueAt(owner)).toEqual(at(20));
      expect(seqsOf(await expectTrueCounts(fixture, owner))).toEqual([4]);
      expect(seqsOf((await fixture.inbox.applyDue(owner, at(30)))?.woken.items ?? [])).toEqual([1, 2]);
      expect(await dueAt(owner)).toEqual(at(40));
      await fixture.inbox.mark(owner, [{ seq: 3 }], { mark: "woken", at: at(31) });
      expect(await dueAt(owner)).toBeNull();
      expect(seqsOf(await expectTrueCounts(fixture, owner))).toEqual([4, 3, 2, 1]);
    });

    test("waking outranks a mark of everything: the item is unread, and stays seen if it was", async () => {
      await fixture.fill("ann", 3);
      const owner = fixture.owner("ann");
      await fixture.inbox.mark(owner, [{ seq: 1 }], { mark: "seen", at: at(1) });
      await snooze(owner, [1, 2], 20);
      expect(await fixture.inbox.markAllRead(owner, at(5))).toMatchObject({ count: 1 });
      const woken = (await fixture.inbox.applyDue(owner, at(20)))?.woken;
      expect(woken?.items).toMatchObject([1, 2].map((seq) => ({ seq, readAt: null, isSeen: true, snoozedUntil: null })));
      expect(woken?.counts).toMatchObject({ total: 3, unread: 2, unseen: 0 });
      await expectTrueCounts(fixture, owner);
    });

    test("an inbox whose snoozed item is gone for good is not due again", async () => {
      const [first] = await fixture.fill("ann", 2);
      const owner = fixture.owner("ann");
      await snooze(owner, [1], 20);
      await fixture.storage.activity.deleteNotification(fixture.tenant, first?.id ?? "", { at: at(2), actor: "host", limit: 10 });
      const { rev } = await fixture.inbox.counts(owner);
      expect(await fixture.inbox.applyDue(owner, at(20))).toMatchObject({ woken: { items: [] }, counts: { rev } });
      expect(await dueAt(owner)).toBeNull();
      await expectTrueCounts(fixture, owner);
    });

    test("snoozing and waking at once wakes each item once, and loses none", async () => {
      await fixture.fill("ann", 10);
      const owner = fixture.owner("ann");
      const wakes = await Promise.all(
        range(1, 10).flatMap((seq) => [
          snooze(owner, [seq], 20).then(() => fixture.inbox.applyDue(owner, at(20))),
          fixture.inbox.applyDue(owner, at(20)),
        ]),
      );
      // One that found the inbox held left its item for the next.
      wakes.push(await fixture.inbox.applyDue(owner, at(20)));
      expect(wakes.flatMap((woken) => [...(woken?.woken.changed ?? [])]).toSorted((one, other) => one - other)).toEqual(range(1, 10));
      expect(await expectTrueCounts(fixture, owner)).toHaveLength(10);
      expect(await dueAt(owner)).toBeNull();
    });

    test("what has expired goes, wherever it is, and does not come back with what was put off", async () => {
      const owner = fixture.owner("ann");
      await fixture.fill("ann", 2);
      await fixture.fill("ann", 3, { expiresAt: at(40) });
      await fixture.fill("ann", 1, { expiresAt: at(60) });
      await fixture.inbox.markAllRead(owner, at(1));
      await fixture.inbox.mark(owner, [{ seq: 4 }], { mark: "archived", at: at(1) });
      await snooze(owner, [2, 5], 50);
      expect(await dueAt(owner)).toEqual(at(40));
      expect(await fixture.inbox.applyDue(owner, at(39))).toMatchObject({ expired: { items: [] }, woken: { items: [] } });
      const { rev } = await fixture.inbox.counts(owner);
      const applied = await fixture.inbox.applyDue(owner, at(55));
      expect(seqsOf(applied?.expired.items ?? [])).toEqual([3, 4, 5]);
      expect(seqsOf(applied?.woken.items ?? [])).toEqual([2]);
      expect(applied?.counts).toMatchObject({ total: 3, unread: 1, rev: rev + 2, dueAt: at(60) });
      expect(await dueAt(owner)).toEqual(at(60));
      expect(seqsOf(await expectTrueCounts(fixture, owner))).toEqual([6, 2, 1]);
      for (const place of ["archived", "snoozed"] as const) {
        expect((await fixture.inbox.list(owner, { status: "all", place, limit: 10 })).items).toEqual([]);
      }
      await fixture.inbox.remove(owner, [{ seq: 6 }], at(56));
      expect(await fixture.inbox.applyDue(owner, at(60))).toMatchObject({ expired: { items: [] } });
      expect(await dueAt(owner)).toBeNull();
    });

    test("an unread count is not answered, and a mark changes nothing, while something is due", async () => {
      const owner = fixture.owner("ann");
      await fixture.fill("ann", 1);
      await fixture.create(["ann", "bob"], { expiresAt: at(40) });
      expect(await fixture.inbox.unread(owner, at(39))).toBe(2);
      expect(await fixture.inbox.unread(owner, at(40))).toBeNull();
      expect(await fixture.inbox.unread(fixture.owner("bob"), at(40))).toBeNull();
      expect(await fixture.inbox.unread(fixture.owner("nobody"), at(40))).toBeNull();
      const marking = { mark: "read", unlessDue: true } as const;
      expect(await fixture.inbox.mark(owner, [{ seq: 1 }], { ...marking, at: at(40) })).toMatchObject({ items: [], isDue: true });
      expect(await fixture.inbox.mark(owner, [{ seq: 1 }], { ...marking, at: at(39) })).toMatchObject({ items: [{ seq: 1 }] });
      for (const verb of ["markAllSeen", "markAllRead"] as const) {
        const bob = fixture.owner("bob");
        const before = await fixture.inbox.counts(bob);
        const held = { count: 0, isChange: false, isDue: true, counts: { unread: 1, unseen: before.unseen, rev: before.rev } };
        expect(await fixture.inbox[verb](bob, at(40), { unlessDue: true })).toMatchObject(held);
        expect(await fixture.inbox.counts(bob)).toEqual(before);
        const done = await fixture.inbox[verb](bob, at(39), { unlessDue: true });
        expect(done).toMatchObject({ count: 1, isChange: true, counts: { unseen: 0, rev: before.rev + 1 } });
        expect(done.isDue).toBeUndefined();
      }
      await fixture.inbox.applyDue(owner, at(40));
      expect(await fixture.inbox.unread(owner, at(40))).toBe(0);
    });

    test("items expire however they were written", async () => {
      const end = { expiresAt: at(40) };
      await fixture.inbox.createMany([["ann"], ["ann", "bob"], ["cat"]].map((to) => fixture.entry(to, end)));
      await fixture.inbox.createMany([fixture.entry("ann"), fixture.entry(["ann", "bob"], end)]);
      await fixture.create("ann", { ...end, group: "a", replaceKey: "k" });
      await fixture.subject.transaction((tx) => fixture.inbox.createWithin(tx, fixture.entry("ann", end), () => undefined));
      await fixture.inbox.createFanOut(fixture.entry(["ann", "bob", "cat"], end), 2);
      while (await fixture.inbox.fanOutNext(at(1))) {
        // Each turn takes one.
      }
      const left = async (userId: string) => {
        expect(await dueAt(fixture.owner(userId))).toEqual(at(40));
        await fixture.inbox.applyDue(fixture.owner(userId), at(40));
        return seqsOf(await expectTrueCounts(fixture, fixture.owner(userId)));
      };
      expect([await left("ann"), await left("bob"), await left("cat")]).toEqual([[3], [], []]);
    });

    test("a new item of a snoozed group wakes 100 of its items at once, and the rest are due", async () => {
      const owner = fixture.owner("ann");
      await fixture.fill("ann", 250, { group: "a" });
      await fixture.fill("ann", 2, { group: "b" });
      await snooze(owner, range(1, 252), 50_000);
      const { items, notification } = await fixture.create("ann", { group: "a" });
      const [woken, ...more] = items[0]?.also ?? [];
      expect(more).toEqual([]);
      expect([...(woken?.changed ?? [])].toSorted((one, other) => one - other)).toEqual(range(151, 250));
      expect(await dueAt(owner)).toEqual(notification.createdAt);
      expect(await expectTrueCounts(fixture, owner)).toHaveLength(101);
      const applied = await fixture.inbox.applyDue(owner, notification.createdAt);
      expect(seqsOf(applied?.woken.items ?? [])).toEqual(range(1, 150));
      expect(await dueAt(owner)).toEqual(at(50_000));
      expect(await expectTrueCounts(fixture, owner)).toHaveLength(251);
    });

    test("those in whose inboxes a notification is are named in steps, whoever deleted it in between", async () => {
      const users = ["ann", "bob", "cat", "dan", "eve"];
      const { notification } = await fixture.create(users);
      const { id, tenant } = notification;
      const mark = (userId: string, as: "archived" | "deleted") =>
        fixture.inbox.mark(fixture.owner(userId), [id], { mark: as, at: at(1), places: ["active"] });
      await mark("ann", "deleted");
      await mark("bob", "deleted");
      await mark("cat", "archived");
      const owners = (after: string, limit = 2) => fixture.inbox.ownersOf(tenant, id, { after, limit });
      expect(await owners("")).toEqual({ users: [], next: "bob" });
      expect(await owners("bob")).toEqual({ users: ["cat", "dan"], next: "dan" });
      expect(await owners("dan")).toEqual({ users: ["eve"], next: null });
      expect(await owners("", 9)).toEqual({ users: ["cat", "dan", "eve"], next: null });
      expect(await fixture.inbox.ownersOf("other", id, { after: "", limit: 9 })).toEqual({ users: [], next: null });
    });

    test("an expired notification is noted once", async () => {
      const { notification } = await fixture.create(["ann", "bob"], { expiresAt: at(50) });
      const { id, tenant } = notification;
      const isExpiring = async () => (await fixture.inbox.expiring(1_000)).some((one) => one.id === id && one.tenant === tenant);
      await fixture.inbox.noteExpired("other", id, at(50));
      expect(await isExpiring()).toBe(true);
      expect(await fixture.inbox.isComing(tenant, id)).toBe(false);
      await fixture.inbox.noteExpired(tenant, id, at(50));
      expect(await isExpiring()).toBe(false);
    });
  });
}
