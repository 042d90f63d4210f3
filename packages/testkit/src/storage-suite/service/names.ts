import { describe, expect, test } from "vitest";
import { at, sortBytewise, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { allItems } from "../inbox/recount.ts";
import { removeRead } from "../steps.ts";
import { LOOKALIKES } from "./lookalikes.ts";

/** Users, tenants and types are told apart byte by byte. */
export function nameTests(harness: StorageHarness): void {
  describe("names", () => {
    const fixture = useFixture(harness);

    test("users whose names look alike have inboxes of their own", async () => {
      const entries = LOOKALIKES.map((userId) => fixture.entry(userId, { title: `for ${userId}` }));
      await fixture.inbox.createMany(entries);
      for (const userId of LOOKALIKES) {
        const items = await allItems(fixture, fixture.owner(userId));
        expect(items.map((item) => [item.userId, item.seq, item.title])).toEqual([[userId, 1, `for ${userId}`]]);
      }
    });

    test("one notification to users whose names look alike goes to each of them once", async () => {
      const { notification, items } = await fixture.create(LOOKALIKES);
      expect(items.map((item) => item.userId)).toEqual(sortBytewise(LOOKALIKES));
      expect(new Set(items.map((item) => item.epoch)).size).toBe(LOOKALIKES.length);
      for (const userId of LOOKALIKES) {
        expect(await fixture.inbox.get(fixture.owner(userId), notification.id)).toMatchObject({ userId, seq: 1 });
      }
      const listed = await fixture.inbox.listTenant(fixture.tenant, 1_000);
      expect(sortBytewise(listed.map((item) => item.userId))).toEqual(sortBytewise(LOOKALIKES));
    });

    test("changes reach only the named user, and no similar name", async () => {
      const { notification } = await fixture.create(LOOKALIKES);
      for (const [index, userId] of LOOKALIKES.entries()) {
        const change = await fixture.inbox.markRead(fixture.owner(userId), [notification.id], at(index));
        expect([...change.changed]).toEqual([1]);
        expect((await fixture.inbox.remove(fixture.owner(userId), [{ seq: 1 }], at(index))).changed.size).toBe(1);
        const left = await fixture.inbox.listTenant(fixture.tenant, 1_000);
        expect(left).toHaveLength(LOOKALIKES.length - index - 1);
        expect(left.every((item) => item.readAt === null)).toBe(true);
      }
    });

    test("marks over whole inboxes reach only the named user, and no similar name", async () => {
      await fixture.create(LOOKALIKES);
      for (const userId of LOOKALIKES.filter((_, index) => index % 2 === 0)) {
        expect((await fixture.inbox.markAllRead(fixture.owner(userId), at(1))).count).toBe(1);
      }
      for (const [index, userId] of LOOKALIKES.entries()) {
        expect(await fixture.inbox.counts(fixture.owner(userId))).toMatchObject({ unread: index % 2 });
        expect(await removeRead(fixture.inbox, fixture.owner(userId), at(2))).toMatchObject({ count: 1 - (index % 2) });
      }
    });

    test("a fan-out to users whose names look alike reaches each of them once", async () => {
      await fixture.inbox.createFanOut(fixture.entry(LOOKALIKES), 20);
      const reached: string[] = [];
      for (let chunk = await fixture.inbox.fanOutNext(at(1)); chunk; chunk = await fixture.inbox.fanOutNext(at(1))) {
        reached.push(...chunk.items.map((item) => item.userId));
      }
      expect(reached).toEqual(sortBytewise(LOOKALIKES));
    });

    test("tenants whose names look alike share nothing", async () => {
      const tenants = LOOKALIKES.map((name) => `${fixture.tenant} ${name}`);
      await fixture.inbox.createMany(tenants.map((tenant) => fixture.entry("ann", { tenant, title: tenant })));
      for (const tenant of tenants) {
        const owner = { tenant, userId: "ann" };
        expect((await fixture.inbox.listTenant(tenant, 1_000)).map((item) => item.title)).toEqual([tenant]);
        expect((await allItems(fixture, owner)).map((item) => [item.tenant, item.seq])).toEqual([[tenant, 1]]);
      }
      const positions = await fixture.inbox.positions(tenants.map((tenant) => ({ tenant, userId: "ann" })));
      expect(new Set(positions.map((position) => position.epoch)).size).toBe(tenants.length);
    });

    test("a tenant and a user are two names, not one put together", async () => {
      const { tenant } = fixture;
      const owners = [":", "/", "\u001f", " ", ",", '","'].flatMap((between) => [
        { tenant: `${tenant}a`, userId: `b${between}c` },
        { tenant: `${tenant}a${between}b`, userId: "c" },
      ]);
      await fixture.inbox.createMany(owners.map((owner) => fixture.entry(owner.userId, { tenant: owner.tenant })));
      for (const owner of owners) {
        expect(await fixture.inbox.counts(owner)).toMatchObject({ total: 1, lastSeq: 1 });
      }
    });

    test("types that look alike are filtered apart", async () => {
      await fixture.inbox.createMany(LOOKALIKES.map((type) => fixture.entry("ann", { type })));
      for (const [index, type] of LOOKALIKES.entries()) {
        const page = await fixture.inbox.list(fixture.owner("ann"), { status: "all", type, limit: 1_000 });
        expect([page.items.map((item) => [item.type, item.seq]), page.matching]).toEqual([[[type, index + 1]], 1]);
      }
    });

    test("the longest names in the widest characters work", async () => {
      const wide = "𝒶".repeat(255);
      const owner = { tenant: `${fixture.tenant} ${"😀".repeat(255 - fixture.tenant.length - 1)}`, userId: wide };
      const { notification } = await fixture.create(wide, { tenant: owner.tenant, type: wide, source: wide, actor: wide });
      expect(await fixture.inbox.get(owner, notification.id)).toMatchObject({ ...owner, type: wide, source: wide, actor: wide });
      expect((await fixture.inbox.list(owner, { status: "unread", type: wide, limit: 5 })).matching).toBe(1);
    });
  });
}
