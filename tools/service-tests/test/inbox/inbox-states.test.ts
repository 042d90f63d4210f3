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

    test("an archived item is found by archive and unarchive alone, which may be repeated", async () => {
      const { inbox, id } = await setUp();
      expect(await inbox.unarchive(id)).toMatchObject({ title: "First", archivedAt: null });
      const archived = await inbox.archive(id);
      expect(archived).toMatchObject({ title: "First", archivedAt: expect.any(Date) });
      expect(await inbox.archive(id)).toEqual(archived);
      for (const call of ["get", "pin", "markRead", "remove"] as const) {
        await expect(inbox[call](id)).rejects.toMatchObject({ code: "NOT_FOUND" });
      }
      for (const call of ["archive", "unarchive"] as const) {
        await expect(inbox[call]({ seq: 9 })).rejects.toMatchObject({ code: "NOT_FOUND" });
      }
      expect(await inbox.markMany([id], "read")).toBe(0);
      expect((await inbox.list()).items.map(({ title }) => title)).toEqual(["Second"]);
      expect(await inbox.counts()).toMatchObject({ total: 1, unread: 1, unseen: 1 });
      expect(await inbox.markMany([id, { seq: 2 }, { seq: 9 }], "unarchived")).toBe(2);
      expect((await inbox.list()).items.map(({ title }) => title)).toEqual(["Second", "First"]);
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
