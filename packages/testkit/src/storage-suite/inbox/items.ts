import { describe, expect, test } from "vitest";
import { at, itemOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";

const NOBODYS_ID = "0198c000-0000-7000-8000-000000000000";

/** The promises of `get`, `absence`, `positions` and `listTenant`. */
export function itemTests(harness: StorageHarness): void {
  describe("single items", () => {
    const fixture = useFixture(harness);

    test("an item is found by its notification's id and by its number", async () => {
      const [first, second] = await fixture.fill("ann", 2);
      const owner = fixture.owner("ann");
      for (const [notification, seq] of [
        [first, 1],
        [second, 2],
      ] as const) {
        const expected = notification && itemOf(notification, { userId: "ann", seq });
        expect(await fixture.inbox.get(owner, notification?.id ?? "")).toEqual(expected);
        expect(await fixture.inbox.get(owner, { seq })).toEqual(expected);
      }
    });

    test("a deleted item is found only when deleted ones are asked for", async () => {
      const { notification } = await fixture.create("ann");
      const owner = fixture.owner("ann");
      await fixture.inbox.markRead(owner, [notification.id], at(1));
      await fixture.inbox.remove(owner, [notification.id], at(2));
      const expected = itemOf(notification, { userId: "ann", seq: 1, readAt: at(1) });
      for (const ref of [notification.id, { seq: 1 }]) {
        expect(await fixture.inbox.get(owner, ref)).toBeNull();
        expect(await fixture.inbox.get(owner, ref, { includeDeleted: false })).toBeNull();
        expect(await fixture.inbox.get(owner, ref, { includeDeleted: true })).toEqual(expected);
        expect(await fixture.inbox.absence(owner, ref)).toBe("deleted");
      }
    });

    test("an item of another user of the tenant is foreign by id and unknown by number", async () => {
      const [, bobs] = await fixture.fill("bob", 2);
      await fixture.create("ann");
      const owner = fixture.owner("ann");
      const id = bobs?.id ?? "";
      expect(await fixture.inbox.get(owner, id)).toBeNull();
      expect(await fixture.inbox.get(owner, id, { includeDeleted: true })).toBeNull();
      expect(await fixture.inbox.absence(owner, id)).toBe("foreign");
      expect(await fixture.inbox.get(owner, { seq: 2 })).toBeNull();
      expect(await fixture.inbox.absence(owner, { seq: 2 })).toBe("unknown");
      await fixture.inbox.remove(fixture.owner("bob"), [id], at(1));
      expect(await fixture.inbox.absence(owner, id)).toBe("foreign");
    });

    test("a user without any item is told apart in the same way", async () => {
      const { notification } = await fixture.create("bob");
      expect(await fixture.inbox.absence(fixture.owner("nobody"), notification.id)).toBe("foreign");
      expect(await fixture.inbox.absence(fixture.owner("nobody"), NOBODYS_ID)).toBe("unknown");
      expect(await fixture.inbox.absence(fixture.owner("nobody"), { seq: 1 })).toBe("unknown");
    });

    test("an item of another tenant is unknown, whoever asks", async () => {
      const { notification } = await fixture.create(["ann", "bob"]);
      await fixture.inbox.remove(fixture.owner("bob"), [notification.id], at(1));
      for (const userId of ["ann", "bob", "cid"]) {
        const stranger = { tenant: `${fixture.tenant} (other)`, userId };
        expect(await fixture.inbox.get(stranger, notification.id, { includeDeleted: true })).toBeNull();
        expect(await fixture.inbox.get(stranger, { seq: 1 }, { includeDeleted: true })).toBeNull();
        expect(await fixture.inbox.absence(stranger, notification.id)).toBe("unknown");
        expect(await fixture.inbox.absence(stranger, { seq: 1 })).toBe("unknown");
      }
    });

    test("an id that no notification has, and a number that no item has, are unknown", async () => {
      await fixture.create("ann");
      const owner = fixture.owner("ann");
      for (const ref of [NOBODYS_ID, { seq: 2 }, { seq: 2 ** 31 }, { seq: 2 ** 32 + 1 }, { seq: Number.MAX_SAFE_INTEGER }]) {
        expect(await fixture.inbox.get(owner, ref)).toBeNull();
        expect(await fixture.inbox.absence(owner, ref)).toBe("unknown");
      }
    });

    test("positions are those of the owners asked for, in their order", async () => {
      await fixture.fill("ann", 3);
      await fixture.fill("bob", 1);
      await fixture.inbox.remove(fixture.owner("ann"), [{ seq: 3 }], at(1));
      const names = ["bob", "nobody", "ann", "bob"];
      const counts = await Promise.all(names.map((name) => fixture.inbox.counts(fixture.owner(name))));
      const positions = await fixture.inbox.positions(names.map((name) => fixture.owner(name)));
      expect(positions).toEqual(counts.map(({ lastSeq, epoch, rev }) => ({ seq: lastSeq, epoch, rev })));
      expect(positions.map((position) => position.seq)).toEqual([1, 0, 3, 1]);
      expect(await fixture.inbox.positions([])).toEqual([]);
    });

    test("positions of one call may be of several tenants", async () => {
      const other = `${fixture.tenant} (other)`;
      await fixture.inbox.createMany([fixture.entry("ann"), fixture.entry("ann"), fixture.entry("ann", { tenant: other })]);
      const positions = await fixture.inbox.positions([{ tenant: other, userId: "ann" }, fixture.owner("ann"), fixture.owner(other)]);
      expect(positions.map((position) => position.seq)).toEqual([1, 2, 0]);
    });

    test("positions of a thousand owners are read in one call", async () => {
      const users = Array.from({ length: 1_000 }, (_, index) => `user ${index}`);
      await fixture.create(users.filter((_, index) => index % 2 === 0));
      const positions = await fixture.inbox.positions(users.map((userId) => fixture.owner(userId)));
      expect(positions.map((position) => position.seq)).toEqual(users.map((_, index) => (index % 2 === 0 ? 1 : 0)));
    });

    test("a tenant's items are listed by notification, newest first, without deleted ones", async () => {
      const later = fixture.entry("ann");
      const first = await fixture.create(["ann", "bob"]);
      const second = await fixture.create("cid");
      await fixture.create("ann", { tenant: `${fixture.tenant} (other)` });
      // Made before the two others, written after them.
      await fixture.inbox.createMany([later]);
      await fixture.inbox.remove(fixture.owner("bob"), [first.notification.id], at(1));
      const items = await fixture.inbox.listTenant(fixture.tenant, 10);
      expect(items.map(({ id, userId }) => [id, userId])).toEqual([
        [second.notification.id, "cid"],
        [first.notification.id, "ann"],
        [later.notification.id, "ann"],
      ]);
      expect(items[1]).toEqual(itemOf(first.notification, { userId: "ann", seq: 1 }));
      expect((await fixture.inbox.listTenant(fixture.tenant, 2)).map((item) => item.id)).toEqual([
        second.notification.id,
        first.notification.id,
      ]);
      expect(await fixture.inbox.listTenant(fixture.tenant, 0)).toEqual([]);
    });

    test("a tenant's list has every recipient's item, with that user's read time", async () => {
      const { notification } = await fixture.create(["ann", "bob", "cid"]);
      await fixture.inbox.markRead(fixture.owner("ann"), [notification.id], at(1));
      await fixture.inbox.markAllRead(fixture.owner("bob"), at(2));
      const items = await fixture.inbox.listTenant(fixture.tenant, 10);
      const readAt = Object.fromEntries(items.map((item) => [item.userId, item.readAt]));
      expect(readAt).toEqual({ ann: at(1), bob: at(2), cid: null });
      expect(items).toHaveLength(3);
    });
  });
}
