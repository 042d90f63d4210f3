import { type InboxEvent, NotificationService } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

onEveryStorage((database) => {
  describe("the states of an inbox", () => {
    const setUp = async () => {
      const notifications = stopsAfterTest(new NotificationService({ storage: database.storage() }));
      const { notification } = await notifications.create({ to: "ann", title: "First" });
      await notifications.create({ to: "ann", title: "Second" });
      return { notifications, inbox: notifications.inbox("ann"), id: notification.id };
    };

    test("each change gives one event to followers and one of the service, and what changes nothing gives none", async () => {
      const { notifications, inbox, id } = await setUp();
      const live: (readonly [string, string | null, number])[] = [];
      const onEvent = ({ change, item, count }: InboxEvent) => void live.push([change, item?.title ?? null, count]);
      const subscription = inbox.subscribe({ onEvent, onState: () => {} });
      await subscription.ready;
      const fired: string[] = [];
      const singles = ["read", "unread", "seen", "unseen", "pinned", "unpinned", "archived", "unarchived"] as const;
      for (const change of singles) {
        notifications.on(`item.${change}`, ({ userId, item }) => void fired.push(`${change} ${userId} ${item.title}`));
      }
      notifications.on("inbox.all_seen", ({ count }) => void fired.push(`all seen ${count}`));
      const twice = async (change: (ref: string) => Promise<unknown>) => {
        await change(id);
        await change(id);
      };
      await twice((ref) => inbox.markSeen(ref));
      await twice((ref) => inbox.markUnseen(ref));
      await twice((ref) => inbox.markRead(ref));
      await inbox.markUnseen(id);
      await twice((ref) => inbox.markUnread(ref));
      await twice((ref) => inbox.pin(ref));
      await twice((ref) => inbox.unpin(ref));
      await twice(() => inbox.markAllSeen());
      await inbox.archive(id);
      await inbox.unarchive(id);
      const changes = ["seen", "unseen", "read", "unread", "pinned", "unpinned"];
      const names = ["archived", "unarchived"];
      await expect
        .poll(() => live)
        .toEqual([...changes.map((change) => [change, "First", 1]), ["seen_all", null, 1], ...names.map((change) => [change, "First", 1])]);
      const firedOf = (change: string) => `${change} ann First`;
      expect(fired).toEqual([...changes.map(firedOf), "all seen 1", ...names.map(firedOf)]);
      subscription.close();
    });

    test("an archived item is out of lists and counts, and those who know of active ones alone do not find it", async () => {
      const { inbox, id } = await setUp();
      expect(await inbox.unarchive(id)).toMatchObject({ title: "First", archivedAt: null });
      const archived = await inbox.archive(id);
      expect(archived).toMatchObject({ title: "First", archivedAt: expect.any(Date) });
      expect(await inbox.archive(id)).toEqual(archived);
      for (const call of ["get", "pin", "markRead", "remove"] as const) {
        await expect(inbox.activeOnly()[call](id)).rejects.toMatchObject({ code: "NOT_FOUND" });
      }
      for (const call of ["archive", "unarchive"] as const) {
        await expect(inbox[call]({ seq: 9 })).rejects.toMatchObject({ code: "NOT_FOUND" });
      }
      expect(await inbox.activeOnly().markMany([id], "read")).toBe(0);
      expect((await inbox.list()).items.map(({ title }) => title)).toEqual(["Second"]);
      expect(await inbox.counts()).toMatchObject({ total: 1, unread: 1, unseen: 1 });
      expect(await inbox.markMany([id, { seq: 2 }, { seq: 9 }], "unarchived")).toBe(2);
      expect((await inbox.list()).items.map(({ title }) => title)).toEqual(["Second", "First"]);
    });

    test("archived and snoozed items are read and removed one by one, and no active item changes", async () => {
      const { inbox, id } = await setUp();
      await inbox.archive(id);
      await inbox.snooze({ seq: 2 }, new Date(Date.now() + 3_600_000));
      const live: (readonly [string, number, number])[] = [];
      const onEvent = ({ change, seq, count }: InboxEvent) => void live.push([change, seq, count]);
      const subscription = inbox.subscribe({ onEvent, onState: () => {} });
      await subscription.ready;
      expect(await inbox.get(id)).toMatchObject({ title: "First", archivedAt: expect.any(Date) });
      expect(await inbox.markRead(id)).toMatchObject({ readAt: expect.any(Date), archivedAt: expect.any(Date) });
      expect(await inbox.markSeen({ seq: 2 })).toMatchObject({ isSeen: true, snoozedUntil: expect.any(Date) });
      expect(await inbox.remove({ seq: 2 })).toMatchObject({ title: "Second", snoozedUntil: expect.any(Date) });
      expect(await inbox.removeMany([id])).toBe(1);
      await expect(inbox.unarchive(id)).rejects.toMatchObject({ code: "NOT_FOUND" });
      await expect(inbox.wake({ seq: 2 })).rejects.toMatchObject({ code: "NOT_FOUND" });
      expect(await inbox.counts()).toMatchObject({ total: 0, unread: 0, unseen: 0, rev: 6 });
      await expect
        .poll(() => live)
        .toEqual([
          ["read", 1, 0],
          ["seen", 2, 0],
          ["deleted", 2, 0],
          ["deleted", 1, 0],
        ]);
      subscription.close();
    });

    test("a page of archived items leads to the next, and to no page of active ones", async () => {
      const { inbox } = await setUp();
      await inbox.markMany([{ seq: 1 }, { seq: 2 }], "archived");
      const first = await inbox.list({ archived: true, limit: 1 });
      expect(first).toMatchObject({ items: [{ title: "Second" }], matching: 2, counts: { total: 0 } });
      const cursor = first.nextCursor ?? "";
      expect(await inbox.list({ archived: true, limit: 1, cursor })).toMatchObject({ items: [{ title: "First" }], nextCursor: null });
      await expect(inbox.list({ cursor })).rejects.toMatchObject({ code: "INVALID_CURSOR" });
    });

    test("an unknown mark, and an archived that is no boolean, are refused by name", async () => {
      const { inbox, id } = await setUp();
      await expect(inbox.markMany([id], "deleted" as "read")).rejects.toThrow("mark");
      await expect(inbox.list({ archived: "yes" as unknown as boolean })).rejects.toThrow("archived");
    });

    test("an export shows the states", async () => {
      const { notifications, inbox, id } = await setUp();
      await inbox.pin(id);
      await inbox.archive(id);
      const lines: string[] = [];
      for await (const line of notifications.exportUser("ann")) {
        lines.push(line);
      }
      const items = lines.map((line) => JSON.parse(line)).filter(({ seq }) => seq !== undefined);
      expect(items).toMatchObject([
        { seq: 1, isSeen: false, pinnedAt: expect.any(String), archivedAt: expect.any(String), deletedAt: null },
        { seq: 2, isSeen: false, pinnedAt: null, archivedAt: null, deletedAt: null },
      ]);
    });
  });
});
