import { AsyncLocalStorage } from "node:async_hooks";
import { EMPTY_EPOCH, type Notification, NotificationService } from "@belfry/core";
import { EMPTY_COUNTS } from "@belfry/core/storage";
import { describe, expect, onTestFinished, test } from "vitest";
import { LogBook } from "../../http-suite/log-book.ts";
import { at, itemOf, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { expectTrueCounts } from "../inbox/recount.ts";
import { removeRead } from "../steps.ts";

/** The promises of `createMany`. */
export function createManyTests(harness: StorageHarness): void {
  describe("creating", () => {
    const fixture = useFixture(harness);

    test("an inbox that never had an item is empty", async () => {
      const owner = fixture.owner("nobody");
      const { inbox } = fixture;
      expect(await inbox.counts(owner)).toEqual(EMPTY_COUNTS);
      expect(await inbox.list(owner, { status: "all", limit: 10 })).toEqual({ items: [], counts: EMPTY_COUNTS, matching: 0 });
      expect(await inbox.listAfter(owner, 0, { limit: 10, bytes: 1_000_000 })).toEqual({ items: [], counts: EMPTY_COUNTS });
      expect(await inbox.positions([owner])).toEqual([{ seq: 0, epoch: EMPTY_EPOCH, rev: 0 }]);
      expect(await inbox.listTenant(fixture.tenant, 10)).toEqual([]);
      expect(await inbox.markAllRead(owner, at(1))).toEqual({ count: 0, isChange: false, counts: EMPTY_COUNTS });
      expect(await removeRead(inbox, owner, at(1))).toMatchObject({ count: 0, counts: EMPTY_COUNTS });
      expect(await inbox.counts(owner)).toEqual(EMPTY_COUNTS);
    });

    test("the first item of an inbox has number 1 and an epoch of its own", async () => {
      const { notification, items } = await fixture.create("ann");
      const counts = await fixture.inbox.counts(fixture.owner("ann"));
      expect(counts).toEqual({ total: 1, unread: 1, unseen: 1, lastSeq: 1, epoch: items[0]?.epoch, rev: 0 });
      expect(items).toEqual([{ userId: "ann", seq: 1, epoch: expect.any(String) }]);
      expect(counts.epoch).not.toBe(EMPTY_EPOCH);
      const page = await fixture.inbox.list(fixture.owner("ann"), { status: "all", limit: 10 });
      expect(page).toEqual({ items: [itemOf(notification, { userId: "ann", seq: 1 })], counts, matching: 1 });
    });

    test("every recipient gets an item in an inbox numbered on its own", async () => {
      await fixture.fill("bob", 2);
      const { items } = await fixture.create(["ann", "bob", "cid"]);
      expect(items.map(({ userId, seq }) => [userId, seq])).toEqual([
        ["ann", 1],
        ["bob", 3],
        ["cid", 1],
      ]);
      expect(new Set(items.map((item) => item.epoch)).size).toBe(3);
    });

    test("many tenants of any name have inboxes of their own, and each of their notifications once", async () => {
      const plain = Array.from({ length: 20 }, (_, index) => `${fixture.tenant}:${index}`);
      const tenants = [...plain, "o'neill", `${fixture.tenant}' OR 'a' = 'a`, "no LIMIT ?", 'say "hi"', "% _", "\\"];
      const entries = tenants.map((tenant) => fixture.entry("ann", { tenant }));
      const answers = await fixture.inbox.createMany(entries);
      expect(answers.flat().map((item) => item?.seq)).toEqual(tenants.map(() => 1));
      expect(await fixture.inbox.createMany(entries)).toEqual(answers);
      for (const { notification } of entries) {
        const owner = { tenant: notification.tenant, userId: "ann" };
        const { items, counts } = await fixture.inbox.list(owner, { status: "all", limit: 10 });
        expect(items).toEqual([itemOf(notification, { userId: "ann", seq: 1 })]);
        expect(counts).toMatchObject({ total: 1, unread: 1, lastSeq: 1 });
      }
    });

    test("several entries are answered in their order and numbered in their order", async () => {
      const entries = [fixture.entry(["ann", "bob"]), fixture.entry("bob"), fixture.entry(["ann", "bob", "cid"])];
      const answers = await fixture.inbox.createMany(entries);
      expect(answers.map((items) => items?.map(({ userId, seq }) => [userId, seq]))).toEqual([
        [
          ["ann", 1],
          ["bob", 1],
        ],
        [["bob", 2]],
        [
          ["ann", 2],
          ["bob", 3],
          ["cid", 1],
        ],
      ]);
      const page = await fixture.inbox.list(fixture.owner("bob"), { status: "all", limit: 10 });
      expect(page.items.map((item) => item.id)).toEqual(entries.map((entry) => entry.notification.id).toReversed());
    });

    test.each<[what: string, fields: readonly Partial<Notification>[]]>([
      ["alike in everything", [{}, {}, {}]],
      ["that differ in what may be missing", [{ source: "shop" }, { actor: "ann" }, {}]],
      ["that all have what may be missing", [1, 2].map(() => ({ source: "shop", actor: "ann" }))],
      [
        "that differ in everything",
        [{ priority: "low", kind: "send", type: "a", title: "" }, { priority: "normal", data: { b: '\\"' } }, {}],
      ],
      ["of other priorities and kinds", [{ priority: "urgent" }, { priority: "low" }, {}, { kind: "send" }, { kind: "event" }]],
      ["of one moment", [{ createdAt: at(3) }, { createdAt: at(3) }]],
    ])("several entries %s are stored as they are", async (_, fields) => {
      const entries = fields.map((one) => fixture.entry(["ann", "bob"], one));
      await fixture.inbox.createMany(entries);
      for (const userId of ["ann", "bob"]) {
        const { items } = await fixture.inbox.list(fixture.owner(userId), { status: "all", limit: 10 });
        expect(items.toReversed()).toMatchObject(entries.map(({ notification }) => notification));
      }
    });

    test("no entries are answered with nothing", async () => {
      expect(await fixture.inbox.createMany([])).toEqual([]);
    });

    test("entries of several tenants share one call", async () => {
      const other = `${fixture.tenant} (other)`;
      const answers = await fixture.inbox.createMany([fixture.entry("ann"), fixture.entry("ann", { tenant: other }), fixture.entry("ann")]);
      expect(answers.map((items) => items?.[0]?.seq)).toEqual([1, 1, 2]);
      expect(await fixture.inbox.counts({ tenant: other, userId: "ann" })).toMatchObject({ total: 1, lastSeq: 1 });
    });

    test("an entry that was written before writes nothing and answers with the items it has", async () => {
      const entry = fixture.entry(["ann", "bob"]);
      const first = await fixture.inbox.createMany([entry]);
      await fixture.create("bob");
      const again = await fixture.inbox.createMany([fixture.entry("bob"), entry, fixture.entry("ann")]);
      expect(again[1]).toEqual(first[0]);
      expect(again.map((items) => items?.map((item) => item.seq))).toEqual([[3], [1, 1], [2]]);
      expect(seqsOf(await expectTrueCounts(fixture, fixture.owner("ann")))).toEqual([2, 1]);
      expect(seqsOf(await expectTrueCounts(fixture, fixture.owner("bob")))).toEqual([3, 2, 1]);
    });

    test("an entry that is in one call twice is written once", async () => {
      const entry = fixture.entry(["ann", "bob"]);
      const answers = await fixture.inbox.createMany([entry, fixture.entry("ann"), entry]);
      expect(answers[2]).toEqual(answers[0]);
      expect(answers.map((items) => items?.map((item) => item.seq))).toEqual([[1, 1], [2], [1, 1]]);
      expect(await expectTrueCounts(fixture, fixture.owner("ann"))).toHaveLength(2);
    });

    test("writing an entry again brings nothing back and marks nothing unread", async () => {
      const entries = [fixture.entry("ann"), fixture.entry("ann")];
      const first = await fixture.inbox.createMany(entries);
      const owner = fixture.owner("ann");
      await fixture.inbox.remove(owner, [{ seq: 1 }], at(1));
      await fixture.inbox.markRead(owner, [{ seq: 2 }], at(2));
      expect(await fixture.inbox.createMany(entries)).toEqual(first);
      expect(await fixture.inbox.counts(owner)).toMatchObject({ total: 1, unread: 0, lastSeq: 2 });
    });

    test("the same id in two tenants is two notifications", async () => {
      const entry = fixture.entry("ann", { title: "here" });
      const there = { ...entry.notification, tenant: `${fixture.tenant} (other)`, title: "there" };
      await fixture.inbox.createMany([entry, { ...entry, notification: there }]);
      const owners = [fixture.owner("ann"), { tenant: there.tenant, userId: "ann" }];
      const items = await Promise.all(owners.map((owner) => fixture.inbox.get(owner, entry.notification.id)));
      expect(items.map((item) => item?.title)).toEqual(["here", "there"]);
    });

    test.each([
      ["data that JSON has no form for", { data: { big: 1n as unknown as number } }],
      ["a missing title", { title: null as unknown as string }],
    ])("%s fails the whole call and uses up no number", async (_, broken) => {
      await fixture.create("ann");
      const before = await fixture.inbox.counts(fixture.owner("ann"));
      const good = fixture.entry(["ann", "bob"]);
      const entries = [good, fixture.entry("ann", broken), fixture.entry(["ann", "cid"])];
      await expect(async () => fixture.inbox.createMany(entries)).rejects.toMatchObject({ name: "BelfryError", code: "STORAGE_FAILED" });
      expect(await fixture.inbox.counts(fixture.owner("ann"))).toEqual(before);
      expect(await fixture.inbox.counts(fixture.owner("bob"))).toEqual(EMPTY_COUNTS);
      expect(await fixture.inbox.absence(fixture.owner("bob"), good.notification.id)).toBe("unknown");
      expect((await fixture.create("ann")).items).toMatchObject([{ seq: 2 }]);
    });

    test("a thousand recipients are written in one call", async () => {
      const users = Array.from({ length: 1_000 }, (_, index) => `user ${index}`);
      const { items } = await fixture.create(users);
      expect(items).toHaveLength(1_000);
      expect(new Set(items.map((item) => item.userId))).toEqual(new Set(users));
      expect(items.every((item) => item.seq === 1)).toBe(true);
    });

    test("skipBusy writes everything when nobody else writes", async () => {
      const entries = [fixture.entry("ann"), fixture.entry(["ann", "bob"])];
      const answers = await fixture.inbox.createMany(entries, { skipBusy: true });
      expect(answers.map((items) => items?.map((item) => item.seq))).toEqual([[1], [2, 1]]);
    });

    test("a listener hears of each of several creates in the asynchronous context of its caller", async () => {
      const service = new NotificationService({ storage: fixture.storage, logger: new LogBook() });
      onTestFinished(() => service.stop());
      const request = new AsyncLocalStorage<string>();
      const heard: unknown[] = [];
      service.on("notification.created", ({ notification }) => heard.push([notification.title, request.getStore()]));
      const tenant = service.tenant(fixture.tenant);
      const titles = ["one", "two", "three"];
      await Promise.all(titles.map((title) => request.run(title, () => tenant.create({ to: "ann", title }))));
      expect(heard).toEqual(titles.map((title) => [title, title]));
    });
  });
}
