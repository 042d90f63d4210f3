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

    test("an expired notification is noted once no inbox has its item, and none is to come", async () => {
      const { notification } = await fixture.create(["ann", "bob"], { expiresAt: at(50) });
      const { id, tenant } = notification;
      const isExpiring = async () => (await fixture.inbox.expiring(1_000)).some((one) => one.id === id && one.tenant === tenant);
      expect(await isExpiring()).toBe(true);
      expect(await fixture.inbox.activeUsersOf(tenant, id, 1)).toEqual(["ann"]);
      expect(await fixture.inbox.noteExpired(tenant, id, at(50))).toBe(false);
      for (const userId of ["ann", "bob"]) {
        await fixture.inbox.remove(fixture.owner(userId), [id], at(50));
      }
      expect(await fixture.inbox.activeUsersOf(tenant, id, 10)).toEqual([]);
      expect(await fixture.inbox.noteExpired(tenant, id, at(50))).toBe(true);
      expect(await isExpiring()).toBe(false);
    });
  });
}
