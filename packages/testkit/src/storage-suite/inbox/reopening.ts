import type { InboxItem, Owner } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { newSend } from "../delivery/send-entries.ts";
import { at, type Fixture, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { deleteSend, removeRead } from "../steps.ts";
import { expectTrueCounts } from "./recount.ts";

/** When each item was read, by its number from 1; null where it is unread. */
function readTimes(items: readonly InboxItem[]): readonly (Date | null)[] {
  return items.toReversed().map(({ readAt }) => readAt);
}

/** Marking items unread again, and the numbers of an inbox's changes. */
export function reopeningTests(harness: StorageHarness): void {
  describe("marking unread again", () => {
    const fixture = useFixture(harness);

    async function times(owner: Owner): Promise<readonly (Date | null)[]> {
      return readTimes(await expectTrueCounts(fixture, owner));
    }

    test("an item's own later mark outranks an older mark of everything, and the next one covers it again", async () => {
      await fixture.fill("ann", 4);
      const owner = fixture.owner("ann");
      await fixture.inbox.markAllRead(owner, at(10));
      const change = await fixture.inbox.markUnread(owner, [{ seq: 3 }, { seq: 2 }], at(9));
      expect(change.items.map(({ seq, readAt }) => [seq, readAt])).toEqual([
        [3, null],
        [2, null],
      ]);
      expect(change.changed).toEqual(new Set([2, 3]));
      expect(change.counts).toMatchObject({ total: 4, unread: 2, lastSeq: 4 });
      expect(await times(owner)).toEqual([at(10), null, null, at(10)]);

      expect((await fixture.inbox.markAllRead(owner, at(20))).count).toBe(2);
      expect(await times(owner)).toEqual([at(10), at(20), at(20), at(10)]);
      // Once more, with items that came later.
      await fixture.inbox.markUnread(owner, [{ seq: 2 }], at(9));
      await fixture.fill("ann", 1);
      expect(await times(owner)).toEqual([at(10), null, at(20), at(10), null]);
      expect((await fixture.inbox.markAllRead(owner, at(30))).count).toBe(2);
      expect(await times(owner)).toEqual([at(10), at(30), at(20), at(10), at(30)]);
    });

    test("an item with a read time of its own loses it, and gets a new one", async () => {
      const [first] = await fixture.fill("ann", 2);
      const owner = fixture.owner("ann");
      await fixture.inbox.markRead(owner, [{ seq: 1 }], at(10));
      await fixture.inbox.markUnread(owner, [first?.id ?? ""], at(9));
      expect(await times(owner)).toEqual([null, null]);
      await fixture.inbox.markAllRead(owner, at(20));
      await fixture.inbox.markUnread(owner, [{ seq: 1 }], at(9));
      const change = await fixture.inbox.markRead(owner, [{ seq: 1 }, { seq: 2 }], at(30));
      expect(change.changed).toEqual(new Set([1]));
      expect(await times(owner)).toEqual([at(30), at(20)]);
    });

    test("every check whether an item is read takes it into account", async () => {
      const [first, second] = await fixture.fill("ann", 3, { type: "alert" });
      const owner = fixture.owner("ann");
      await fixture.inbox.markAllRead(owner, at(10));
      await fixture.inbox.markUnread(owner, [{ seq: 1 }], at(9));
      const unread = await fixture.inbox.list(owner, { status: "unread", type: "alert", limit: 10 });
      expect([unread.matching, unread.items.map(({ seq }) => seq)]).toEqual([1, [1]]);
      expect(
        (await fixture.inbox.list(owner, { status: "read", type: "alert", offset: 1, limit: 10 })).items.map(({ seq }) => seq),
      ).toEqual([2]);
      expect(await fixture.inbox.get(owner, { seq: 1 })).toMatchObject({ readAt: null });
      expect(await fixture.inbox.get(owner, { seq: 2 })).toMatchObject({ readAt: at(10) });
      expect(readTimes((await fixture.inbox.listAfter(owner, 0, { limit: 10, bytes: 1_000_000 })).items.toReversed())).toEqual([
        null,
        at(10),
        at(10),
      ]);
      expect(readTimes(await fixture.inbox.listTenant(fixture.tenant, 10))).toEqual([null, at(10), at(10)]);
      const { activity } = fixture.storage;
      expect(await activity.itemsOf(fixture.tenant, first?.id ?? "", 10)).toMatchObject({ items: [{ readAt: null }], total: 1, read: 0 });
      expect(await activity.itemsOf(fixture.tenant, second?.id ?? "", 10)).toMatchObject({
        items: [{ readAt: at(10) }],
        total: 1,
        read: 1,
      });

      expect((await removeRead(fixture.inbox, owner, at(20))).count).toBe(2);
      expect(await fixture.inbox.remove(owner, [{ seq: 1 }], at(30))).toMatchObject({ counts: { total: 0, unread: 0 } });
      expect(await times(owner)).toEqual([]);
    });

    test("unread, deleted, unknown and foreign items are skipped", async () => {
      await fixture.fill("ann", 3);
      const bobs = await fixture.create("bob");
      const owner = fixture.owner("ann");
      await fixture.inbox.markRead(owner, [{ seq: 1 }, { seq: 2 }], at(10));
      await fixture.inbox.remove(owner, [{ seq: 1 }], at(10));
      const counts = await fixture.inbox.counts(owner);
      const change = await fixture.inbox.markUnread(owner, [{ seq: 1 }, { seq: 3 }, { seq: 9 }, bobs.notification.id], at(9));
      expect(change).toMatchObject({ items: [{ seq: 3, readAt: null }], changed: new Set(), counts });
      expect(await fixture.inbox.markUnread(fixture.owner("nobody"), [{ seq: 1 }], at(9))).toMatchObject({
        items: [],
        counts: { total: 0 },
      });
      expect(await times(owner)).toEqual([at(10), null]);
    });

    test("calls at once leave every item read or unread, and counted as such", async () => {
      await fixture.fill("ann", 20);
      const owner = fixture.owner("ann");
      const refs = Array.from({ length: 20 }, (_, index) => ({ seq: index + 1 }));
      await Promise.all(
        refs.flatMap((ref, index) => [
          fixture.inbox.markAllRead(owner, at(index)),
          fixture.inbox.markUnread(owner, [ref], at(9)),
          fixture.inbox.markRead(owner, [ref], at(100)),
          fixture.inbox.markUnread(owner, refs.slice(index), at(9)),
        ]),
      );
      await expectTrueCounts(fixture, owner);
    });
  });

  describe("the numbers of changes", () => {
    const fixture = useFixture(harness);
    changeNumberTests(fixture);
  });
}

function changeNumberTests(fixture: Fixture): void {
  test("each call that changes something is one, and creating is none", async () => {
    const owner = fixture.owner("ann");
    const { inbox } = fixture;
    const revs: number[] = [];
    const look = async (counts?: { readonly rev: number }) => {
      const now = await inbox.counts(owner);
      expect(counts ?? now).toEqual(now);
      expect((await inbox.list(owner, { status: "all", limit: 1 })).counts).toEqual(now);
      expect((await inbox.listAfter(owner, 0, { limit: 1, bytes: 1_000_000 })).counts).toEqual(now);
      revs.push(now.rev);
    };
    await look();
    await fixture.fill("ann", 6);
    await fixture.create(["ann", "bob", "cat"]);
    await look();
    await look((await inbox.markRead(owner, [{ seq: 1 }, { seq: 2 }], at(1))).counts);
    await look((await inbox.markRead(owner, [{ seq: 1 }, { seq: 9 }], at(1))).counts);
    await look((await inbox.remove(owner, [{ seq: 1 }, { seq: 3 }], at(1))).counts);
    await look((await inbox.remove(owner, [{ seq: 1 }], at(1))).counts);
    await look((await inbox.markAllRead(owner, at(2))).counts);
    await look((await inbox.markAllRead(owner, at(2))).counts);
    await look((await inbox.markUnread(owner, [{ seq: 4 }, { seq: 5 }], at(9))).counts);
    await look((await removeRead(inbox, owner, at(3))).counts);
    await look((await removeRead(inbox, owner, at(3))).counts);
    await fixture.fill("ann", 1);
    await look();
    expect(revs).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 5]);
    expect(await inbox.counts(fixture.owner("bob"))).toMatchObject({ rev: 0 });
  });

  test("updating and deleting a send changes the inboxes in which it is", async () => {
    const { deliveries, inbox } = fixture.storage;
    const [ann, bob] = [fixture.owner("ann"), fixture.owner("bob")];
    const send = newSend(fixture, { to: ["ann", "bob"], channel: "inbox" });
    await deliveries.createSends([send], send.notification.createdAt);
    expect(await inbox.counts(ann)).toMatchObject({ total: 1, rev: 0 });
    await inbox.remove(bob, [{ seq: 1 }], at(1));
    await deliveries.updateSend(fixture.tenant, send.notification.id, { title: "New", keptRendered: -1, at: at(2), actor: "host" });
    expect(await inbox.counts(ann)).toMatchObject({ total: 1, rev: 1 });
    await deleteSend(fixture.storage, send.notification, { at: at(3), actor: "host" });
    expect(await inbox.counts(ann)).toMatchObject({ total: 0, rev: 2 });
    // It was deleted there before.
    expect(await inbox.counts(bob)).toMatchObject({ rev: 1 });
  });

  test("they go on after a restart and in a new epoch", async () => {
    await fixture.fill("ann", 2);
    const owner = fixture.owner("ann");
    const { counts } = await fixture.inbox.markAllRead(owner, at(1));
    await fixture.reopen();
    expect(await fixture.inbox.counts(owner)).toEqual(counts);
    await fixture.inbox.renewEpochs();
    expect(await fixture.inbox.counts(owner)).toEqual({ ...counts, epoch: expect.not.stringContaining(counts.epoch) });
  });
}
