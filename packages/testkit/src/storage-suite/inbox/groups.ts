import type { Owner } from "@belfry/core";
import type { AlsoChanged } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, range, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { inTurn } from "../in-turn.ts";
import { eraseAll, removeRead, sweepAll } from "../steps.ts";
import { expectTrueCounts } from "./recount.ts";

const PAGE = { status: "all", limit: 100 } as const;

/** What changed beside new items, by their numbers. */
export function alsoOf(items: readonly { readonly also?: readonly AlsoChanged[] }[]): readonly string[] {
  return items.flatMap(({ also = [] }) => also.flatMap(({ change, items: changed }) => changed.map(({ seq }) => `${change} ${seq}`)));
}

/** Takes a transaction back. */
export function fail(): never {
  throw new Error("The host changed its mind.");
}

/** The promises of groups. */
export function groupTests(harness: StorageHarness): void {
  describe("groups", () => {
    const fixture = useFixture(harness);
    const reply = (group: string | null, actor: string | null = null, to: string | readonly string[] = "ann") =>
      fixture.create(to, { group, actor });
    const shown = async (owner: Owner, status: "all" | "unread" = "all") =>
      (await fixture.inbox.groups(owner, { ...PAGE, status })).groups.map(({ group, total, unread, newest }) => [
        group,
        total,
        unread,
        newest.seq,
      ]);
    const snooze = (owner: Owner, seqs: readonly number[]) =>
      fixture.inbox.mark(
        owner,
        seqs.map((seq) => ({ seq })),
        { mark: "snoozed", at: at(1), until: at(1_000) },
      );

    test("a group has its newest item, its counts and its first actors; an item without one is in none", async () => {
      for (const [group, actor] of [
        ["a", "bob"],
        ["a", "cat"],
        ["b", null],
        [null, "bob"],
        ["a", "bob"],
        ["a", "dan"],
        ["a", "eve"],
      ] as const) {
        await reply(group, actor, ["ann", "zoe"]);
      }
      const owner = fixture.owner("ann");
      await fixture.inbox.markRead(owner, [{ seq: 2 }, { seq: 3 }, { seq: 4 }], at(1));
      const items = await expectTrueCounts(fixture, owner);
      const { groups, counts } = await fixture.inbox.groups(owner, PAGE);
      expect(groups).toEqual([
        { group: "a", total: 5, unread: 4, newest: items[0], actors: ["bob", "cat", "dan"], actorCount: 4 },
        { group: "b", total: 1, unread: 0, newest: items[4], actors: [], actorCount: 0 },
      ]);
      expect(counts).toEqual(await fixture.inbox.counts(owner));
      expect(await shown(owner, "unread")).toEqual([["a", 5, 4, 7]]);
      expect(await shown(fixture.owner("zoe"))).toEqual([
        ["a", 5, 5, 7],
        ["b", 1, 1, 3],
      ]);
      expect(await fixture.inbox.groups(fixture.owner("nobody"), PAGE)).toMatchObject({ groups: [], counts: { total: 0 } });
    });

    test("pages go from the newest group down", async () => {
      await Promise.all(["a", "b", "c"].map((group) => reply(group)));
      await reply("a");
      const owner = fixture.owner("ann");
      const all = await shown(owner);
      expect(all).toHaveLength(3);
      const [first] = (await fixture.inbox.groups(owner, { status: "all", limit: 1 })).groups;
      expect(first).toMatchObject({ group: "a", newest: { seq: 4 } });
      const rest = await fixture.inbox.groups(owner, { status: "all", limit: 5, before: 4 });
      expect(rest.groups.map(({ newest }) => newest.seq)).toEqual(all.slice(1).map(([, , , seq]) => seq));
    });

    test("a mark of the whole inbox leaves nothing unread in any group, and an item that comes later is unread", async () => {
      for (const group of ["a", "a", "b", null]) {
        await reply(group);
      }
      const owner = fixture.owner("ann");
      await fixture.inbox.markAllRead(owner, at(1));
      expect(await shown(owner, "unread")).toEqual([]);
      await expectTrueCounts(fixture, owner);
      await fixture.inbox.markUnread(owner, [{ seq: 1 }, { seq: 3 }], at(1));
      await reply("b");
      expect(await shown(owner)).toEqual([
        ["b", 2, 2, 5],
        ["a", 2, 1, 2],
      ]);
      await fixture.inbox.markAllRead(owner, at(2));
      await removeRead(fixture.inbox, owner, at(3));
      expect(await shown(owner)).toEqual([]);
    });

    test("its newest item is the newest active one, and a group without active items is not there", async () => {
      await reply("a");
      await reply("a");
      await reply("a");
      const owner = fixture.owner("ann");
      await fixture.inbox.mark(owner, [{ seq: 3 }], { mark: "archived", at: at(1) });
      expect(await shown(owner)).toEqual([["a", 2, 2, 2]]);
      await fixture.inbox.remove(owner, [{ seq: 1 }, { seq: 2 }], at(2));
      expect(await shown(owner)).toEqual([]);
      await fixture.inbox.markRead(owner, [{ seq: 3 }], at(2));
      await fixture.inbox.mark(owner, [{ seq: 3 }], { mark: "unarchived", at: at(3) });
      expect((await expectTrueCounts(fixture, owner)).map(({ seq }) => seq)).toEqual([3]);
      await fixture.inbox.remove(owner, [{ seq: 3 }], at(4));
      expect(alsoOf((await reply("a")).items)).toEqual([]);
      await expectTrueCounts(fixture, owner);
    });

    test("a new item wakes the items of its group if all of them are snoozed, those of other groups never", async () => {
      for (const group of ["a", "a", "b", null]) {
        await reply(group);
      }
      const owner = fixture.owner("ann");
      await fixture.inbox.markRead(owner, [{ seq: 1 }], at(1));
      await snooze(owner, [1, 3, 4]);
      expect(alsoOf((await reply("a")).items)).toEqual([]);
      await snooze(owner, [2, 5]);
      const { rev } = await fixture.inbox.counts(owner);
      const { items } = await reply("a");
      expect(alsoOf(items)).toEqual(["woken 1", "woken 2", "woken 5"]);
      expect(items[0]?.also?.[0]?.items[0]).toMatchObject({ readAt: null, isSeen: true, snoozedUntil: null });
      expect(await fixture.inbox.counts(owner)).toMatchObject({ total: 4, unread: 4, rev: rev + 1 });
      expect(seqsOf(await expectTrueCounts(fixture, owner))).toEqual([6, 5, 2, 1]);
      const due = await fixture.inbox.dueInboxes(1_000);
      expect(due.find(({ tenant }) => tenant === owner.tenant)?.dueAt).toEqual(at(1_000));
    });

    test("its items are found by place, oldest first, between two numbers", async () => {
      await fixture.fill("ann", 8, { group: "a" });
      await fixture.fill("ann", 1, { group: "b" });
      const owner = fixture.owner("ann");
      await fixture.inbox.markRead(owner, [{ seq: 2 }], at(1));
      await fixture.inbox.mark(owner, [{ seq: 3 }], { mark: "archived", at: at(1) });
      await snooze(owner, [4, 5]);
      await fixture.inbox.remove(owner, [{ seq: 6 }], at(1));
      const found = (place: "active" | "unread" | "archived" | "snoozed", more: object = {}) =>
        fixture.inbox.groupItems(owner, { group: "a", place, limit: 10, ...more });
      expect(await found("active")).toEqual([1, 2, 7, 8]);
      expect(await found("unread")).toEqual([1, 7, 8]);
      expect(await found("archived")).toEqual([3]);
      expect(await found("snoozed")).toEqual([4, 5]);
      expect(await found("active", { upTo: 7, limit: 2 })).toEqual([1, 2]);
      expect(await found("active", { after: 1, upTo: 7 })).toEqual([2, 7]);
      expect(await fixture.inbox.groupItems(fixture.owner("bob"), { group: "a", place: "active", limit: 10 })).toEqual([]);
    });

    test("erasing, sweeping and deleting for good keep its counts true, and it begins anew after its last item", async () => {
      const gone: readonly ((id: string) => Promise<unknown>)[] = [
        () => eraseAll(() => fixture.inbox.erase(fixture.owner("ann"), 2)),
        (id) => fixture.storage.activity.deleteNotification(fixture.tenant, id, { at: at(2), actor: "host", limit: 10 }),
      ];
      for (const end of gone) {
        fixture.nextTenant();
        const owner = fixture.owner("ann");
        const { notification } = await reply("a", "bob", ["ann", "cat"]);
        await end(notification.id);
        await expectTrueCounts(fixture, owner);
        await reply("a", "dan", ["ann", "cat"]);
        await expectTrueCounts(fixture, owner);
        await expectTrueCounts(fixture, fixture.owner("cat"));
        expect((await fixture.inbox.groups(owner, PAGE)).groups).toMatchObject([{ total: 1, actors: ["dan"] }]);
      }
    });

    test("erasing an inbox keeps the counts of its groups true after each step", async () => {
      for (const seq of range(1, 9)) {
        await reply(["a", "b", null][seq % 3] ?? null);
      }
      const owner = fixture.owner("ann");
      await fixture.inbox.markRead(owner, [{ seq: 1 }, { seq: 2 }], at(1));
      await fixture.inbox.mark(owner, [{ seq: 4 }], { mark: "archived", at: at(1) });
      await eraseAll(
        () => fixture.inbox.erase(owner, 2),
        () => expectTrueCounts(fixture, owner),
      );
    });

    test("a sweep takes what is too old out of its groups", async () => {
      for (const seq of range(1, 8)) {
        await reply(["a", "b", "c"][seq % 3] ?? null, null, ["ann", "bob"]);
      }
      const owner = fixture.owner("ann");
      await fixture.inbox.markRead(owner, [{ seq: 1 }, { seq: 2 }, { seq: 6 }], at(1));
      await fixture.inbox.remove(owner, [{ seq: 3 }], at(1));
      const kept = { readBefore: at(100_000), unreadBefore: at(-100_000), types: {}, at: at(2) };
      await sweepAll((after) => fixture.inbox.sweep(kept, { after, limit: 20 }));
      expect(seqsOf(await expectTrueCounts(fixture, owner))).toEqual([8, 7, 5, 4]);
      await expectTrueCounts(fixture, fixture.owner("bob"));
    });

    test("many writers and readers at once leave true counts", async () => {
      const owner = fixture.owner("ann");
      await reply("a");
      await Promise.all(
        range(1, 30).flatMap((number) => [
          reply(["a", "b"][number % 2] ?? null, `actor ${number % 4}`, ["ann", "bob"]),
          fixture.inbox.markRead(owner, [{ seq: number }], at(number)),
          number % 10 === 0 ? fixture.inbox.markAllRead(owner, at(number)) : fixture.inbox.remove(owner, [{ seq: number / 3 }], at(number)),
        ]),
      );
      await expectTrueCounts(fixture, owner);
      await expectTrueCounts(fixture, fixture.owner("bob"));
    });

    test("a fan-out and a host's transaction count in groups, and what is rolled back does not", async () => {
      const owner = fixture.owner("ann");
      await reply("a", "bob");
      await snooze(owner, [1]);
      await fixture.inbox.createFanOut(fixture.entry(["ann", "cat"], { group: "a", actor: "dan" }), 100);
      expect(alsoOf((await fixture.inbox.fanOutNext(at(5)))?.items ?? [])).toEqual(["woken 1"]);
      const rolledBack = fixture.subject.transaction((tx) =>
        inTurn(() => fixture.inbox.createWithin(tx, fixture.entry("ann", { group: "a", actor: "eve" }), () => undefined), fail),
      );
      await expect(rolledBack).rejects.toThrow();
      await fixture.subject.transaction((tx) =>
        fixture.inbox.createWithin(tx, fixture.entry("ann", { group: "a", actor: "fay" }), () => undefined),
      );
      expect((await fixture.inbox.groups(owner, PAGE)).groups).toMatchObject([{ total: 3, unread: 3, actors: ["bob", "dan", "fay"] }]);
      await expectTrueCounts(fixture, owner);
      await expectTrueCounts(fixture, fixture.owner("cat"));
    });
  });
}
