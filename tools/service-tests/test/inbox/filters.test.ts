import { defineTypes, type InboxEvent, type InboxFilter, type ItemRef, NotificationService } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const types = defineTypes({ comment: { category: "social" }, mention: { category: "social" }, invoice: { category: "billing" }, note: {} });

onEveryStorage((database) => {
  describe("filters of an inbox", () => {
    const setUp = async () => {
      const notifications = stopsAfterTest(new NotificationService({ storage: database.storage(), types }));
      await notifications.create({ to: "ann", type: "comment", priority: "low" });
      await notifications.create({ to: "ann", type: "mention", priority: "urgent" });
      await notifications.create({ to: ["ann", "bob"], type: "invoice" });
      await notifications.create({ to: "ann", type: "note" });
      return { notifications, inbox: notifications.inbox("ann") };
    };
    const typesOf = ({ items }: { readonly items: readonly { readonly type: string }[] }) => items.map(({ type }) => type);

    test("an item keeps the category that its type had when it was created; one without counts to that which its type has now", async () => {
      const { notifications, inbox } = await setUp();
      expect((await inbox.list()).items.map(({ category }) => category)).toEqual([null, "billing", "social", "social"]);
      expect(await inbox.get({ seq: 1 })).toMatchObject({ category: "social" });
      const { notification } = await notifications.create({ to: "cat", type: "comment" });
      expect(notification.category).toBe("social");
      await notifications.stop();
      const renamed = defineTypes({ comment: { category: "talk" }, mention: {}, invoice: {}, note: { category: "talk" } });
      const later = stopsAfterTest(new NotificationService({ storage: database.storage(), types: renamed }));
      expect(typesOf(await later.inbox("ann").list({ categories: ["social"] }))).toEqual(["mention", "comment"]);
      expect(typesOf(await later.inbox("ann").list({ categories: ["talk"] }))).toEqual(["note"]);
    });

    test("lists take several conditions at once, page by cursor, and refuse a cursor of another filter", async () => {
      const { inbox } = await setUp();
      expect(typesOf(await inbox.list({ types: ["note", "comment"] }))).toEqual(["note", "comment"]);
      expect(typesOf(await inbox.list({ priority: "urgent" }))).toEqual(["mention"]);
      expect(typesOf(await inbox.list({ priority: ["urgent", "low"], read: false }))).toEqual(["mention", "comment"]);
      await inbox.markSeen({ seq: 1 });
      await inbox.archive({ seq: 2 });
      await inbox.snooze({ seq: 3 }, new Date(Date.now() + 3_600_000));
      expect(typesOf(await inbox.list({ categories: ["social"], seen: true }))).toEqual(["comment"]);
      expect(typesOf(await inbox.list({ archived: true, types: ["mention", "note"] }))).toEqual(["mention"]);
      expect(typesOf(await inbox.list({ snoozed: true, categories: ["billing"] }))).toEqual(["invoice"]);
      const first = await inbox.list({ types: ["note", "comment"], limit: 1 });
      expect(first).toMatchObject({ matching: 2, more: false, items: [{ type: "note" }] });
      const cursor = first.nextCursor ?? "";
      expect(await inbox.list({ types: ["note", "comment"], limit: 1, cursor })).toMatchObject({
        items: [{ type: "comment" }],
        nextCursor: null,
      });
      await expect(inbox.list({ types: ["comment"], cursor })).rejects.toMatchObject({ code: "INVALID_CURSOR" });
      await expect(inbox.list({ cursor })).rejects.toMatchObject({ code: "INVALID_CURSOR" });
    });

    test("counts of 30 filters come with those of the inbox, in their order", async () => {
      const { inbox } = await setUp();
      await inbox.markRead({ seq: 1 });
      await inbox.markSeen({ seq: 2 });
      await inbox.pin({ seq: 2 });
      await inbox.archive({ seq: 3 });
      const filters: readonly InboxFilter[] = [
        {},
        { read: false },
        { read: true },
        { seen: true },
        { seen: false, read: true },
        { categories: ["social"] },
        { categories: ["social"], read: false },
        { types: ["note", "invoice"] },
        { priority: ["normal"], archived: true },
        { pinned: true, seen: true },
        { snoozed: true },
      ];
      const counted = await inbox.counts({ filters: [...filters, ...Array(19).fill({ categories: ["billing"] })] });
      expect(counted).toMatchObject(await inbox.counts());
      expect(counted.filtered).toHaveLength(30);
      expect(counted.filtered.slice(0, 12).map(({ total, unread, unseen, more }) => [total, unread, unseen, more])).toEqual([
        [3, 2, 1, false],
        [2, 2, 1, false],
        [1, 0, 0, false],
        [2, 1, 0, false],
        [0, 0, 0, false],
        [2, 1, 0, false],
        [1, 1, 0, false],
        [1, 1, 1, false],
        [1, 1, 1, false],
        [1, 1, 0, false],
        [0, 0, 0, false],
        [0, 0, 0, false],
      ]);
      expect((await inbox.counts({ filters: [{ seen: false }] })).filtered).toEqual([{ total: 1, unread: 1, unseen: 1, more: false }]);
      expect((await inbox.counts({ filters: [] })).filtered).toEqual([]);
    });

    test("the top of a first page is what is pinned, then what came back and is unread", async () => {
      const { inbox } = await setUp();
      await inbox.pin({ seq: 1 });
      for (const seq of [1, 2, 3]) {
        await inbox.snooze({ seq }, new Date(Date.now() + 3_600_000));
        await inbox.wake({ seq });
      }
      expect((await inbox.top()).map(({ seq }) => seq)).toEqual([1, 3, 2]);
      await inbox.markRead({ seq: 3 });
      await inbox.unpin({ seq: 1 });
      expect((await inbox.top()).map(({ seq }) => seq)).toEqual([2, 1]);
    });

    test("items that match are marked and archived together, with one event, and later ones stay", async () => {
      const { notifications, inbox } = await setUp();
      const live: (readonly [string, number])[] = [];
      const covered: (readonly number[])[] = [];
      const onEvent = ({ change, count, seqs = [] }: InboxEvent) => {
        live.push([change, count]);
        covered.push(seqs);
      };
      const subscription = inbox.subscribe({ onEvent, onState: () => {} });
      await subscription.ready;
      const fired: (readonly [string, number])[] = [];
      for (const name of ["inbox.matching_read", "inbox.matching_seen", "inbox.matching_archived"] as const) {
        notifications.on(name, ({ userId, count }) => void fired.push([`${name} ${userId}`, count]));
      }
      await inbox.archive({ seq: 2 });
      expect(await inbox.markAllSeen({ filter: { categories: ["social"], archived: false } })).toBe(1);
      expect(await inbox.get({ seq: 2 })).toMatchObject({ isSeen: false });
      expect(await inbox.markAllRead({ filter: { categories: ["social"] }, upTo: 2 })).toBe(1);
      expect(await inbox.get({ seq: 2 })).toMatchObject({ readAt: expect.any(Date) });
      expect(await inbox.markAllRead({ filter: { types: ["nothing"] } })).toBe(0);
      expect(await inbox.markAllRead({ upTo: 3 })).toBe(1);
      expect(await inbox.counts()).toMatchObject({ total: 3, unread: 1, unseen: 1 });
      expect(await inbox.archiveAll({ filter: { read: true } })).toBe(2);
      expect((await inbox.list()).items.map(({ seq }) => seq)).toEqual([4]);
      expect(await inbox.archiveAll()).toBe(1);
      expect((await inbox.list({ archived: true })).items.map(({ seq }) => seq)).toEqual([4, 3, 2, 1]);
      const changes: (readonly [string, number])[] = [
        ["seen_matching", 1],
        ["read_matching", 1],
        ["read_matching", 1],
        ["archived_matching", 2],
        ["archived_matching", 1],
      ];
      await expect.poll(() => live).toEqual([["archived", 1], ...changes]);
      expect(covered).toEqual([[], [1], [1, 2], [3], [1, 3], [4]]);
      const nameOf = (change: string) => `inbox.matching_${change.split("_")[0]} ann`;
      expect(fired).toEqual(changes.map(([change, count]) => [nameOf(change), count]));
      subscription.close();
    });

    test("a group is a filter of counts, marks and archiving, too", async () => {
      const { notifications, inbox } = await setUp();
      for (const [group, priority] of [
        ["a", "low"],
        ["b", "low"],
        ["a", "high"],
      ] as const) {
        await notifications.create({ to: "ann", type: "note", group, priority });
      }
      const counted = async () => {
        const filters = [
          { group: "a" },
          { group: "a", priority: "high" },
          { group: "b", read: false },
          { group: "c" },
          { types: ["note"] },
        ] as const;
        return (await inbox.counts({ filters })).filtered.map(({ total, unread }) => [total, unread]);
      };
      expect(await counted()).toEqual([[2, 2], [1, 1], [1, 1], [0, 0], [4, 4]]); // biome-ignore format: one line
      expect(await inbox.markAllRead({ filter: { group: "a", priority: "low" } })).toBe(1);
      expect(await inbox.markAllSeen({ filter: { group: "a" }, upTo: 6 })).toBe(0);
      expect(await inbox.markAllSeen({ filter: { group: "a" } })).toBe(1);
      expect(await counted()).toEqual([[2, 1], [1, 1], [1, 1], [0, 0], [4, 3]]); // biome-ignore format: one line
      expect(await inbox.archiveAll({ filter: { group: "b" } })).toBe(1);
      expect(await inbox.list({ group: "a", read: true })).toMatchObject({ matching: 1, items: [{ seq: 5 }] });
      expect((await inbox.counts({ filters: [{ group: "b", archived: true }] })).filtered).toMatchObject([{ total: 1, more: false }]);
      await expect(inbox.markAllRead({ filter: { group: "" } })).rejects.toThrow("group");
    });

    test("what is changed and counted goes by the lists of the call, whatever becomes of them meanwhile", async () => {
      const { inbox } = await setUp();
      const [named, categories, priority] = [["note"], ["social"], ["urgent" as "urgent" | "normal"]];
      const counted = inbox.counts({ filters: [{ types: named }, { categories }, { priority }] });
      const archived = inbox.archiveAll({ filter: { types: named } });
      named.push("comment", "mention", "invoice");
      categories[0] = "billing";
      priority[0] = "normal";
      expect((await counted).filtered.map(({ total }) => total)).toEqual([1, 2, 1]);
      expect(await archived).toBe(1);
      expect(typesOf(await inbox.list())).toEqual(["invoice", "mention", "comment"]);
      const keyed = ["comment"];
      const once = inbox.withKey("once").archiveAll({ filter: { types: keyed } });
      keyed[0] = "invoice";
      expect(await once).toBe(1);
      expect(await inbox.withKey("once").archiveAll({ filter: { types: ["comment"] } })).toBe(1);
      expect(typesOf(await inbox.list())).toEqual(["invoice", "mention"]);
    });

    test("items that are named are changed as the call named them, whatever becomes of its list and time meanwhile", async () => {
      const { inbox } = await setUp();
      const changed = async (call: (refs: readonly ItemRef[]) => Promise<number>) => {
        const [list, ref] = [[] as ItemRef[], { seq: 2 }];
        list.push(ref);
        const calling = call(list);
        ref.seq = 3;
        list.push({ seq: 4 });
        expect(await calling).toBe(1);
      };
      await changed((refs) => inbox.markMany(refs, "pinned"));
      await changed((refs) => inbox.withKey("mark").markMany(refs, "read"));
      const until = new Date(Date.now() + 3_600_000);
      const said = until.getTime();
      await changed((refs) => {
        const snoozed = inbox.withKey("snooze").snoozeMany(refs, until);
        until.setTime(0);
        return snoozed;
      });
      expect(await inbox.withKey("snooze").snoozeMany([{ seq: 2 }], new Date(said))).toBe(1);
      expect(await inbox.get({ seq: 2 })).toMatchObject({ seq: 2, pinnedAt: expect.any(Date), snoozedUntil: new Date(said) });
      await changed((refs) => inbox.withKey("remove").removeMany(refs));
      expect((await inbox.list()).items.map(({ seq, readAt, pinnedAt }) => [seq, readAt, pinnedAt])).toEqual([
        [4, null, null],
        [3, null, null],
        [1, null, null],
      ]);
    });

    test("unknown members are refused by name, and wrong values with the value", async () => {
      const { inbox } = await setUp();
      const list = (input: object) => inbox.list(input);
      await expect(list({ typs: ["note"] })).rejects.toThrow('got "typs"');
      await expect(list({ types: "note" })).rejects.toThrow('types: must be a list of 1 to 100, is "note"');
      await expect(list({ types: [] })).rejects.toThrow("types: must be a list of 1 to 100, has 0");
      await expect(list({ categories: [7] })).rejects.toThrow("categories.0: expected a string, got number");
      await expect(list({ priority: "hgh" })).rejects.toThrow('is "hgh"');
      await expect(list({ priority: ["low", "hgh"] })).rejects.toThrow('is "hgh"');
      await expect(list({ pinned: "yes" })).rejects.toThrow('pinned: must be one of true, false, is "yes"');
      await expect(list({ type: "note", types: ["note"] })).rejects.toThrow("types: cannot be given together with type");
      await expect(list({ status: "all", read: true })).rejects.toThrow("read: cannot be given together with status");
      const counts = (filters: unknown) => inbox.counts({ filters: filters as readonly InboxFilter[] });
      await expect(counts("all")).rejects.toThrow("filters: must be a list of at most 30 filters, is string");
      await expect(counts(Array(31).fill({}))).rejects.toThrow("has 31");
      await expect(counts([{ sen: true }])).rejects.toThrow('got "sen"');
      const mark = (input: object) => inbox.markAllRead(input);
      await expect(mark({ filters: {} })).rejects.toThrow('markAllRead takes filter, upTo; got "filters"');
      await expect(mark({ filter: { typs: [] } })).rejects.toThrow('got "typs"');
      await expect(mark({ upTo: 1.5 })).rejects.toThrow("upTo: must be a whole number from 0, is 1.5");
      await expect(inbox.archiveAll({ filter: { snoozed: true } })).rejects.toThrow("filter.snoozed: cannot be given here");
      await expect(counts([{ archived: true, snoozed: true }])).rejects.toThrow("cannot be given together");
    });
  });
});
