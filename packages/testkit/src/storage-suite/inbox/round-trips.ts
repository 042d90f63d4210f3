import type { InboxItem } from "@belfry/core";
import type { NewNotification } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, useFixture } from "../fixture.ts";
import { expectAllDifferent } from "../full.ts";
import type { StorageHarness } from "../harness.ts";
import { fullEntry, fullItem } from "./inbox-fixture.ts";

/** Each way to write an item, and each way to read it, keeps every field. */
export function inboxRoundTripTests(harness: StorageHarness): void {
  describe("every field of an item", () => {
    const fixture = useFixture(harness);

    const writes: Readonly<Record<string, (entry: NewNotification) => Promise<unknown>>> = {
      "with others": async (entry) => fixture.inbox.createMany([entry]),
      "within a transaction": (entry) => fixture.subject.transaction((tx) => fixture.inbox.createWithin(tx, entry, () => undefined)),
      "chunk by chunk": async (entry) => {
        await fixture.inbox.createFanOut(entry, 100);
        const chunk = await fixture.inbox.fanOutNext(at(1));
        expect(chunk?.notification).toEqual(entry.notification);
      },
    };

    test.each(Object.keys(writes))("written %s is read back by every way to read", async (way) => {
      const entry = fullEntry(fixture);
      await writes[way]?.(entry);
      const { inbox, tenant } = fixture;
      const ann = fixture.owner("ann");
      // The items of a chunk are as old as the chunk.
      const notification = { ...entry.notification, ...(way === "chunk by chunk" ? { createdAt: at(1) } : {}) };
      const [full, bobs] = [fullItem(notification, "ann"), fullItem(notification, "bob")];
      expectAllDifferent(entry.notification);
      expectAllDifferent(full);
      const [archived, snoozed] = [
        { ...full, snoozedUntil: null },
        { ...full, archivedAt: null },
      ];
      const { id, readAt, pinnedAt, archivedAt } = archived;
      const [item, other] = [archived, bobs].map((one) => ({ ...one, archivedAt: null, snoozedUntil: null })) as [InboxItem, InboxItem];
      expect(await inbox.get(ann, id)).toEqual({ ...item, readAt: null, isSeen: false, pinnedAt: null });
      const pinned = await inbox.mark(ann, [id], { mark: "pinned", at: pinnedAt });
      expect(pinned.items).toEqual([{ ...item, readAt: null, isSeen: false }]);
      expect((await inbox.markRead(ann, [id], readAt)).items).toEqual([item]);
      await inbox.mark(fixture.owner("bob"), [id], { mark: "pinned", at: pinnedAt });
      await inbox.markRead(fixture.owner("bob"), [{ seq: 1 }], readAt);
      expect((await inbox.mark(ann, [id], { mark: "archived", at: archivedAt })).items).toEqual([archived]);
      expect((await inbox.list(ann, { status: "read", place: "archived", type: item.type, limit: 10 })).items).toEqual([archived]);
      expect(await inbox.get(ann, id, { includeDeleted: true })).toEqual(archived);
      expect((await inbox.export(ann, { after: null, limit: 10 })).records).toEqual([{ ...archived, deletedAt: null }]);
      expect((await inbox.mark(ann, [id], { mark: "unarchived", at: archivedAt })).items).toEqual([item]);
      expect(await inbox.get(ann, item.id)).toEqual(item);
      expect(await inbox.get(ann, { seq: item.seq })).toEqual(item);
      expect((await inbox.list(ann, { status: "all", limit: 10 })).items).toEqual([item]);
      expect((await inbox.list(ann, { status: "read", type: item.type, limit: 10 })).items).toEqual([item]);
      expect((await inbox.listAfter(ann, 0, { limit: 10, bytes: 1_000_000 })).items).toEqual([item]);
      const ofTenant = await inbox.listTenant(tenant, 10);
      expect([...ofTenant].sort((one, two) => one.userId.localeCompare(two.userId))).toEqual([item, other]);
      const unread = { ...item, readAt: null };
      const snooze = await inbox.mark(ann, [id], { mark: "snoozed", at: at(1), until: snoozed.snoozedUntil });
      expect(snooze.items).toEqual([snoozed]);
      expect((await inbox.list(ann, { status: "all", place: "snoozed", limit: 10 })).items).toEqual([snoozed]);
      expect((await inbox.export(ann, { after: null, limit: 10 })).records).toEqual([{ ...snoozed, deletedAt: null }]);
      expect((await inbox.applyDue(ann, snoozed.snoozedUntil))?.woken.items).toEqual([unread]);
      await inbox.markRead(ann, [id], readAt);
      expect((await inbox.markUnread(ann, [item.id], at(9))).items).toEqual([unread]);
      expect((await inbox.remove(ann, [item.id], at(78))).items).toEqual([unread]);
      expect(await inbox.get(ann, item.id, { includeDeleted: true })).toEqual(unread);
    });
  });
}
