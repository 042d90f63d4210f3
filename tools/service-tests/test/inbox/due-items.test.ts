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
  });
});
