import type { Owner } from "@belfry/core";
import { EMPTY_COUNTS, type FanOutChunk } from "@belfry/core/storage";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { at, itemOf, range, seqsOf, sortBytewise, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { inTurn } from "../in-turn.ts";
import { expectTrueCounts } from "../inbox/recount.ts";

const WAIT = { timeout: 20_000, interval: 10 };

/** The promises of `createFanOut` and `fanOutNext`. */
export function fanOutTests(harness: StorageHarness): void {
  describe("fan-out", () => {
    const fixture = useFixture(harness);

    async function drain(): Promise<readonly FanOutChunk[]> {
      const chunks: FanOutChunk[] = [];
      for (let chunk = await fixture.inbox.fanOutNext(at(1)); chunk; chunk = await fixture.inbox.fanOutNext(at(1))) {
        chunks.push(chunk);
      }
      return chunks;
    }

    /** Removes what fan-outs left. */
    async function tidy(): Promise<void> {
      for (let isMore = true; isMore; ) {
        isMore = await fixture.inbox.tidyFanOuts(at(100));
      }
    }

    beforeEach(async () => {
      await drain();
    });

    function users(count: number): readonly string[] {
      return sortBytewise(range(1, count).map((number) => `user ${number}`));
    }

    test("where the items of wanted users went is answered, or that it is not, and everybody's are written", async () => {
      await fixture.inbox.createFanOut(fixture.entry(users(5)), 3);
      const isWanted = ({ tenant, userId }: Owner) => tenant === fixture.tenant && ["user 2", "user 5"].includes(userId);
      const answered: string[] = [];
      let isUntold = false;
      for (
        let chunk = await fixture.inbox.fanOutNext(at(1), { isWanted });
        chunk;
        chunk = await fixture.inbox.fanOutNext(at(1), { isWanted })
      ) {
        answered.push(...chunk.items.map(({ userId, seq }) => `${userId}: ${seq}`));
        isUntold ||= chunk.isUntold === true;
      }
      expect(isUntold ? ["user 2: 1", "user 5: 1"] : answered).toEqual(expect.arrayContaining(["user 2: 1", "user 5: 1"]));
      for (const userId of users(5)) {
        expect(seqsOf(await expectTrueCounts(fixture, fixture.owner(userId)))).toEqual([1]);
      }
    });

    test("a turn that may take more writes every chunk once, in their order, however many it takes", async () => {
      await fixture.inbox.createFanOut(fixture.entry(users(7)), 2);
      await fixture.inbox.createFanOut(fixture.entry(["zoe"]), 2);
      const answered: string[][] = [];
      for (let isMore = true; isMore; ) {
        const chunk = await fixture.inbox.fanOutNext(at(1), { mayTakeMore: true });
        isMore = chunk !== null;
        answered.push(chunk?.items.map(({ userId }) => userId) ?? []);
      }
      expect(answered.flat()).toEqual([...users(7), "zoe"]);
      expect(answered).toContainEqual(["zoe"]);
      for (const userId of [...users(7), "zoe"]) {
        expect(seqsOf(await expectTrueCounts(fixture, fixture.owner(userId)))).toEqual([1]);
      }
    });

    test("without a fan-out there is no chunk", async () => {
      expect(await fixture.inbox.fanOutNext(at(1))).toBeNull();
    });

    test("nobody has an item before the chunks are written", async () => {
      await fixture.inbox.createFanOut(fixture.entry(["ann", "bob"]), 1);
      expect(await fixture.inbox.counts(fixture.owner("ann"))).toEqual(EMPTY_COUNTS);
      expect(await fixture.inbox.listTenant(fixture.tenant, 5)).toEqual([]);
    });

    test("each chunk has its share of the recipients in their order, and says where their items went", async () => {
      await fixture.fill("user 2", 4);
      const entry = fixture.entry(users(5), { data: { a: [1] }, source: "shop" });
      await fixture.inbox.createFanOut(entry, 2);
      const chunks = await drain();
      expect(chunks.map((chunk) => chunk.items.map((item) => item.userId))).toEqual([
        ["user 1", "user 2"],
        ["user 3", "user 4"],
        ["user 5"],
      ]);
      expect(chunks.flatMap((chunk) => seqsOf(chunk.items))).toEqual([1, 5, 1, 1, 1]);
      for (const chunk of chunks) {
        expect(chunk.notification).toEqual(entry.notification);
        for (const { userId, seq, epoch } of chunk.items) {
          expect((await fixture.inbox.positions([fixture.owner(userId)]))[0]).toEqual({ seq, epoch, rev: 0 });
        }
      }
      expect(await fixture.inbox.fanOutNext(at(2))).toBeNull();
    });

    test("items are those of the chunks written so far", async () => {
      await fixture.inbox.createFanOut(fixture.entry(users(3)), 1);
      for (const written of [1, 2, 3]) {
        await fixture.inbox.fanOutNext(at(written));
        const totals = await Promise.all(users(3).map(async (userId) => (await fixture.inbox.counts(fixture.owner(userId))).total));
        expect(totals).toEqual([1, 2, 3].map((number) => (number <= written ? 1 : 0)));
      }
    });

    test("a chunk goes on with the numbers of inboxes that have begun, and begins the others", async () => {
      await fixture.inbox.createMany([fixture.entry(["bob"]), fixture.entry(["bob"]), fixture.entry(["dan"])]);
      await fixture.inbox.createFanOut(fixture.entry(["ann", "bob", "cat", "dan"]), 4);
      const [chunk] = await drain();
      expect(chunk?.items.map(({ userId, seq }) => `${userId}: ${seq}`)).toEqual(["ann: 1", "bob: 3", "cat: 1", "dan: 2"]);
      expect(new Set(chunk?.items.map(({ epoch }) => epoch)).size).toBe(4);
      for (const [userId, seqs] of Object.entries({ ann: [1], bob: [3, 2, 1], cat: [1], dan: [2, 1] })) {
        expect(seqsOf(await expectTrueCounts(fixture, fixture.owner(userId)))).toEqual(seqs);
      }
    });

    test("an item's creation time is when its chunk was written", async () => {
      const { notification, recipients } = fixture.entry(["ann", "bob"]);
      await fixture.inbox.createFanOut({ notification, recipients }, 1);
      await fixture.inbox.fanOutNext(at(500));
      await fixture.inbox.fanOutNext(at(600));
      for (const [userId, second] of [
        ["ann", 500],
        ["bob", 600],
      ] as const) {
        const owner = fixture.owner(userId);
        const expected = itemOf({ ...notification, createdAt: at(second) }, { userId, seq: 1 });
        expect(await fixture.inbox.get(owner, notification.id)).toEqual(expected);
        expect((await fixture.inbox.list(owner, { status: "all", limit: 1 })).items).toEqual([expected]);
        expect((await fixture.inbox.listAfter(owner, 0, { limit: 1, bytes: 1_000_000 })).items).toEqual([expected]);
        expect((await fixture.inbox.markRead(owner, [{ seq: 1 }], at(700))).items).toEqual([
          { ...expected, readAt: at(700), isSeen: true },
        ]);
      }
      const listed = await fixture.inbox.listTenant(fixture.tenant, 5);
      expect(Object.fromEntries(listed.map((item) => [item.userId, item.createdAt]))).toEqual({ ann: at(500), bob: at(600) });
    });

    test("chunks of several fan-outs are written oldest first", async () => {
      const entries = [fixture.entry(users(3)), fixture.entry(["ann"]), fixture.entry(users(2))];
      for (const entry of entries) {
        await fixture.inbox.createFanOut(entry, 2);
      }
      const [first, second, third] = entries.map((entry) => entry.notification.id);
      expect((await drain()).map((chunk) => chunk.notification.id)).toEqual([first, first, second, third]);
    });

    test("tenants take turns, each with its oldest chunk", async () => {
      const chunks = { b: 3, c: 1, a: 2 };
      for (const [name, count] of Object.entries(chunks)) {
        const { notification, recipients } = fixture.entry(users(count));
        await fixture.inbox.createFanOut({ notification: { ...notification, tenant: `${fixture.tenant} ${name}` }, recipients }, 1);
      }
      const turns: string[] = [];
      for (let after: string | undefined; turns.length < 6; ) {
        const chunk = await fixture.inbox.fanOutNext(at(1), { after });
        after = chunk?.notification.tenant;
        turns.push(after?.slice(fixture.tenant.length + 1) ?? "nobody");
      }
      expect(turns).toEqual(["a", "b", "c", "a", "b", "b"]);
      expect(await fixture.inbox.fanOutNext(at(1), { after: "a tenant without any" })).toBeNull();
    });

    test("numbers stay without gaps while others create in between", async () => {
      await fixture.inbox.createFanOut(fixture.entry(users(4)), 1);
      for (const userId of users(4)) {
        await fixture.create(users(4));
        await fixture.inbox.fanOutNext(at(1));
        await fixture.create(userId);
      }
      for (const userId of users(4)) {
        expect(seqsOf(await expectTrueCounts(fixture, fixture.owner(userId)))).toEqual(range(6, 1));
      }
    });

    test("a tenant's list goes by the notification, not by when its chunk was written", async () => {
      const early = fixture.entry(["ann"]);
      await fixture.inbox.createFanOut(early, 1);
      const { notification } = await fixture.create("bob");
      await fixture.inbox.fanOutNext(at(9_000));
      const listed = await fixture.inbox.listTenant(fixture.tenant, 5);
      expect(listed.map((item) => item.id)).toEqual([notification.id, early.notification.id]);
    });

    test("a chunk may be larger than the list", async () => {
      await fixture.inbox.createFanOut(fixture.entry("ann"), 250);
      expect((await drain()).map((chunk) => chunk.items.length)).toEqual([1]);
    });

    test("2,500 recipients in chunks of 250", async () => {
      await fixture.inbox.createFanOut(fixture.entry(users(2_500)), 250);
      const chunks = await drain();
      expect(chunks.map((chunk) => chunk.items.length)).toEqual(Array.from({ length: 10 }, () => 250));
      expect(chunks.flatMap((chunk) => chunk.items.map((item) => item.userId))).toEqual(users(2_500));
    });

    test("several at work write each chunk once", async () => {
      await fixture.inbox.createFanOut(fixture.entry(users(40)), 2);
      const written: FanOutChunk[] = [];
      const work = async () => {
        for (;;) {
          const chunk = await fixture.inbox.fanOutNext(at(1));
          if (chunk) {
            written.push(chunk);
          } else {
            return;
          }
        }
      };
      await Promise.all(range(1, 4).map(work));
      // A worker may have found every chunk held by others and left.
      written.push(...(await drain()));
      expect(written).toHaveLength(20);
      expect(sortBytewise(written.flatMap((chunk) => chunk.items.map((item) => item.userId)))).toEqual(users(40));
      for (const userId of users(40)) {
        expect(await fixture.inbox.counts(fixture.owner(userId))).toMatchObject({ total: 1, unread: 1, lastSeq: 1 });
      }
    });

    test("a list that is written in a transaction of the host is fanned out after the commit", async () => {
      const entry = fixture.entry(users(5));
      const committed = vi.fn();
      await fixture.subject.transaction((tx) => fixture.inbox.createFanOutWithin(tx, entry, committed));
      await vi.waitFor(() => expect(committed).toHaveBeenCalledTimes(1), WAIT);
      expect((await drain()).flatMap((chunk) => chunk.items.map((item) => item.userId))).toEqual(users(5));
      // A repetition writes nothing.
      await fixture.subject.transaction((tx) => fixture.inbox.createFanOutWithin(tx, entry, committed));
      expect(await drain()).toEqual([]);
    });

    test("a list that is rolled back is never fanned out", async () => {
      const failing = fixture.subject.transaction((tx) =>
        inTurn(
          () => fixture.inbox.createFanOutWithin(tx, fixture.entry(users(5)), () => undefined),
          () => {
            throw new Error("the host changed its mind");
          },
        ),
      );
      await expect(failing).rejects.toThrow("the host changed its mind");
      expect(await drain()).toEqual([]);
    });

    test("one notification is fanned out once, however often it is written", async () => {
      const entry = fixture.entry(users(4));
      await fixture.inbox.createFanOut(entry, 2);
      await fixture.inbox.createFanOut(entry, 2);
      expect(await drain()).toHaveLength(2);
      await tidy();
    });

    test("what has expired is not written any more", async () => {
      const entry = fixture.entry(users(4), { expiresAt: at(100) });
      await fixture.inbox.createFanOut(entry, 1);
      expect(await fixture.inbox.fanOutNext(at(99))).not.toBeNull();
      expect(await fixture.inbox.fanOutNext(at(100))).toBeNull();
      expect(await fixture.inbox.isComing(fixture.tenant, entry.notification.id)).toBe(true);
      await tidy();
      expect(await fixture.inbox.fanOutNext(at(99))).toBeNull();
      expect(await fixture.inbox.isComing(fixture.tenant, entry.notification.id)).toBe(false);
    });

    test("the list of a notification that is deleted is dropped", async () => {
      const entry = fixture.entry(users(60));
      await fixture.inbox.createFanOut(entry, 2);
      await fixture.inbox.fanOutNext(at(1));
      const step = await fixture.storage.activity.deleteNotification(fixture.tenant, entry.notification.id, {
        limit: 100,
        at: at(2),
        actor: "host",
      });
      expect(step).toMatchObject({ isDone: true });
      expect(await fixture.inbox.fanOutNext(at(3))).toBeNull();
      await tidy();
    });

    test("an interrupted fan-out goes on at the next start", async (context) => {
      const entry = fixture.entry(users(5));
      await fixture.inbox.createFanOut(entry, 2);
      await fixture.inbox.fanOutNext(at(1));
      if (!(await fixture.reopen())) {
        context.skip("the storage keeps nothing beyond its process");
      }
      const chunks = await drain();
      expect(chunks.map((chunk) => chunk.items.map((item) => item.userId))).toEqual([["user 3", "user 4"], ["user 5"]]);
      expect(chunks[0]?.notification).toEqual(entry.notification);
    });
  });
}
