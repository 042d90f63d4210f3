import { EMPTY_EPOCH } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { at, range, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness, StorageSubject } from "../harness.ts";
import { allItems, expectTrueCounts } from "../inbox/recount.ts";
import { removeRead } from "../steps.ts";

/** The promises of `open`, `close` and `renewEpochs`, and that data outlives a restart. */
export function lifecycleTests(harness: StorageHarness): void {
  describe("opening and closing", () => {
    const fixture = useFixture(harness);

    async function withSubject(work: (subject: StorageSubject) => Promise<void>): Promise<void> {
      const subject = await harness.create();
      try {
        await work(subject);
      } finally {
        await subject.dispose();
      }
    }

    test("a storage has a name", () => {
      expect(fixture.storage.name).toMatch(/^[a-z]+$/);
    });

    test("opening an open storage again, several times at once, is harmless", async () => {
      await fixture.fill("ann", 1);
      await Promise.all([fixture.storage.open(), fixture.storage.open(), fixture.storage.open()]);
      await fixture.storage.open();
      expect((await fixture.create("ann")).items).toMatchObject([{ seq: 2 }]);
    });

    test("closing is idempotent, also several times at once", async () => {
      await withSubject(async ({ storage }) => {
        await Promise.all([storage.close(), storage.close()]);
        await storage.close();
      });
    });

    test("a storage that was closed can be opened again", async () => {
      await withSubject(async ({ storage }) => {
        await storage.inbox.createMany([fixture.entry("ann")]);
        await storage.close();
        await storage.open();
        const [items] = await storage.inbox.createMany([fixture.entry("bob")]);
        expect(items).toMatchObject([{ userId: "bob", seq: 1 }]);
      });
    });

    test("an open storage answers a ping, and a closed one says that it is not available", async () => {
      await withSubject(async ({ storage }) => {
        await storage.open();
        await storage.ping(10_000);
        await storage.close();
        await expect(storage.ping(10_000)).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
      });
    });

    test("two storages over different databases share nothing", async () => {
      await fixture.fill("ann", 2);
      await withSubject(async ({ storage }) => {
        expect(await storage.inbox.list(fixture.owner("ann"), { status: "all", limit: 5 })).toMatchObject({ items: [], matching: 0 });
        await storage.inbox.createMany([fixture.entry("ann")]);
      });
      expect(await fixture.inbox.counts(fixture.owner("ann"))).toMatchObject({ total: 2 });
    });

    test("everything is there after a restart, and numbering goes on", async (context) => {
      const owner = fixture.owner("ann");
      await fixture.fill("ann", 4, { data: { a: [1] } });
      await fixture.inbox.markRead(owner, [{ seq: 1 }], at(1));
      await fixture.inbox.markAllRead(owner, at(2));
      await fixture.inbox.remove(owner, [{ seq: 2 }], at(3));
      await fixture.fill("ann", 1);
      await fixture.subject.transaction((tx) => fixture.inbox.createWithin(tx, fixture.entry("ann"), () => undefined));
      const before = { items: await allItems(fixture, owner), counts: await fixture.inbox.counts(owner) };
      if (!(await fixture.reopen())) {
        context.skip("the storage keeps nothing beyond its process");
      }
      expect({ items: await allItems(fixture, owner), counts: await fixture.inbox.counts(owner) }).toEqual(before);
      expect(await fixture.inbox.absence(owner, { seq: 2 })).toBe("deleted");
      expect((await fixture.create("ann")).items).toEqual([{ userId: "ann", seq: 7, epoch: before.counts.epoch }]);
      await expectTrueCounts(fixture, owner);
    });
  });

  describe("epochs", () => {
    const fixture = useFixture(harness);

    test("every inbox has an epoch of its own, which its changes leave alone", async () => {
      await fixture.create(["ann", "bob"]);
      const owner = fixture.owner("ann");
      const { epoch } = await fixture.inbox.counts(owner);
      expect((await fixture.inbox.counts(fixture.owner("bob"))).epoch).not.toBe(epoch);
      const answers = [
        (await fixture.create("ann")).items[0],
        (await fixture.inbox.markRead(owner, [{ seq: 1 }], at(1))).counts,
        (await fixture.inbox.markAllRead(owner, at(2))).counts,
        (await fixture.inbox.remove(owner, [{ seq: 2 }], at(3))).counts,
        (await removeRead(fixture.inbox, owner, at(4))).counts,
        (await fixture.create("ann")).items[0],
        await fixture.inbox.counts(owner),
      ];
      expect(answers.map((answer) => answer?.epoch)).toEqual(answers.map(() => epoch));
    });

    test("renewing changes the epoch of every inbox of every tenant and nothing else", async () => {
      const other = { tenant: `${fixture.tenant} (other)`, userId: "ann" };
      const owners = [fixture.owner("ann"), fixture.owner("bob"), other];
      await fixture.inbox.createMany([fixture.entry(["ann", "bob"]), fixture.entry("ann"), fixture.entry("ann", { tenant: other.tenant })]);
      await fixture.inbox.markAllRead(fixture.owner("ann"), at(1));
      const before = await Promise.all(owners.map((owner) => fixture.inbox.counts(owner)));
      await fixture.inbox.renewEpochs();
      const after = await Promise.all(owners.map((owner) => fixture.inbox.counts(owner)));
      expect(after).toEqual(before.map((counts) => ({ ...counts, epoch: expect.any(String) })));
      const epochs = [...before, ...after].map((counts) => counts.epoch);
      expect(new Set(epochs).size).toBe(6);
      expect(epochs).not.toContain(EMPTY_EPOCH);
      const positions = await fixture.inbox.positions(owners);
      expect(positions.map((position) => position.epoch)).toEqual(after.map((counts) => counts.epoch));
    });

    test("numbering goes on in the new epoch", async () => {
      await fixture.fill("ann", 2);
      const owner = fixture.owner("ann");
      await fixture.inbox.renewEpochs();
      const { epoch } = await fixture.inbox.counts(owner);
      expect((await fixture.create("ann")).items).toEqual([{ userId: "ann", seq: 3, epoch }]);
      expect((await fixture.inbox.listAfter(owner, 0, { limit: 5, bytes: 1_000_000 })).counts.epoch).toBe(epoch);
      expect(seqsOf(await expectTrueCounts(fixture, owner))).toEqual(range(3, 1));
    });

    test("an inbox that never had an item keeps the empty epoch", async () => {
      await fixture.inbox.renewEpochs();
      expect(await fixture.inbox.counts(fixture.owner("nobody"))).toMatchObject({ lastSeq: 0, epoch: EMPTY_EPOCH });
    });
  });
}
