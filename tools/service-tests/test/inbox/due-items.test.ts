import { type InboxEvent, NotificationService } from "@belfry/core";
import { testClock } from "@belfry/testkit/host";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const HOUR_MS = 3_600_000;

onEveryStorage((database) => {
  describe("what the clock changes in an inbox", () => {
    const setUp = async () => {
      const clock = testClock();
      const storage = database.storage();
      const notifications = stopsAfterTest(new NotificationService({ storage, clock }));
      await notifications.start();
      const { notification } = await notifications.create({ to: "ann", title: "First" });
      return {
        clock,
        storage,
        notifications,
        inbox: notifications.inbox("ann"),
        id: notification.id,
        later: new Date(clock.now() + HOUR_MS),
      };
    };

    test("a snoozed item leaves lists and counts, and comes back at its time, unread, with an event", async () => {
      const { clock, notifications, inbox, id, later } = await setUp();
      await inbox.markRead(id);
      const live: string[] = [];
      const subscription = inbox.subscribe({ onEvent: ({ change }: InboxEvent) => void live.push(change), onState: () => {} });
      await subscription.ready;
      const woken: string[] = [];
      notifications.on("item.woken", ({ item }) => void woken.push(item.title));
      expect(await inbox.snooze(id, later)).toMatchObject({ snoozedUntil: later });
      expect(await inbox.list()).toMatchObject({ items: [], counts: { total: 0, unread: 0, unseen: 0 } });
      expect((await inbox.list({ snoozed: true })).items).toMatchObject([{ title: "First" }]);
      await clock.pass(HOUR_MS - 1);
      await notifications.runDue();
      expect(await inbox.counts()).toMatchObject({ total: 0 });
      await clock.pass(1);
      await expect.poll(() => live).toEqual(["snoozed", "woken"]);
      expect(woken).toEqual(["First"]);
      expect(await inbox.list()).toMatchObject({
        items: [{ readAt: null, isSeen: true, snoozedUntil: null }],
        counts: { total: 1, unread: 1, unseen: 0 },
      });
      subscription.close();
    });

    test("waking early makes an item unread as well, and the time that was set passes without effect", async () => {
      const { clock, notifications, inbox, id, later } = await setUp();
      await inbox.markAllRead();
      await inbox.snooze(id, later.toISOString());
      await expect(inbox.activeOnly().get(id)).rejects.toMatchObject({ code: "NOT_FOUND" });
      expect(await inbox.wake(id)).toMatchObject({ readAt: null, snoozedUntil: null });
      const { rev } = await inbox.counts();
      await clock.pass(HOUR_MS);
      await notifications.runDue();
      expect(await inbox.counts()).toMatchObject({ total: 1, unread: 1, rev });
    });

    test("a week of a test clock passes with few looks, and what is due on the way happens at its time", async () => {
      const { clock, notifications, inbox, id, storage } = await setUp();
      const wakesAt = clock.now() + 50 * HOUR_MS + 1_234;
      const expiresAt = clock.now() + 100 * HOUR_MS + 777;
      await inbox.snooze(id, new Date(wakesAt));
      await notifications.create({ to: "ann", title: "Second", expiresAt: new Date(expiresAt) });
      const live: (readonly [string, number])[] = [];
      const subscription = inbox.subscribe({
        onEvent: ({ change }: InboxEvent) => void live.push([change, clock.now()]),
        onState: () => {},
      });
      await subscription.ready;
      const looks = vi.spyOn(storage.inbox, "dueInboxes");
      for (const at of [wakesAt, expiresAt]) {
        // What was due before is done, and the next time is known.
        await notifications.runDue();
        await clock.passTo(new Date(at));
        await expect.poll(() => live.at(-1)?.[1]).toBe(at);
      }
      await clock.pass(7 * 24 * HOUR_MS);
      expect(live).toEqual([
        ["woken", wakesAt],
        ["deleted", expiresAt],
      ]);
      // Other work comes every hour.
      expect(looks.mock.calls.length).toBeLessThan(1_000);
      subscription.close();
    });

    test("counts, lists and changes that come before the background work wake what is due first", async () => {
      const { clock, notifications, inbox, id, later } = await setUp();
      // The clock of another instance is ahead, and nothing makes that one look for what is due.
      const ahead = testClock(new Date(clock.now() + 2 * HOUR_MS));
      const elsewhere = stopsAfterTest(new NotificationService({ storage: database.storage(), clock: ahead }));
      await elsewhere.start();
      // Its look at the start is over before anything is put off.
      await elsewhere.runDue();
      const there = elsewhere.inbox("ann");
      const snoozeAgain = async () => void (await inbox.snooze(id, later));
      await snoozeAgain();
      expect(await inbox.counts()).toMatchObject({ total: 0, dueAt: later });
      expect(await there.counts()).toMatchObject({ total: 1, unread: 1 });
      expect(await there.counts()).not.toHaveProperty("dueAt");
      await snoozeAgain();
      expect(await there.list()).toMatchObject({ items: [{ id }], counts: { total: 1 } });
      await snoozeAgain();
      expect((await there.counts({ filters: [{ pinned: false }] })).filtered).toMatchObject([{ total: 1 }]);
      await snoozeAgain();
      expect(await there.top()).toMatchObject([{ id }]);
      await snoozeAgain();
      expect(await there.groups()).toMatchObject({ counts: { total: 1 } });
      await snoozeAgain();
      expect(await there.markRead(id)).toMatchObject({ snoozedUntil: null, readAt: new Date(ahead.now()) });
      await inbox.markUnread(id);
      await snoozeAgain();
      expect(await there.markAllRead()).toBe(1);
      expect(await there.list()).toMatchObject({ items: [{ id, readAt: new Date(ahead.now()) }], counts: { total: 1, unread: 0 } });
      await notifications.create({ to: "ann", title: "Second" });
      await snoozeAgain();
      expect(await there.readUnread()).toBe(1 + Number((await there.get(id)).readAt === null));
      await inbox.markUnread(id);
      await snoozeAgain();
      expect(await there.readUnread()).toBe(2);
      await snoozeAgain();
      expect(await there.get(id)).toMatchObject({ snoozedUntil: null });
      await snoozeAgain();
      expect(await there.activeOnly().get(id)).toMatchObject({ snoozedUntil: null });
      await snoozeAgain();
      expect(await there.markAllSeen({ filter: { pinned: false } })).toBe(1);
      expect(await there.counts()).toMatchObject({ total: 2, unseen: 0 });
      await snoozeAgain();
      expect(await there.archiveAll({ upTo: 1 })).toBe(1);
      await inbox.unarchive(id);
      await snoozeAgain();
      expect(await there.activeOnly().removeMany([{ seq: 2 }, { seq: 1 }])).toBe(2);
      await notifications.stop();
    });

    test("a read of an inbox that another transaction holds answers at once, and does not read twice", async () => {
      const { clock, storage, inbox, id, later } = await setUp();
      await inbox.snooze(id, later);
      vi.spyOn(storage.inbox, "applyDue").mockResolvedValue(null);
      const reads = vi.spyOn(storage.inbox, "counts");
      await clock.pass(HOUR_MS);
      reads.mockClear();
      expect(await inbox.counts()).toMatchObject({ total: 0, dueAt: later });
      expect(reads).toHaveBeenCalledTimes(1);
    });

    test("who follows an inbox hears of what is due at its time, whoever else looks for it", async () => {
      const { clock, storage, inbox, id, later } = await setUp();
      const live: (readonly [string, number])[] = [];
      const subscription = inbox.subscribe({
        onEvent: ({ change }: InboxEvent) => void live.push([change, clock.now()]),
        onState: () => {},
      });
      await subscription.ready;
      // The background work finds nothing.
      vi.spyOn(storage.inbox, "dueInboxes").mockResolvedValue([]);
      await inbox.snooze(id, later);
      await clock.passTo(later);
      await expect
        .poll(() => live, { timeout: 10_000 })
        .toEqual([
          ["snoozed", later.getTime() - HOUR_MS],
          ["woken", later.getTime()],
        ]);
      subscription.close();
    });

    test("what has expired is neither shown, found nor counted from that time on, whatever is asked first", async () => {
      const { clock, notifications, storage, inbox, id } = await setUp();
      // Nothing but what is asked does what is due.
      vi.spyOn(storage.inbox, "dueInboxes").mockResolvedValue([]);
      vi.spyOn(storage.inbox, "expiring").mockResolvedValue([]);
      const later = () => new Date(clock.now() + HOUR_MS);
      const create = async (title: string) =>
        (await notifications.create({ to: "ann", title, group: "g", type: "note", expiresAt: later() })).notification.id;
      const code = (asked: Promise<unknown>) =>
        asked.then(
          () => "found",
          (error: { code: string }) => error.code,
        );
      const titles = ({ items }: { readonly items: readonly { readonly title: string }[] }) => items.map(({ title }) => title);
      type Look = (active: string, archived: string, snoozed: string) => unknown;
      const looks: readonly (readonly [name: string, look: Look, expected: unknown])[] = [
        ["counts", async () => (await inbox.counts()).total, 1],
        ["unread", () => inbox.readUnread(), 1],
        ["list", async () => titles(await inbox.list()), ["First"]],
        ["archived", async () => titles(await inbox.list({ archived: true })), []],
        ["snoozed", async () => titles(await inbox.list({ snoozed: true })), []],
        ["stored", async () => titles(await inbox.listStored()), ["First"]],
        ["filtered", async () => (await inbox.counts({ filters: [{ types: ["note"] }] })).filtered[0]?.total, 0],
        ["groups", async () => (await inbox.groups()).groups.length, 0],
        ["top", async () => (await inbox.top()).length, 0],
        ["marked by filter", () => inbox.markAllRead({ filter: { types: ["note"] } }), 0],
        ["archived by filter", () => inbox.archiveAll({ filter: { types: ["note"] } }), 0],
        ["marked by group", () => inbox.group("g").mark("read"), 0],
        ["marked", (...ids) => inbox.markMany(ids, "pinned"), 0],
        ["found", (active) => code(inbox.get(active)), "NOT_FOUND"],
        ["found in the archive", (_, archived) => code(inbox.get(archived)), "NOT_FOUND"],
        ["woken", (_, __, snoozed) => code(inbox.wake(snoozed)), "NOT_FOUND"],
        [
          "followed",
          async () => {
            const subscription = inbox.subscribe({ onEvent: () => {}, onState: () => {} });
            await subscription.ready;
            subscription.close();
            return (await storage.inbox.counts(inbox.owner)).total;
          },
          1,
        ],
      ];
      for (const [name, look, expected] of looks) {
        const [active, archived, snoozed] = [await create("Active"), await create("Archived"), await create("Snoozed")];
        await inbox.archive(archived);
        await inbox.snooze(snoozed, new Date(later().getTime() + 1));
        const { rev } = await inbox.counts();
        await clock.skip(HOUR_MS);
        expect(await look(active, archived, snoozed), name).toEqual(expected);
        expect(await storage.inbox.counts(inbox.owner), name).toMatchObject({ total: 1, unread: 1, rev: rev + 1 });
      }
      await clock.skip(HOUR_MS);
      expect(titles(await inbox.list())).toEqual(["First"]);
      expect(await inbox.get(id)).toMatchObject({ title: "First" });
    });

    test("who follows an inbox, and who comes back, hears of what expired as a numbered change", async () => {
      const { clock, notifications, inbox, later } = await setUp();
      const { seq, epoch, rev } = { seq: 1, ...(await inbox.counts()) };
      const live: (readonly [string, number, number])[] = [];
      const listener = (told: (readonly [string, number, number])[]) => ({
        onEvent: ({ change, seq: number, rev: one = 0 }: InboxEvent) => void told.push([change, number, one]),
        onState: () => {},
      });
      const subscription = inbox.subscribe(listener(live));
      await subscription.ready;
      await notifications.create({ to: "ann", title: "Soon over", expiresAt: later });
      await clock.passTo(later);
      const expected = [
        ["created", 2, 0],
        ["deleted", 2, rev + 1],
      ];
      await expect.poll(() => live, { timeout: 10_000 }).toEqual(expected);
      subscription.close();
      const missed: typeof live = [];
      const again = inbox.subscribe(listener(missed), { seq, epoch, rev });
      await again.ready;
      expect(missed).toEqual([["deleted", 2, rev + 1]]);
      again.close();
    });

    test("the latest items of a tenant leave out what has expired, before anything has looked for it", async () => {
      const { clock, storage, notifications, later } = await setUp();
      await notifications.create({ to: "bob", title: "Short", expiresAt: later });
      expect((await notifications.latest(10)).map(({ title }) => title)).toEqual(["Short", "First"]);
      // Nothing takes it out.
      vi.spyOn(storage.inbox, "applyDue").mockResolvedValue(null);
      await clock.pass(HOUR_MS);
      expect((await notifications.latest(10)).map(({ title }) => title)).toEqual(["First"]);
    });

    test("a time that is past, or none, is refused by name", async () => {
      const { clock, inbox, id } = await setUp();
      await expect(inbox.snooze(id, new Date(clock.now()))).rejects.toThrow("until: must be a time to come");
      await expect(inbox.snooze(id, "tomorrow")).rejects.toThrow("until");
      await expect(inbox.list({ archived: true, snoozed: true })).rejects.toThrow("cannot be given together");
    });

    test("the items of an expired notification leave every inbox, each with an event, and others stay", async () => {
      const { clock, notifications, inbox, later } = await setUp();
      await notifications.create({ to: ["ann", "bob"], title: "Soon over", expiresAt: later });
      const deleted: string[] = [];
      notifications.on("item.deleted", ({ userId, item }) => void deleted.push(`${userId} ${item.title}`));
      await clock.pass(HOUR_MS - 1);
      await notifications.runDue();
      expect(await inbox.counts()).toMatchObject({ total: 2 });
      await clock.pass(1);
      await notifications.runDue();
      expect(deleted.toSorted()).toEqual(["ann Soon over", "bob Soon over"]);
      expect((await inbox.list()).items.map(({ title }) => title)).toEqual(["First"]);
      expect(await notifications.inbox("bob").counts()).toMatchObject({ total: 0, unread: 0 });
    });

    test("inboxes that do not know when an item expires are found in steps, those before a step and those after it", async () => {
      const clock = testClock();
      const storage = database.storage();
      // As if an older version had written the items.
      vi.spyOn(storage.inbox, "dueInboxes").mockResolvedValue([]);
      const { ownersOf } = storage.inbox;
      vi.spyOn(storage.inbox, "ownersOf").mockImplementation((tenant, id, { after }) => ownersOf(tenant, id, { after, limit: 2 }));
      const notifications = stopsAfterTest(new NotificationService({ storage, clock }));
      const users = ["ann", "bob", "cat", "dan", "eve"];
      const { notification } = await notifications.create({ to: users, title: "Soon over", expiresAt: new Date(clock.now() + HOUR_MS) });
      await notifications.inbox("cat").remove(notification.id);
      await notifications.inbox("dan").archive(notification.id);
      await clock.pass(HOUR_MS);
      await notifications.runDue();
      expect(await ownersOf("default", notification.id, { after: "", limit: 9 })).toEqual({ users: [], next: null });
      expect(await storage.inbox.expiring(10)).toEqual([]);
    });
  });
});
