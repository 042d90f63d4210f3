import { MATCHED_AT_ONCE, type MatchingStep, seqsIn } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, range, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { expectTrueCounts } from "./recount.ts";

/** Changes of the items that match a filter. The model tries all of them; these are the steps through larger inboxes. */
export function matchingTests(harness: StorageHarness): void {
  describe("changes of matching items", () => {
    const fixture = useFixture(harness);
    const everything = {
      ...{ mark: "read", at: at(1), places: ["active", "archived", "snoozed"], filter: {} },
      ...{ after: 0, upTo: Number.MAX_SAFE_INTEGER },
    } as const satisfies MatchingStep;

    test("each step looks at 1,000 items, logs what it changed, and says where the next one begins", async () => {
      const owner = fixture.owner("ann");
      const { inbox } = fixture;
      for (const type of ["a", "b", "c"]) {
        await fixture.fill("ann", 800, { type });
      }
      const step = { ...everything, filter: { types: ["a", "c"] } };
      const first = await inbox.changeMatching(owner, step);
      expect(first).toMatchObject({ changed: 800, count: 800, next: MATCHED_AT_ONCE, counts: { total: 2_400, unread: 1_600, rev: 1 } });
      const second = await inbox.changeMatching(owner, { ...step, after: first.next ?? 0 });
      expect(second).toMatchObject({ changed: 400, next: 2 * MATCHED_AT_ONCE, counts: { unread: 1_200, rev: 2 } });
      const third = await inbox.changeMatching(owner, { ...step, after: second.next ?? 0 });
      expect(third).toMatchObject({ changed: 400, next: null, counts: { unread: 800, rev: 3 } });
      expect(await inbox.changeMatching(owner, { ...step, after: 2_000 })).toMatchObject({ changed: 0, counts: { rev: 3 } });
      const log = async () =>
        (await inbox.changesAfter(owner, 0, 9)).changes.map(({ firstRev, rev, kind, ranges }) => [firstRev, rev, kind, ranges]);
      expect(await log()).toEqual([
        [1, 1, "read", [[1, 800]]],
        [2, 2, "read", [[1_601, 2_000]]],
        [3, 3, "read", [[2_001, 2_400]]],
      ]);
      const seen = { ...everything, mark: "archived", places: ["active"] } as const;
      const { next, counts } = await inbox.changeMatching(owner, seen);
      const more = await inbox.changeMatching(owner, { ...seen, after: next ?? 0, continues: counts.rev });
      expect((await log()).slice(3)).toEqual([[4, 5, "archived", [[1, 2_000]]]]);
      await inbox.changeMatching(owner, { ...seen, after: more.next ?? 0, continues: counts.rev });
      expect((await log()).slice(4)).toEqual([[6, 6, "archived", [[2_001, 2_400]]]]);
      await expectTrueCounts(fixture, owner);
    });

    test("marking read and seen begins behind what is read by a mark of everything", async () => {
      const owner = fixture.owner("ann");
      await fixture.fill("ann", MATCHED_AT_ONCE + 5);
      await fixture.inbox.markAllRead(owner, at(0));
      await fixture.fill("ann", 5);
      expect(await fixture.inbox.changeMatching(owner, everything)).toMatchObject({ changed: 5, next: null, counts: { unread: 0 } });
      expect(await fixture.inbox.changeMatching(owner, { ...everything, mark: "archived", places: ["active"] })).toMatchObject({
        changed: MATCHED_AT_ONCE,
        next: MATCHED_AT_ONCE,
      });
      await expectTrueCounts(fixture, owner);
    });

    test("deleting what is read ends once nothing active is read any more, and looks at nothing if nothing was", async () => {
      const owner = fixture.owner("ann");
      const { inbox } = fixture;
      const read = { ...everything, mark: "deleted_read", places: ["active"] } as const;
      await fixture.fill("ann", MATCHED_AT_ONCE + 5);
      expect(await inbox.changeMatching(owner, read)).toMatchObject({ changed: 0, next: null, counts: { rev: 0 } });
      await inbox.markRead(owner, [{ seq: 2 }, { seq: 3 }, { seq: 9 }], at(0));
      await inbox.mark(owner, [{ seq: 9 }], { mark: "archived", at: at(0) });
      expect(await inbox.changeMatching(owner, read)).toMatchObject({ changed: 2, count: 2, next: null });
      await inbox.markAllRead(owner, at(1));
      await inbox.markUnread(owner, [{ seq: 5 }], at(2));
      const first = await inbox.changeMatching(owner, read);
      expect(first).toMatchObject({ changed: MATCHED_AT_ONCE - 4, next: MATCHED_AT_ONCE, counts: { total: 6, unread: 1 } });
      const last = await inbox.changeMatching(owner, { ...read, after: first.next ?? 0, continues: first.counts.rev });
      expect(last).toMatchObject({ changed: 5, next: null, counts: { total: 1, unread: 1 } });
      expect((await inbox.changesAfter(owner, 0, 9)).changes.at(-1)).toMatchObject({
        ...{ kind: "deleted_read", firstRev: first.counts.rev, rev: last.counts.rev },
        ranges: [
          [1, 1],
          [4, 4],
          [6, 8],
          [10, MATCHED_AT_ONCE + 5],
        ],
      });
      expect((await expectTrueCounts(fixture, owner)).map(({ seq }) => seq)).toEqual([5]);
      expect((await inbox.list(owner, { status: "all", place: "archived", limit: 9 })).items).toMatchObject([{ seq: 9 }]);
    });

    test("as of a moment, it finds what was in the state of its filter then, and is now", async () => {
      const owner = fixture.owner("ann");
      const { inbox } = fixture;
      const refs = (...seqs: readonly number[]) => seqs.map((seq) => ({ seq }));
      await fixture.fill("ann", 5);
      await inbox.markAllRead(owner, at(0));
      await fixture.fill("ann", 10);
      await inbox.markRead(owner, refs(6), at(0));
      await inbox.mark(owner, refs(7), { mark: "seen", at: at(0) });
      await inbox.markUnread(owner, refs(1), at(0));
      const { asOf } = await inbox.changeMatching(owner, { ...everything, mark: "archived", after: 99 });
      await inbox.markUnread(owner, refs(2, 3, 6), at(0));
      await inbox.markRead(owner, refs(1, 3, 6, 8), at(0));
      await inbox.mark(owner, refs(9), { mark: "seen", at: at(0) });
      await inbox.mark(owner, refs(7), { mark: "unseen", at: at(0) });
      const found = async (filter: MatchingStep["filter"], mark: MatchingStep["mark"] = "archived") => {
        const step = { ...everything, mark, places: ["active"], filter, upTo: 12 } as const;
        const pinned = await inbox.changeMatching(owner, { ...step, asOf });
        const { changes } = await inbox.changesAfter(owner, pinned.counts.rev - 1, 9);
        await inbox.mark(
          owner,
          range(1, 12).map((seq) => ({ seq })),
          { mark: "unarchived", at: at(0) },
        );
        return pinned.changed === 0 ? [] : seqsIn(changes[0]?.ranges ?? []);
      };
      expect(await found({ isRead: true })).toEqual([4, 5]);
      expect(await found({ isRead: false })).toEqual([7, 9, 10, 11, 12]);
      expect(await found({ isSeen: false })).toEqual([10, 11, 12]);
      // Marks of everything count from their moment as well.
      await inbox.markAllSeen(owner, at(0));
      expect(await found({ isSeen: true })).toEqual([4, 5]);
      await inbox.markAllRead(owner, at(0));
      expect(await found({ isRead: true })).toEqual([4, 5]);
      expect(await found({ isRead: false })).toEqual([]);
      expect(await found({ isRead: true }, "deleted_read")).toEqual([4, 5]);
      const begun = { ...everything, mark: "archived", filter: { isRead: true } } as const;
      expect(await inbox.changeMatching(owner, { ...begun, asOf: { ...asOf, epoch: "another" } })).toMatchObject({ changed: 0 });
      await expectTrueCounts(fixture, owner);
    });

    test("it tells which of the items that it read have deliveries, and changes nothing of an inbox that never had an item", async () => {
      const owner = fixture.owner("ann");
      await fixture.create("ann");
      const { notification } = await fixture.create(["ann", "bob"], { kind: "send" });
      expect(await fixture.inbox.changeMatching(owner, { ...everything, mark: "seen" })).toMatchObject({ changed: 2, sends: [] });
      expect(await fixture.inbox.changeMatching(owner, everything)).toMatchObject({ changed: 2, sends: [notification.id] });
      expect(await fixture.inbox.changeMatching(fixture.owner("zoe"), everything)).toMatchObject({ changed: 0, next: null, sends: [] });
    });
  });
}
