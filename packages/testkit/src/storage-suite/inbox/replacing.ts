import { describe, expect, test, vi } from "vitest";
import { at, range, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { inTurn } from "../in-turn.ts";
import { alsoOf, fail } from "./groups.ts";
import { expectTrueCounts } from "./recount.ts";

/** The promises of items that take the place of others. */
export function replacingTests(harness: StorageHarness): void {
  describe("replacing by key", () => {
    const fixture = useFixture(harness);
    const news = (key: string | null, to: string | readonly string[] = "ann") => fixture.create(to, { replaceKey: key });
    const left = async (userId = "ann") => seqsOf(await expectTrueCounts(fixture, fixture.owner(userId)));

    test("the unread item of the key goes, and the new one has the next number", async () => {
      await news("build 1");
      await news("build 2");
      await news(null);
      const { rev } = await fixture.inbox.counts(fixture.owner("ann"));
      const { items, notification } = await news("build 1");
      expect(alsoOf(items)).toEqual(["deleted 1"]);
      expect(await left()).toEqual([4, 3, 2]);
      expect(await fixture.inbox.counts(fixture.owner("ann"))).toMatchObject({ total: 3, unread: 3, lastSeq: 4, rev: rev + 1 });
      expect(await fixture.inbox.get(fixture.owner("ann"), { seq: 4 })).toMatchObject({ id: notification.id, replaceKey: "build 1" });
      expect(await fixture.inbox.absence(fixture.owner("ann"), { seq: 1 })).toBe("deleted");
    });

    test("items that were read, archived or snoozed stay, until they are unread and active again", async () => {
      const owner = fixture.owner("ann");
      await news("k");
      await fixture.inbox.markRead(owner, [{ seq: 1 }], at(1));
      await news("k");
      await fixture.inbox.markAllRead(owner, at(1));
      await news("k");
      await fixture.inbox.mark(owner, [{ seq: 3 }], { mark: "archived", at: at(1) });
      await news("k");
      await fixture.inbox.mark(owner, [{ seq: 4 }], { mark: "snoozed", at: at(1), until: at(9) });
      expect(alsoOf((await news("k")).items)).toEqual([]);
      expect(await left()).toEqual([5, 2, 1]);
      await fixture.inbox.markUnread(owner, [{ seq: 1 }], at(1));
      await fixture.inbox.mark(owner, [{ seq: 3 }], { mark: "unarchived", at: at(2) });
      expect(alsoOf((await news("k")).items)).toEqual(["deleted 1", "deleted 3", "deleted 5"]);
      expect(await left()).toEqual([6, 2]);
    });

    test("an item gets its key back when it is unread and active again, however that comes", async () => {
      const owner = fixture.owner("ann");
      await fixture.fill("ann", 4, { replaceKey: null });
      for (const seq of [5, 6, 7]) {
        await news("k");
        await fixture.inbox.markRead(owner, [{ seq }], at(1));
      }
      await news("k");
      await fixture.inbox.mark(owner, [{ seq: 8 }], { mark: "snoozed", at: at(1), until: at(9) });
      expect(alsoOf((await news("k")).items)).toEqual([]);
      await fixture.inbox.mark(owner, [{ seq: 9 }], { mark: "archived", at: at(1) });
      expect(alsoOf((await news("k")).items)).toEqual([]);
      await fixture.inbox.applyDue(owner, at(9));
      await fixture.inbox.changeMatching(owner, {
        ...{ mark: "unread", at: at(9), places: ["active"], filter: {}, after: 4, upTo: 5 },
      });
      await fixture.inbox.mark(owner, [{ seq: 9 }], { mark: "unarchived", at: at(9) });
      expect(alsoOf((await news("k")).items)).toEqual(["deleted 5", "deleted 8", "deleted 9", "deleted 10"]);
      expect(await left()).toEqual([11, 7, 6, 4, 3, 2, 1]);
    });

    test("each recipient's own inbox is asked, also in one batch, in its order", async () => {
      await news("k", ["ann", "bob"]);
      await fixture.inbox.markRead(fixture.owner("bob"), [{ seq: 1 }], at(1));
      const entries = [["ann", "bob", "cat"], ["cat"], ["ann"]].map((to) => fixture.entry(to, { replaceKey: "k" }));
      const answers = await fixture.inbox.createMany(entries);
      expect(answers.map((items) => alsoOf(items ?? []))).toEqual([["deleted 1"], ["deleted 1"], ["deleted 2"]]);
      expect([await left(), await left("bob"), await left("cat")]).toEqual([[3], [2, 1], [2]]);
    });

    test("a write that is repeated answers as before, and removes nothing", async () => {
      const entry = fixture.entry("ann", { replaceKey: "k" });
      const [first] = await fixture.inbox.createMany([entry]);
      await news("k");
      const [again] = await fixture.inbox.createMany([entry]);
      expect(again).toEqual(first);
      expect(await left()).toEqual([2]);
    });

    test("in a host's transaction it is removed with the commit alone", async () => {
      await news("k");
      const rolledBack = fixture.subject.transaction((tx) =>
        inTurn(() => fixture.inbox.createWithin(tx, fixture.entry("ann", { replaceKey: "k" }), () => undefined), fail),
      );
      await expect(rolledBack).rejects.toThrow();
      expect(await left()).toEqual([1]);
      const told: string[] = [];
      const entries = [1, 2].map(() => fixture.entry("ann", { replaceKey: "k", group: "a" }));
      for (const entry of entries) {
        await fixture.subject.transaction((tx) => fixture.inbox.createWithin(tx, entry, (items) => told.push(...alsoOf(items))));
      }
      await vi.waitFor(() => expect(told).toEqual(["deleted 1", "deleted 2"]), { timeout: 20_000, interval: 10 });
      expect(await left()).toEqual([3]);
    });

    test("a fan-out replaces chunk by chunk", async () => {
      await news("k", ["ann", "bob", "cat"]);
      await fixture.inbox.createFanOut(fixture.entry(["ann", "bob", "cat"], { replaceKey: "k" }), 2);
      expect(alsoOf((await fixture.inbox.fanOutNext(at(1)))?.items ?? [])).toEqual(["deleted 1", "deleted 1"]);
      expect(await left("cat")).toEqual([1]);
      expect(alsoOf((await fixture.inbox.fanOutNext(at(1)))?.items ?? [])).toEqual(["deleted 1"]);
      expect([await left(), await left("bob"), await left("cat")]).toEqual([[2], [2], [2]]);
    });

    test("of many that come at once, one is left in each inbox", async () => {
      const users = ["ann", "bob", "cat"];
      await Promise.all(
        range(1, 24).map((number) => {
          const to = number % 3 === 0 ? users : [users[number % 3] ?? ""];
          return fixture.inbox.createMany([fixture.entry(to, { replaceKey: "k", group: number % 2 === 0 ? "a" : null })]);
        }),
      );
      for (const user of users) {
        const { lastSeq } = await fixture.inbox.counts(fixture.owner(user));
        expect(await left(user)).toEqual([lastSeq]);
      }
    });
  });
}
