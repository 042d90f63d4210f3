import { defineTypes, type InboxEvent, NotificationService } from "@belfry/core";
import { recorder, testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { onEveryStorage } from "../on-every-storage.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const HOUR_MS = 3_600_000;

onEveryStorage((database) => {
  const types = defineTypes({
    reply: {
      data: z.object({ post: z.number() }),
      group: ({ data }) => (data.post === 0 ? null : `post:${data.post}`),
      channels: { inbox: { optional: true }, mail: true },
    },
    news: { group: "news", channels: ["inbox"] },
    broken: {
      group: () => {
        throw new Error("no group today");
      },
    },
  });
  const setUp = async () => {
    const clock = testClock();
    const mail = recorder({ name: "mail", isAddress: () => true });
    const notifications = stopsAfterTest(new NotificationService({ storage: database.storage(), types, clock, channels: [mail] }));
    await notifications.start();
    return { notifications, clock, mail, inbox: notifications.inbox("ann") };
  };
  const follow = async (notifications: Awaited<ReturnType<typeof setUp>>["notifications"]) => {
    const live: string[] = [];
    const onEvent = ({ change, item, seq }: InboxEvent) => void live.push(`${change} ${seq} ${item?.group ?? ""}`.trim());
    const subscription = notifications.inbox("ann").subscribe({ onEvent, onState: () => {} });
    await subscription.ready;
    return live;
  };

  describe("groups", () => {
    test("what create gives wins over the type's own, and a type may give none", async () => {
      const { notifications, inbox } = await setUp();
      await notifications.create({ to: "ann", type: "reply", data: { post: 7 }, channels: ["inbox"] });
      await notifications.create({ to: "ann", type: "reply", data: { post: 0 } });
      await notifications.create({ to: "ann", type: "reply", data: { post: 7 }, group: "own" });
      await notifications.create({ to: "ann", type: "news" });
      const { items } = await inbox.list();
      expect(items.map(({ group }) => group)).toEqual(["news", "own", null, "post:7"]);
      const failed = notifications.create({ to: "ann", type: "broken" });
      await expect(failed).rejects.toMatchObject({ code: "RENDERING_FAILED", details: { type: "broken", member: "group" } });
      for (const wrong of ["", "x".repeat(101), 7 as unknown as string]) {
        await expect(notifications.create({ to: "ann", type: "news", group: wrong })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
        await expect(notifications.create({ to: "ann", type: "news", replace: wrong })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
        expect(() => inbox.group(wrong)).toThrow(/group/);
      }
    });

    test("pages of groups follow cursors, which work for their own list alone", async () => {
      const { notifications, inbox } = await setUp();
      for (const group of ["a", "b", "c", "a", "d"]) {
        await notifications.create({ to: "ann", type: "news", group });
      }
      const first = await inbox.groups({ limit: 2 });
      expect(first.groups.map(({ group, total }) => [group, total])).toEqual([
        ["d", 1],
        ["a", 2],
      ]);
      expect(first.counts).toMatchObject({ total: 5, unread: 5 });
      const cursor = first.nextCursor ?? "";
      const second = await inbox.groups({ limit: 2, cursor });
      expect(second).toMatchObject({ groups: [{ group: "c" }, { group: "b" }], nextCursor: null });
      const wrong = [() => inbox.groups({ cursor, status: "unread" }), () => inbox.list({ cursor }), () => inbox.groups({ cursor: "x" })];
      for (const list of wrong) {
        await expect(list()).rejects.toMatchObject({ code: "INVALID_CURSOR" });
      }
    });

    test("a list of a group has its items alone, page by page, in each place", async () => {
      const { notifications, inbox } = await setUp();
      for (const group of ["a", "b", "a", "a", "a"]) {
        await notifications.create({ to: "ann", type: "news", group });
      }
      await inbox.archive({ seq: 4 });
      await inbox.markRead({ seq: 1 });
      const first = await inbox.list({ group: "a", limit: 2 });
      expect(first).toMatchObject({ items: [{ seq: 5 }, { seq: 3 }], matching: 3, more: false });
      const cursor = first.nextCursor ?? "";
      expect(await inbox.list({ group: "a", limit: 2, cursor })).toMatchObject({ items: [{ seq: 1 }], nextCursor: null });
      await expect(inbox.list({ group: "b", cursor })).rejects.toMatchObject({ code: "INVALID_CURSOR" });
      expect(await inbox.list({ group: "a", read: false, priority: "normal" })).toMatchObject({
        items: [{ seq: 5 }, { seq: 3 }],
        matching: 2,
      });
      expect(await inbox.list({ group: "a", archived: true })).toMatchObject({ items: [{ seq: 4 }], matching: 1 });
      expect(await inbox.list({ group: "a", offset: 1, limit: 1 })).toMatchObject({ items: [{ seq: 3 }], matching: 3 });
      expect((await inbox.listStored({ group: "b" })).items.map(({ seq }) => seq)).toEqual([2]);
    });

    test("marks of a group take what the user was shown, and their events name the group", async () => {
      const { notifications, inbox } = await setUp();
      for (const group of ["a", "b", "a", "a"]) {
        await notifications.create({ to: "ann", type: "news", group });
      }
      const live = await follow(notifications);
      const group = inbox.group("a");
      expect(await group.mark("read", { upTo: 3 })).toBe(2);
      expect(await group.mark("archived", { upTo: 1 })).toBe(1);
      expect(await group.remove({ upTo: 3 })).toBe(1);
      expect(await group.mark("unarchived")).toBe(1);
      expect((await inbox.groups()).groups).toMatchObject([
        { group: "a", total: 2, unread: 1, newest: { seq: 4 } },
        { group: "b", total: 1, unread: 1 },
      ]);
      expect(await inbox.group("nobody's").mark("read")).toBe(0);
      await expect.poll(() => live).toEqual(["read 1 a", "read 3 a", "archived 1 a", "deleted 3 a", "unarchived 1 a"]);
      await expect(group.mark("read", { upTo: 0 })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
      await expect(group.snooze("2001-01-01T00:00:00Z")).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
    });

    test("a snoozed group comes back with its next item, or at its time", async () => {
      const { notifications, clock, inbox } = await setUp();
      for (const group of ["a", "a", "b"]) {
        await notifications.create({ to: "ann", type: "news", group });
      }
      const live = await follow(notifications);
      const fired: number[] = [];
      notifications.on("item.woken", ({ item }) => void fired.push(item.seq));
      expect(await inbox.group("a").snooze(new Date(clock.now() + HOUR_MS))).toBe(2);
      expect((await inbox.groups()).groups.map(({ group }) => group)).toEqual(["b"]);
      await notifications.create({ to: "ann", type: "news", group: "a" });
      expect((await inbox.groups()).groups).toMatchObject([{ group: "a", total: 3, unread: 3 }, { group: "b" }]);
      await expect.poll(() => live).toEqual(["snoozed 1 a", "snoozed 2 a", "created 4 a", "woken 1 a", "woken 2 a"]);
      expect(fired).toEqual([1, 2]);
      await inbox.group("a").snooze(new Date(clock.now() + HOUR_MS));
      await clock.pass(HOUR_MS);
      await expect.poll(async () => (await inbox.groups()).groups).toMatchObject([{ group: "a", total: 3, unread: 3 }, { group: "b" }]);
    });

    test("a large group is marked in several transactions", async () => {
      const { notifications, inbox } = await setUp();
      await Promise.all(Array.from({ length: 1_100 }, () => notifications.create({ to: "ann", type: "news", group: "a" })));
      const { rev } = await inbox.counts();
      expect(await inbox.group("a").mark("read")).toBe(1_100);
      expect(await inbox.counts()).toMatchObject({ total: 1_100, unread: 0, rev: rev + 2 });
      expect((await inbox.groups()).groups).toMatchObject([{ total: 1_100, unread: 0 }]);
    });

    test("a new item of a large snoozed group wakes some of it at once, and all of it right after", async () => {
      const { notifications, clock, inbox } = await setUp();
      await Promise.all(Array.from({ length: 250 }, () => notifications.create({ to: "ann", type: "news", group: "a" })));
      await inbox.group("a").snooze(new Date(clock.now() + HOUR_MS));
      const live = await follow(notifications);
      await notifications.create({ to: "ann", type: "news", group: "a" });
      await expect.poll(() => live.filter((told) => told.startsWith("woken")).length, { timeout: 10_000 }).toBe(250);
      expect(live.slice(0, 3)).toEqual(["created 251 a", "woken 151 a", "woken 152 a"]);
      expect(await inbox.counts()).toMatchObject({ total: 251, unread: 251 });
      expect((await inbox.groups()).groups).toMatchObject([{ group: "a", total: 251, unread: 251 }]);
    });

    test("a mute of a group holds for its channels, and for the inbox where the type lets it; explain says so", async () => {
      const { notifications, inbox, mail } = await setUp();
      await notifications.preferences.mute("ann", { group: "post:7" });
      const { notification } = await notifications.create({ to: ["ann", "bob"], type: "reply", data: { post: 7 } });
      await notifications.create({ to: "ann", type: "reply", data: { post: 8 } });
      await notifications.create({ to: "ann", type: "reply", data: { post: 7 }, channels: ["inbox"] });
      await notifications.create({ to: "ann", type: "news", group: "post:7" });
      expect((await inbox.list()).items.map(({ type, group }) => [type, group])).toEqual([
        ["news", "post:7"],
        ["reply", "post:8"],
      ]);
      await expect.poll(() => mail.tasks.length).toBe(2);
      const { deliveries } = await notifications.deliveries(notification.id);
      const anns = deliveries.filter(({ recipient }) => recipient === "ann");
      expect(anns.map(({ status, reason, reasonSource }) => [status, reason, reasonSource])).toEqual(
        Array(2).fill(["skipped", "preference", "user group"]),
      );
      const explained = await notifications.explain("ann", "reply", { group: "post:7" });
      expect(explained.map(({ channel, outcome, source }) => [channel, outcome, source])).toEqual([
        ["inbox", "skip", "user group"],
        ["mail", "skip", "user group"],
      ]);
      expect(await notifications.explain("ann", "reply", { data: { post: 7 } })).toEqual(explained);
      await notifications.preferences.unmute("ann", { group: "post:7" });
      expect((await notifications.explain("ann", "reply", { group: "post:7" })).map(({ outcome }) => outcome)).toEqual([
        "deliver",
        "deliver",
      ]);
    });
  });

  describe("replacing", () => {
    test("followers and listeners hear of the new item and of the one that went", async () => {
      const { notifications, inbox } = await setUp();
      const live = await follow(notifications);
      const gone: string[] = [];
      notifications.on("item.deleted", ({ item }) => void gone.push(item.title));
      await notifications.create({ to: ["ann", "bob"], type: "news", title: "Queued", replace: "build:7" });
      await notifications.create({ to: ["ann", "bob"], type: "news", title: "Failed", replace: "build:7" });
      await expect.poll(() => live).toEqual(["created 1 news", "created 2 news", "deleted 1 news"]);
      expect(gone).toEqual(["Queued", "Queued"]);
      expect(await inbox.list()).toMatchObject({
        items: [{ title: "Failed", seq: 2, replaceKey: "build:7" }],
        counts: { total: 1, unread: 1 },
      });
    });

    test("a scheduled one replaces when it is placed, and a repeated one with an idempotency key answers as before", async () => {
      const { notifications, clock, inbox } = await setUp();
      await notifications.create({ to: "ann", type: "news", title: "Now", replace: "k" });
      const scheduledAt = new Date(clock.now() + HOUR_MS);
      await notifications.create({ to: "ann", type: "news", title: "Later", replace: "k", group: "g", scheduledAt });
      expect((await inbox.list()).items.map(({ title }) => title)).toEqual(["Now"]);
      await clock.pass(HOUR_MS);
      await expect.poll(async () => (await inbox.list()).items.map(({ title, group }) => [title, group])).toEqual([["Later", "g"]]);
      const input = { to: "ann", type: "news", title: "Once", replace: "k", idempotencyKey: "once" } as const;
      const first = await notifications.create(input);
      await notifications.create({ to: "ann", type: "news", title: "Last", replace: "k" });
      expect((await notifications.create(input)).notification.id).toBe(first.notification.id);
      expect(await inbox.list()).toMatchObject({ items: [{ title: "Last" }], counts: { total: 1, unread: 1 } });
    });

    test("a list of users that is too long for one transaction replaces in each inbox", async () => {
      const { notifications } = await setUp();
      const to = Array.from({ length: 1_001 }, (_, index) => `user ${index}`);
      for (const title of ["First", "Second"]) {
        await notifications.create({ to, type: "news", title, replace: "k" });
        await expect.poll(async () => (await notifications.inbox("user 1000").list()).items[0]?.title, { timeout: 20_000 }).toBe(title);
        await expect.poll(async () => (await notifications.inbox("user 999").list()).items[0]?.title, { timeout: 20_000 }).toBe(title);
      }
      for (const userId of ["user 0", "user 500", "user 999"]) {
        expect(await notifications.inbox(userId).list()).toMatchObject({ items: [{ title: "Second" }], counts: { total: 1, unread: 1 } });
      }
    });
  });
});
