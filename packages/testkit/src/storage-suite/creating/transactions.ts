import type { CreatedItem } from "@belfry/core";
import { EMPTY_COUNTS, type NewNotification } from "@belfry/core/storage";
import { describe, expect, test, vi } from "vitest";
import { at, itemOf, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { inTurn } from "../in-turn.ts";
import { expectTrueCounts } from "../inbox/recount.ts";

const WAIT = { timeout: 20_000, interval: 10 };

class HostsOwnError extends Error {}

function fail(): never {
  throw new HostsOwnError("the host changed its mind");
}

/** The promises of `createWithin`. */
export function transactionTests(harness: StorageHarness): void {
  describe("transactions of the host", () => {
    const fixture = useFixture(harness);
    const ignore = () => undefined;

    function write(tx: unknown, entry: NewNotification, onCommit: (items: readonly CreatedItem[]) => void = ignore): void | Promise<void> {
      return fixture.inbox.createWithin(tx, entry, onCommit);
    }

    test("its items are there after the commit, and its writer gets their numbers", async () => {
      const entry = fixture.entry(["ann", "bob"]);
      const told: (readonly CreatedItem[])[] = [];
      await fixture.subject.transaction((tx) => write(tx, entry, (items) => told.push(items)));
      await vi.waitFor(() => expect(told).toHaveLength(1), WAIT);
      const { epoch } = await fixture.inbox.counts(fixture.owner("ann"));
      expect(told[0]?.map(({ userId, seq }) => [userId, seq])).toEqual([
        ["ann", 1],
        ["bob", 1],
      ]);
      expect(told[0]?.[0]?.epoch).toBe(epoch);
      expect(await expectTrueCounts(fixture, fixture.owner("ann"))).toEqual([itemOf(entry.notification, { userId: "ann", seq: 1 })]);
    });

    test("several writes of one transaction are numbered in their order, after what was there", async () => {
      await fixture.fill("ann", 2);
      const entries = [fixture.entry("ann"), fixture.entry(["ann", "bob"]), fixture.entry("ann")];
      const told: (readonly CreatedItem[])[] = [];
      await fixture.subject.transaction((tx) => inTurn(...entries.map((entry) => () => write(tx, entry, (items) => told.push(items)))));
      await vi.waitFor(() => expect(told).toHaveLength(3), WAIT);
      expect(told.map((items) => items.map(({ userId, seq }) => [userId, seq]))).toEqual([
        [["ann", 3]],
        [
          ["ann", 4],
          ["bob", 1],
        ],
        [["ann", 5]],
      ]);
      expect(seqsOf(await expectTrueCounts(fixture, fixture.owner("ann")))).toEqual([5, 4, 3, 2, 1]);
    });

    test("a rollback leaves nothing: no item, no notification, no number, no inbox", async () => {
      await fixture.fill("ann", 1);
      const before = await fixture.inbox.counts(fixture.owner("ann"));
      const entry = fixture.entry(["ann", "bob"]);
      const rolledBack = vi.fn();
      const run = fixture.subject.transaction((tx) => inTurn(() => write(tx, entry, rolledBack), fail));
      await expect(run).rejects.toThrow(HostsOwnError);
      expect(await fixture.inbox.counts(fixture.owner("ann"))).toEqual(before);
      expect(await fixture.inbox.counts(fixture.owner("bob"))).toEqual(EMPTY_COUNTS);
      expect(await fixture.inbox.absence(fixture.owner("bob"), entry.notification.id)).toBe("unknown");
      expect((await fixture.create(["ann", "bob"])).items.map((item) => item.seq)).toEqual([2, 1]);
      // A later commit's writer has been told, so the earlier one's would have been by now.
      const committed = vi.fn();
      await fixture.subject.transaction((tx) => write(tx, fixture.entry("ann"), committed));
      await vi.waitFor(() => expect(committed).toHaveBeenCalledTimes(1), WAIT);
      expect(rolledBack).not.toHaveBeenCalled();
      expect(seqsOf(await expectTrueCounts(fixture, fixture.owner("ann")))).toEqual([3, 2, 1]);
    });

    test("a notification that was rolled back can be written again", async () => {
      const entry = fixture.entry("ann");
      await expect(fixture.subject.transaction((tx) => inTurn(() => write(tx, entry), fail))).rejects.toThrow(HostsOwnError);
      await fixture.subject.transaction((tx) => write(tx, entry));
      expect(await expectTrueCounts(fixture, fixture.owner("ann"))).toEqual([itemOf(entry.notification, { userId: "ann", seq: 1 })]);
    });

    test("others see nothing of it before the commit", async () => {
      await fixture.fill("ann", 1);
      const owner = fixture.owner("ann");
      const entry = fixture.entry("ann");
      const reads: Promise<unknown>[] = [];
      const look = () => {
        reads.push(
          Promise.resolve(fixture.inbox.list(owner, { status: "all", limit: 5 })).then((page) => seqsOf(page.items)),
          Promise.resolve(fixture.inbox.counts(owner)).then((counts) => counts.lastSeq),
          fixture.inbox.listTenant(fixture.tenant, 5).then(seqsOf),
          fixture.inbox.get(owner, entry.notification.id),
        );
      };
      await expect(fixture.subject.transaction((tx) => inTurn(() => write(tx, entry), look, fail))).rejects.toThrow(HostsOwnError);
      expect(await Promise.all(reads)).toEqual([[1], 1, [1], null]);
    });

    test("reads that start beside a transaction see all of it or nothing", async () => {
      const owner = fixture.owner("ann");
      const entries = [fixture.entry("ann"), fixture.entry("ann"), fixture.entry("ann")];
      const reads: Promise<{ items: readonly unknown[]; counts: { total: number } }>[] = [];
      const look = () => void reads.push(Promise.resolve(fixture.inbox.list(owner, { status: "all", limit: 5 })));
      await fixture.subject.transaction((tx) => inTurn(...entries.flatMap((entry) => [() => write(tx, entry), look])));
      for (const page of await Promise.all(reads)) {
        expect([0, 3]).toContain(page.items.length);
        expect(page.counts.total).toBe(page.items.length);
      }
    });

    test("an entry written twice in a transaction, or written before, is stored once, and its writer gets its number", async () => {
      const entry = fixture.entry(["ann", "bob"]);
      const told: (readonly CreatedItem[])[] = [];
      const tell = (items: readonly CreatedItem[]) => void told.push(items);
      await fixture.subject.transaction((tx) =>
        inTurn(
          () => write(tx, entry, tell),
          () => write(tx, entry, tell),
        ),
      );
      await fixture.subject.transaction((tx) => write(tx, entry, tell));
      await vi.waitFor(() => expect(told).toHaveLength(3), WAIT);
      expect(told[1]).toEqual(told[0]);
      expect(told[2]).toEqual(told[0]);
      expect((await fixture.inbox.createMany([entry]))[0]).toEqual(told[0]);
      expect(await expectTrueCounts(fixture, fixture.owner("ann"))).toHaveLength(1);
    });

    test("marks and removals after the commit apply to what it wrote", async () => {
      const entries = [fixture.entry("ann"), fixture.entry("ann")];
      const owner = fixture.owner("ann");
      await fixture.subject.transaction((tx) => inTurn(...entries.map((entry) => () => write(tx, entry))));
      await fixture.inbox.markRead(owner, [{ seq: 1 }], at(1));
      await fixture.inbox.remove(owner, [entries[1]?.notification.id ?? ""], at(2));
      expect(await fixture.inbox.counts(owner)).toMatchObject({ total: 1, unread: 0, lastSeq: 2 });
    });

    describe("refused handles", () => {
      async function expectRefused(tx: unknown): Promise<void> {
        const entry = fixture.entry("ann");
        const told = vi.fn();
        await expect((async () => write(tx, entry, told))()).rejects.toMatchObject({ name: "BelfryError", code: "WRONG_TRANSACTION" });
        expect(told).not.toHaveBeenCalled();
        expect(await fixture.inbox.counts(fixture.owner("ann"))).toEqual(EMPTY_COUNTS);
        expect(await fixture.inbox.absence(fixture.owner("ann"), entry.notification.id)).toBe("unknown");
      }

      test.each<[string, unknown]>([
        ["undefined", undefined],
        ["null", null],
        ["a text", "tx"],
        ["a number", 1],
        ["an empty object", {}],
        ["a function", () => undefined],
        ["an object that looks like a client", { query: () => Promise.resolve({ rows: [] }), execute: () => [], run: () => undefined }],
        ["an object that looks like a database", { inTransaction: true, name: "app.db", prepare: () => ({ run: () => undefined }) }],
      ])("%s", async (_, handle) => {
        await expectRefused(handle);
      });

      test("whatever else the harness names", async () => {
        for (const [name, handle] of Object.entries(fixture.subject.wrongHandles ?? {})) {
          await expect(expectRefused(handle), name).resolves.toBeUndefined();
        }
      });

      test("the handle of a transaction that was committed", async () => {
        let handle: unknown;
        await fixture.subject.transaction((tx) => {
          handle = tx;
          return write(tx, fixture.entry("bob"));
        });
        await expectRefused(handle);
      });

      test("the handle of a transaction that was rolled back", async () => {
        let handle: unknown;
        const run = fixture.subject.transaction((tx) => {
          handle = tx;
          return inTurn(() => write(tx, fixture.entry("bob")), fail);
        });
        await expect(run).rejects.toThrow(HostsOwnError);
        await expectRefused(handle);
      });

      test("an open transaction of another database", async () => {
        const entry = fixture.entry("ann");
        const run = fixture.subject.foreignTransaction((tx) => write(tx, entry));
        await expect(run).rejects.toMatchObject({ code: "WRONG_TRANSACTION" });
        expect(await fixture.inbox.counts(fixture.owner("ann"))).toEqual(EMPTY_COUNTS);
      });

      test("a refused handle does not harm the transaction that is open", async () => {
        const entry = fixture.entry("ann");
        let refusal: unknown;
        const note = (error: unknown) => {
          refusal = error;
        };
        const tryWrong = () => {
          try {
            return Promise.resolve(write({}, fixture.entry("ann"))).catch(note);
          } catch (error) {
            return note(error);
          }
        };
        await fixture.subject.transaction((tx) => inTurn(tryWrong, () => write(tx, entry)));
        expect(refusal).toMatchObject({ code: "WRONG_TRANSACTION" });
        expect(await expectTrueCounts(fixture, fixture.owner("ann"))).toHaveLength(1);
      });
    });
  });
}
