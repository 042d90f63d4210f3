import type { Owner } from "@belfry/core";
import type { MatchingChange, MatchingStep } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, itemOf, range, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { exportAll, removeRead, sweepAll } from "../steps.ts";
import { linesOf } from "./change-log.ts";
import { expectTrueCounts } from "./recount.ts";

/** More than a step looks at. */
const MANY = 1_100;
const AT_ONCE = 1_000;
const UP_TO = Number.MAX_SAFE_INTEGER;

/** The promises of `removeRead` for many items, where a storage need not change each of them. */
export function removingAtOnceTests(harness: StorageHarness): void {
  describe("removing many that are read", () => {
    const fixture = useFixture(harness);
    const owner = () => fixture.owner("ann");

    /** Fills an inbox with items that a mark has read. */
    const fillRead = async (): Promise<Owner> => {
      const entries = await fixture.fill("ann", MANY);
      expect(entries).toHaveLength(MANY);
      await fixture.inbox.markAllRead(owner(), at(1));
      return owner();
    };
    const firstStep = (of: Owner, second: number, step: Partial<MatchingStep> = {}): Promise<MatchingChange> =>
      fixture.inbox.changeMatching(of, {
        ...{ mark: "deleted_read", at: at(second), places: ["active"], filter: { isRead: true }, after: 0, upTo: UP_TO },
        ...step,
      });
    const settleAll = (look?: () => Promise<unknown>) => sweepAll((after) => fixture.inbox.settleRemoved({ after, limit: 400 }), look);

    test("all that a mark has read goes in one step, what was read singly above it in the next, and the log names all in one line", async () => {
      const ann = await fillRead();
      await fixture.inbox.remove(ann, [{ seq: 5 }], at(2));
      await fixture.fill("ann", 3);
      await fixture.inbox.markRead(ann, [{ seq: MANY + 2 }], at(2));
      const { rev } = await fixture.inbox.counts(ann);
      const first = await firstStep(ann, 3, { openUntil: at(9) });
      expect(first).toMatchObject({
        changed: MANY - 1,
        count: MANY - 1,
        next: MANY,
        counts: { total: 3, unread: 2, rev: rev + 1 },
        sends: [],
      });
      const { asOf } = first;
      const second = await firstStep(ann, 3, { after: MANY, asOf, continues: rev + 1 });
      expect(second).toMatchObject({ changed: 1, count: 1, next: null, counts: { total: 2, unread: 2, rev: rev + 2 } });
      const { changes } = await fixture.inbox.changesAfter(ann, rev, 5);
      expect(changes).toMatchObject([{ kind: "deleted_read", rev: rev + 2, firstRev: rev + 1, openUntil: null, count: MANY }]);
      expect(linesOf(changes)[0]?.seqs).toEqual([...range(1, MANY), MANY + 2]);
      expect(seqsOf(await expectTrueCounts(fixture, ann))).toEqual([MANY + 3, MANY + 1]);
    });

    test("nobody finds the items any more, before and while a sweep settles them, and after it", async () => {
      const [notification] = await fixture.fill("ann", 1, { replaceKey: "key" });
      const ann = await fillRead();
      const [newest] = await fixture.fill("ann", 1);
      expect(await removeRead(fixture.inbox, ann, at(3))).toMatchObject({ count: MANY + 1, counts: { total: 1, unread: 1 } });
      const counts = await fixture.inbox.counts(ann);
      const { inbox } = fixture;
      const look = async () => {
        expect(seqsOf(await expectTrueCounts(fixture, ann))).toEqual([MANY + 2]);
        expect(await inbox.get(ann, { seq: 1 })).toBe(null);
        expect(await inbox.get(ann, { seq: 1 }, { includeDeleted: true })).toMatchObject({ seq: 1, readAt: at(1) });
        expect(await inbox.absence(ann, { seq: 1 })).toBe("deleted");
        expect(await inbox.absence(ann, notification?.id ?? "")).toBe("deleted");
        expect(seqsOf((await inbox.listAfter(ann, 0, { limit: 5, bytes: 1_000_000 })).items)).toEqual([MANY + 2]);
        expect(await inbox.listTenant(fixture.tenant, 5)).toEqual([newest && itemOf(newest, { userId: "ann", seq: MANY + 2 })]);
        expect(await inbox.ownersOf(fixture.tenant, notification?.id ?? "", { after: "", limit: 5 })).toEqual({ users: [], next: null });
        const { tallies } = await inbox.tally(ann, { places: ["active"], withPriorities: false, limit: UP_TO });
        expect(tallies.active).toMatchObject([{ count: 1, isRead: false }]);
        const activity = await fixture.storage.activity.itemsOf(fixture.tenant, notification?.id ?? "", 5);
        expect(activity).toMatchObject({ items: [], total: 0, read: 0 });
        for (const mark of ["unread", "archived", "pinned", "deleted"] as const) {
          expect((await inbox.mark(ann, [{ seq: 2 }], { mark, at: at(4) })).items).toEqual([]);
        }
        const exported = (await exportAll((after) => inbox.export(ann, { after, limit: 500 }))).flat();
        expect(exported.map(({ deletedAt }) => deletedAt)).toEqual([...range(1, MANY + 1).map(() => at(3)), null]);
        expect(await inbox.counts(ann)).toEqual(counts);
      };
      await look();
      let steps = 0;
      await settleAll(async () => {
        steps += 1;
        await (steps === 2 ? look() : undefined);
      });
      expect(steps).toBeGreaterThan(3);
      await look();
      expect((await fixture.create("ann", { replaceKey: "key" })).items).toMatchObject([{ seq: MANY + 3 }]);
      expect(seqsOf(await expectTrueCounts(fixture, ann))).toEqual([MANY + 3, MANY + 2]);
    });

    test("retention, erasing a notification and erasing the inbox count nothing twice", async () => {
      const [notification] = await fixture.fill("ann", 1);
      const ann = await fillRead();
      await fixture.fill("ann", 2);
      await removeRead(fixture.inbox, ann, at(3));
      await fixture.storage.activity.deleteNotification(fixture.tenant, notification?.id ?? "", {
        at: at(4),
        actor: "operator",
        limit: 10,
      });
      expect(await fixture.inbox.counts(ann)).toMatchObject({ total: 2, unread: 2 });
      const before = { readBefore: at(2 * MANY), unreadBefore: at(0) };
      await sweepAll((after) => fixture.inbox.sweep({ at: at(5), ...before, types: {} }, { after, limit: 500 }));
      expect(await fixture.inbox.counts(ann)).toMatchObject({ total: 2, unread: 2 });
      expect(seqsOf(await expectTrueCounts(fixture, ann))).toEqual([MANY + 3, MANY + 2]);
      await settleAll();
      expect(seqsOf(await expectTrueCounts(fixture, ann))).toEqual([MANY + 3, MANY + 2]);
    });

    test("more that are read later go, too, whether a sweep has settled the first ones or not", async () => {
      const ann = await fillRead();
      await removeRead(fixture.inbox, ann, at(3));
      await fillRead();
      // The first ones are not settled.
      expect(await removeRead(fixture.inbox, ann, at(4))).toMatchObject({ count: MANY, counts: { total: 0 } });
      await settleAll();
      await fillRead();
      expect(await firstStep(ann, 5)).toMatchObject({ changed: MANY, next: null, counts: { total: 0 } });
      await expectTrueCounts(fixture, ann);
      await settleAll();
      await expectTrueCounts(fixture, ann);
    });

    test.each([
      [
        "marked unread and read again",
        async (ann: Owner) => {
          await fixture.inbox.markUnread(ann, [{ seq: 7 }], at(2));
          await fixture.inbox.markRead(ann, [{ seq: 7 }], at(2));
        },
      ],
      ["archived", (ann: Owner) => fixture.inbox.mark(ann, [{ seq: 7 }], { mark: "archived", at: at(2) })],
      ["snoozed", (ann: Owner) => fixture.inbox.mark(ann, [{ seq: 7 }], { mark: "snoozed", at: at(2), until: at(99_999) })],
      ["in a group", () => fixture.create("ann", { group: "a group" })],
    ])("one that is %s has the others go row by row", async (name, change) => {
      await settleAll();
      const ann = await fillRead();
      await change(ann);
      expect(await firstStep(ann, 3)).toMatchObject({
        changed: name === "archived" || name === "snoozed" ? AT_ONCE - 1 : AT_ONCE,
        next: AT_ONCE,
      });
      await removeRead(fixture.inbox, ann, at(4));
      await expectTrueCounts(fixture, ann);
      expect(await fixture.inbox.settleRemoved({ after: null, limit: 10 })).toEqual({ removed: 0, next: null });
    });

    test("one that is archived comes back, read, and one that wakes is unread", async () => {
      const ann = await fillRead();
      await fixture.fill("ann", 2);
      await fixture.inbox.markAllRead(ann, at(2));
      await fixture.inbox.mark(ann, [{ seq: MANY + 1 }], { mark: "archived", at: at(3) });
      await fixture.inbox.mark(ann, [{ seq: MANY + 2 }], { mark: "snoozed", at: at(3), until: at(9) });
      expect(await firstStep(ann, 4)).toMatchObject({ changed: MANY, next: null });
      await fixture.inbox.mark(ann, [{ seq: MANY + 1 }], { mark: "unarchived", at: at(5) });
      await fixture.inbox.applyDue(ann, at(9));
      const items = await expectTrueCounts(fixture, ann);
      expect(items.map(({ seq, readAt }) => [seq, readAt])).toEqual([
        [MANY + 2, null],
        [MANY + 1, at(2)],
      ]);
    });

    test("a deletion that looks at a part of the inbox, or for some of what is read, leaves the rest", async () => {
      const ann = await fillRead();
      expect(await firstStep(ann, 3, { upTo: 5 })).toMatchObject({ changed: 5 });
      expect(await firstStep(ann, 4, { filter: { isRead: true, isPinned: true } })).toMatchObject({ changed: 0 });
      expect(await firstStep(ann, 5, { after: MANY - 1 })).toMatchObject({ changed: 1 });
      expect(await fixture.inbox.counts(ann)).toMatchObject({ total: MANY - 6 });
      await expectTrueCounts(fixture, ann);
    });
  });
}
