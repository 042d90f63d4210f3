import type { CreatedItem, InboxItem } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { at, range, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { inTurn } from "../in-turn.ts";
import { removeRead } from "../steps.ts";
import { expectTrueCounts } from "./recount.ts";

const USERS = ["ann", "bob", "cid", "dan", "eve"];

class HostsOwnError extends Error {}

/** Many callers at once give the same result as some order of them one after another. None of these can be skipped. */
export function concurrencyTests(harness: StorageHarness): void {
  describe("concurrency", () => {
    const fixture = useFixture(harness);

    test("200 creates for one user at once are numbered 1 to 200", async () => {
      const created = await Promise.all(range(1, 200).map(() => fixture.create("ann")));
      const seqs = created.map(({ items }) => items[0]?.seq ?? 0);
      expect(seqs.toSorted((left, right) => left - right)).toEqual(range(1, 200));
      const items = await expectTrueCounts(fixture, fixture.owner("ann"));
      expect(seqsOf(items)).toEqual(range(200, 1));
      const seqById = new Map(created.map(({ notification }, index) => [notification.id, seqs[index]]));
      expect(items.map((item) => seqById.get(item.id))).toEqual(seqsOf(items));
      expect(new Set(created.map(({ items: [item] }) => item?.epoch)).size).toBe(1);
    });

    test("calls that write to the same inboxes in different orders all succeed", async () => {
      const calls = range(1, 60).map((number) => {
        // Each call begins with another user, so that two of them lock inboxes the other way round.
        const turned = USERS.map((_, index) => USERS[(index + number) % USERS.length] ?? "");
        return fixture.inbox.createMany([...turned.map((userId) => fixture.entry(userId)), fixture.entry(turned.slice(0, 2))]);
      });
      const answers = (await Promise.all(calls)).flat();
      const seqs = new Map<string, number[]>(USERS.map((userId) => [userId, []]));
      for (const { userId, seq } of answers.flatMap((items) => items ?? [])) {
        seqs.get(userId)?.push(seq);
      }
      for (const userId of USERS) {
        const given = seqs.get(userId)?.toSorted((left, right) => right - left);
        expect(given).toEqual(range(60 + 24, 1));
        expect(seqsOf(await expectTrueCounts(fixture, fixture.owner(userId)))).toEqual(given);
      }
    });

    test("a reader that goes on after the last number it saw misses nothing while others write", async () => {
      const owner = fixture.owner("ann");
      let writing = true;
      const writers = Promise.all(range(1, 120).map(() => fixture.create(["ann", "bob"]))).finally(() => {
        writing = false;
      });
      const seen: number[] = [];
      for (let again = true; again; ) {
        again = writing;
        const { items, counts } = await fixture.inbox.listAfter(owner, seen.at(-1) ?? 0, { limit: 1_000, bytes: 1_000_000 });
        seen.push(...seqsOf(items));
        expect(seen).toEqual(seen.length === 0 ? [] : range(1, seen.length));
        expect(counts.lastSeq).toBe(seen.length);
      }
      await writers;
      expect(seen).toHaveLength(120);
    });

    test("a page and its counts are of the same moment while others write", async () => {
      const owner = fixture.owner("ann");
      const changes = range(1, 60).flatMap((number) => [
        fixture.create("ann"),
        number % 4 === 0 ? fixture.inbox.markAllRead(owner, at(number)) : fixture.inbox.markRead(owner, [{ seq: number }], at(number)),
        number % 5 === 0 ? removeRead(fixture.inbox, owner, at(number)) : fixture.inbox.remove(owner, [{ seq: number - 3 }], at(number)),
      ]);
      const reads = range(1, 60).map(async () => {
        const { items, counts, matching } = await fixture.inbox.list(owner, { status: "all", limit: 1_000 });
        const unread = items.filter((item) => item.readAt === null).length;
        expect({ total: items.length, unread, matching: items.length }).toEqual({ total: counts.total, unread: counts.unread, matching });
        expect(items[0]?.seq ?? 0).toBeLessThanOrEqual(counts.lastSeq);
      });
      await Promise.all([...changes, ...reads]);
      await expectTrueCounts(fixture, owner);
    });

    test("all operations at once on one inbox change each item once, and the counts equal a recount", async () => {
      const owner = fixture.owner("ann");
      await fixture.fill("ann", 40);
      const read: number[] = [];
      const removed: InboxItem[] = [];
      let swept = 0;
      let cleared = 0;
      const work = range(1, 80).map(async (number) => {
        const refs = range(number, number + 4).map((seq) => ({ seq }));
        await fixture.create("ann");
        read.push(...(await fixture.inbox.markRead(owner, refs, at(number))).changed);
        if (number % 10 === 0) {
          const { count } = await fixture.inbox.markAllRead(owner, at(number));
          swept += count;
        }
        removed.push(...(await fixture.inbox.remove(owner, [{ seq: number * 2 }, { seq: number }], at(number))).items);
        if (number % 16 === 0) {
          const { count } = await removeRead(fixture.inbox, owner, at(number));
          cleared += count;
        }
      });
      await Promise.all(work);
      const items = await expectTrueCounts(fixture, owner);
      expect(new Set(seqsOf(removed)).size).toBe(removed.length);
      expect(removed.length + cleared).toBe(120 - items.length);
      // Each of the 120 was read one by one, read by a sweep, removed unread, or is unread still: one of these, once.
      const unread = [...items, ...removed].filter((item) => item.readAt === null);
      expect(new Set(read).size).toBe(read.length);
      expect(read.length + swept + unread.length).toBe(120);
      expect(await fixture.inbox.counts(owner)).toMatchObject({ lastSeq: 120 });
    });

    test("if several mark one item read, one succeeds", async () => {
      await fixture.fill("ann", 1);
      const owner = fixture.owner("ann");
      const changes = await Promise.all(range(1, 20).map((second) => fixture.inbox.markRead(owner, [{ seq: 1 }], at(second))));
      const winners = changes.flatMap((change, index) => (change.changed.has(1) ? [index + 1] : []));
      expect(winners).toHaveLength(1);
      expect(await fixture.inbox.get(owner, { seq: 1 })).toMatchObject({ readAt: at(winners[0] ?? 0) });
      expect(changes.map((change) => change.items[0]?.readAt)).toEqual(changes.map(() => at(winners[0] ?? 0)));
      expect(await fixture.inbox.counts(owner)).toMatchObject({ unread: 0 });
    });

    test("if several remove one item, one succeeds", async () => {
      await fixture.fill("ann", 2);
      const owner = fixture.owner("ann");
      const changes = await Promise.all(range(1, 20).map((second) => fixture.inbox.remove(owner, [{ seq: 1 }], at(second))));
      expect(changes.map((change) => change.items.length).toSorted()).toEqual([...Array.from({ length: 19 }, () => 0), 1]);
      expect(changes.every((change) => change.counts.total === 1 && change.counts.unread === 1)).toBe(true);
      await expectTrueCounts(fixture, owner);
    });

    test("an item that arrives while everything is marked read is either covered or unread", async () => {
      const owner = fixture.owner("ann");
      const creates = range(1, 100).map(() => fixture.create("ann"));
      const sweeps = range(1, 20).map((second) => fixture.inbox.markAllRead(owner, at(second)));
      await Promise.all(creates);
      const swept = (await Promise.all(sweeps)).reduce((sum, { count }) => sum + count, 0);
      const { total, unread } = await fixture.inbox.counts(owner);
      expect(total).toBe(100);
      expect(swept + unread).toBe(100);
      const items = await expectTrueCounts(fixture, owner);
      // A mark covers the oldest items, so read ones are the oldest.
      expect(items.slice(0, unread).every((item) => item.readAt === null)).toBe(true);
    });

    test("one entry written by several at once is written once, and all hear the same", async () => {
      const entry = fixture.entry(["ann", "bob"]);
      const others = range(1, 10).map(() => fixture.create(["ann", "bob"]));
      const answers = await Promise.all(range(1, 10).map(() => fixture.inbox.createMany([entry])));
      await Promise.all(others);
      expect(answers).toEqual(answers.map(() => answers[0]));
      for (const userId of ["ann", "bob"]) {
        expect(seqsOf(await expectTrueCounts(fixture, fixture.owner(userId)))).toEqual(range(11, 1));
      }
    });

    test("transactions of the host, half of them rolled back, beside other creates leave no gap", async () => {
      const told: CreatedItem[] = [];
      const transactions = range(1, 24).map(async (number) => {
        const run = fixture.subject.transaction((tx) =>
          inTurn(
            () => fixture.inbox.createWithin(tx, fixture.entry(["ann", "bob"]), (items) => told.push(...items)),
            () => {
              if (number % 2 === 0) {
                throw new HostsOwnError();
              }
            },
          ),
        );
        await (number % 2 === 0 ? expect(run).rejects.toThrow(HostsOwnError) : run);
      });
      const creates = range(1, 40).map(() => fixture.create("ann"));
      const both = range(1, 8).map(() => fixture.create(["ann", "bob"]));
      const created = (await Promise.all([...creates, ...both])).flatMap(({ items }) => items);
      await Promise.all(transactions);
      await expect.poll(() => told.length, { timeout: 20_000 }).toBe(24);
      for (const [userId, total] of [
        ["ann", 60],
        ["bob", 20],
      ] as const) {
        const seqs = [...told, ...created].filter((item) => item.userId === userId).map((item) => item.seq);
        expect(seqs.toSorted((left, right) => right - left)).toEqual(range(total, 1));
        expect(seqsOf(await expectTrueCounts(fixture, fixture.owner(userId)))).toEqual(range(total, 1));
      }
    });

    test("a fan-out beside creates for the same users leaves no gap", async () => {
      await fixture.inbox.createFanOut(fixture.entry(USERS), 1);
      const work = async () => {
        let written = 0;
        while (written < 3 && (await fixture.inbox.fanOutNext(at(1)))) {
          written += 1;
        }
      };
      await Promise.all([work(), work(), work(), ...range(1, 30).map(() => fixture.create(USERS))]);
      while (await fixture.inbox.fanOutNext(at(1))) {
        // Chunks that one worker found held by the other.
      }
      for (const userId of USERS) {
        expect(seqsOf(await expectTrueCounts(fixture, fixture.owner(userId)))).toEqual(range(31, 1));
      }
    });
  });
}
