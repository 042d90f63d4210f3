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
      "with others": (entry) => fixture.inbox.createMany([entry]),
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
      const [item, other] = [fullItem(notification, "ann"), fullItem(notification, "bob")];
      expectAllDifferent(entry.notification);
      expectAllDifferent(item);
      const unread = { ...item, readAt: null };
      expect(await inbox.get(ann, item.id)).toEqual(unread);
      expect((await inbox.markRead(ann, [item.id], item.readAt)).items).toEqual([item]);
      await inbox.markRead(fixture.owner("bob"), [{ seq: 1 }], other.readAt);
      expect(await inbox.get(ann, item.id)).toEqual(item);
      expect(await inbox.get(ann, { seq: item.seq })).toEqual(item);
      expect((await inbox.list(ann, { status: "all", limit: 10 })).items).toEqual([item]);
      expect((await inbox.list(ann, { status: "read", type: item.type, limit: 10 })).items).toEqual([item]);
      expect((await inbox.listAfter(ann, 0, { limit: 10, bytes: 1_000_000 })).items).toEqual([item]);
      const ofTenant = await inbox.listTenant(tenant, 10);
      expect([...ofTenant].sort((one, two) => one.userId.localeCompare(two.userId))).toEqual([item, other]);
      expect((await inbox.markUnread(ann, [item.id])).items).toEqual([unread]);
      expect((await inbox.remove(ann, [item.id], at(78))).items).toEqual([unread]);
      expect(await inbox.get(ann, item.id, { includeDeleted: true })).toEqual(unread);
    });
  });
}
