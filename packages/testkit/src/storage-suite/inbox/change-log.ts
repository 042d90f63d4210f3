import type { Owner } from "@belfry/core";
import { FORGOTTEN_AT_ONCE, type LoggedChange, MAX_LOGGED_CHANGES, MAX_LOGGED_RANGES, seqsIn } from "@belfry/core/storage";
import { describe, expect, onTestFinished, test } from "vitest";
import { at, type Fixture, range, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { eraseAll, exportAll, removeRead, sweepAll } from "../steps.ts";
import { expectTrueCounts } from "./recount.ts";

const NAMED = { upToSeq: null, group: null, until: null };
const EVERYTHING = 10_000;

function refs(...seqs: readonly number[]): readonly { readonly seq: number }[] {
  return seqs.map((seq) => ({ seq }));
}

/** A line of a log, with the numbers of its items instead of their ranges. */
export interface LoggedLine extends Omit<LoggedChange, "ranges" | "firstRev" | "openUntil" | "count"> {
  readonly seqs: readonly number[] | null;
}

/** The lines of a log. Those of one change each, as most are. */
export function linesOf(changes: readonly LoggedChange[]): readonly LoggedLine[] {
  return changes.map(({ ranges, firstRev: _, openUntil: __, count: ___, ...line }) => ({
    ...line,
    seqs: ranges === null ? null : seqsIn(ranges),
  }));
}

/** The inbox's whole log, which has to have a line for each change that `rev` counts. */
async function wholeLog({ inbox }: Pick<Fixture, "inbox">, owner: Owner): Promise<readonly LoggedLine[]> {
  const { changes, counts } = await inbox.changesAfter(owner, 0, EVERYTHING);
  expect(changes.map(({ rev }) => rev)).toEqual(counts.rev === 0 ? [] : range(1, counts.rev));
  expect(changes.map(({ firstRev }) => firstRev)).toEqual(changes.map(({ rev }) => rev));
  return linesOf(changes);
}

/** The log of an inbox's changes. */
export function changeLogTests(harness: StorageHarness): void {
  describe("the log of changes", () => {
    const fixture = useFixture(harness);
    const owner = () => fixture.owner("ann");

    test("each call that changes something is one line, with the numbers it changed and the inbox's last number", async () => {
      const { inbox } = fixture;
      await fixture.fill("ann", 3);
      const ann = owner();
      await inbox.markRead(ann, refs(3, 1), at(1));
      await inbox.markRead(ann, refs(3, 2), at(2));
      await inbox.markUnread(ann, refs(1, 2, 9), at(3));
      await fixture.fill("ann", 2);
      await inbox.mark(ann, refs(4), { mark: "seen", at: at(4) });
      await inbox.mark(ann, refs(5), { mark: "snoozed", at: at(5), until: at(9) });
      await inbox.markAllSeen(ann, at(6));
      await inbox.applyDue(ann, at(9));
      await inbox.mark(ann, refs(2), { mark: "archived", at: at(10) });
      await inbox.remove(ann, refs(1), at(11));
      await inbox.markAllRead(ann, at(12));
      await removeRead(inbox, ann, at(13));
      await fixture.fill("ann", 1);
      await inbox.mark(ann, refs(6), { mark: "expired", at: at(14) });
      expect(await wholeLog(fixture, ann)).toEqual([
        { ...NAMED, rev: 1, lastSeq: 3, kind: "read", seqs: [1, 3], at: at(1) },
        { ...NAMED, rev: 2, lastSeq: 3, kind: "read", seqs: [2], at: at(2) },
        { ...NAMED, rev: 3, lastSeq: 3, kind: "unread", seqs: [1, 2], at: at(3) },
        { ...NAMED, rev: 4, lastSeq: 5, kind: "seen", seqs: [4], at: at(4) },
        { ...NAMED, rev: 5, lastSeq: 5, kind: "snoozed", seqs: [5], at: at(5), until: at(9) },
        { ...NAMED, rev: 6, lastSeq: 5, kind: "seen_all", seqs: null, upToSeq: 5, at: at(6) },
        { ...NAMED, rev: 7, lastSeq: 5, kind: "woken", seqs: [5], at: at(9) },
        { ...NAMED, rev: 8, lastSeq: 5, kind: "archived", seqs: [2], at: at(10) },
        { ...NAMED, rev: 9, lastSeq: 5, kind: "deleted", seqs: [1], at: at(11) },
        { ...NAMED, rev: 10, lastSeq: 5, kind: "read_all", seqs: null, upToSeq: 5, at: at(12) },
        { ...NAMED, rev: 11, lastSeq: 5, kind: "deleted_read", seqs: [3, 4, 5], at: at(13) },
        { ...NAMED, rev: 12, lastSeq: 6, kind: "expired", seqs: [6], at: at(14) },
      ]);
    });

    test("a call that changes nothing, a create and a change of another inbox are no line", async () => {
      const { inbox } = fixture;
      await fixture.fill("ann", 2);
      await fixture.fill("bob", 1);
      const ann = owner();
      expect(await inbox.changesAfter(fixture.owner("nobody"), 0, 9)).toMatchObject({ changes: [], counts: { rev: 0 } });
      await inbox.markRead(ann, refs(1), at(1));
      for (const _again of range(1, 2)) {
        await inbox.markRead(ann, refs(1, 7), at(2));
        await inbox.mark(ann, refs(2), { mark: "unpinned", at: at(2) });
        await inbox.markAllRead(fixture.owner("bob"), at(2));
      }
      await fixture.fill("ann", 1);
      expect(await wholeLog(fixture, ann)).toMatchObject([{ rev: 1, kind: "read", seqs: [1] }]);
      expect(await wholeLog(fixture, fixture.owner("bob"))).toMatchObject([{ kind: "read_all", upToSeq: 1 }]);
    });

    test("a notification that is deleted, or items that are swept, are lines of every inbox that had them", async () => {
      const { notification } = await fixture.create(["ann", "bob"]);
      const [ann, bob] = [owner(), fixture.owner("bob")];
      await fixture.fill("ann", 2);
      await fixture.inbox.mark(bob, refs(1), { mark: "archived", at: at(1) });
      await fixture.storage.activity.deleteNotification(fixture.tenant, notification.id, { at: at(2), actor: "host", limit: 10 });
      await fixture.inbox.markRead(ann, refs(2), at(3));
      const kept = { at: at(4), readBefore: at(1_000_000), unreadBefore: new Date(0), types: {} };
      await sweepAll((after) => fixture.inbox.sweep(kept, { after, limit: 10 }));
      expect(await wholeLog(fixture, ann)).toMatchObject([
        { kind: "deleted", seqs: [1], at: at(2) },
        { kind: "read", seqs: [2] },
        { kind: "deleted", seqs: [2], at: at(4) },
      ]);
      expect(await wholeLog(fixture, bob)).toMatchObject([{ kind: "archived" }, { kind: "deleted", seqs: [1], at: at(2) }]);
    });

    test("a change of many items names ranges of them, and none of items that are too scattered", async () => {
      const ann = owner();
      const seqs = range(1, 2 * MAX_LOGGED_RANGES + 2);
      const odd = seqs.filter((seq) => seq % 2 === 1);
      await fixture.fill("ann", seqs.length);
      await fixture.inbox.mark(ann, refs(...odd.slice(1)), { mark: "seen", at: at(1) });
      await fixture.inbox.markRead(ann, refs(...seqs), at(2));
      await fixture.inbox.markUnread(ann, refs(...odd), at(3));
      await fixture.inbox.remove(ann, refs(...seqs.filter((seq) => seq % 2 === 0)), at(4));
      const [seen, read, unread, removed] = await wholeLog(fixture, ann);
      expect(seen).toEqual({ ...NAMED, rev: 1, lastSeq: seqs.length, kind: "seen", seqs: odd.slice(1), at: at(1) });
      expect(read).toEqual({ ...NAMED, rev: 2, lastSeq: seqs.length, kind: "read", seqs, at: at(2) });
      expect([unread?.seqs, removed?.seqs]).toEqual([null, null]);
    });

    test("steps of one call are one line, as long as no other change comes between them", async () => {
      const ann = owner();
      const { inbox } = fixture;
      await fixture.fill("ann", 12);
      const pin = async (seqs: readonly number[], continues?: number) => {
        const { counts } = await inbox.mark(ann, refs(...seqs), {
          mark: "pinned",
          at: at(1),
          ...(continues === undefined ? {} : { continues }),
        });
        return counts.rev;
      };
      const log = async (after = 0) => {
        const { changes } = await inbox.changesAfter(ann, after, EVERYTHING);
        return changes.map(({ firstRev, rev, kind, ranges }) => [firstRev, rev, kind, ranges]);
      };
      await fixture.fill("ann", 1);
      const second = await pin([3], await pin([1, 2]));
      expect(second).toBe(2);
      expect(await inbox.changesAfter(ann, 1, 9)).toMatchObject({ changes: [{ firstRev: 1, rev: 2, lastSeq: 13 }] });
      await pin([5, 7], second);
      const one = [1, 3, "pinned", [[1, 3], [5, 5], [7, 7]]]; // biome-ignore format: a list of ranges
      expect([await log(), await log(1), await log(3)]).toEqual([[one], [one], []]);
      // Another change came between, and then one of another kind, time or inbox.
      await inbox.markRead(ann, refs(1), at(1));
      await pin([8], 3);
      await inbox.mark(ann, refs(9), { mark: "archived", at: at(1), continues: 5 });
      await inbox.mark(ann, refs(10), { mark: "archived", at: at(2), continues: 6 });
      await inbox.mark(ann, refs(11), { mark: "archived", at: at(2), continues: 7 });
      // This one changes nothing.
      await inbox.mark(ann, refs(11), { mark: "archived", at: at(2), continues: 8 });
      expect(await log()).toEqual([
        one,
        [4, 4, "read", [[1, 1]]],
        [5, 5, "pinned", [[8, 8]]],
        [6, 6, "archived", [[9, 9]]],
        [7, 8, "archived", [[10, 11]]],
      ]);
    });

    test("steps that together have too many ranges name none", async () => {
      const ann = owner();
      await fixture.fill("ann", 2 * MAX_LOGGED_RANGES + 5);
      const odd = range(1, MAX_LOGGED_RANGES).map((number) => 2 * number - 1);
      const pin = (seqs: readonly number[], continues?: number) =>
        fixture.inbox.mark(ann, refs(...seqs), { mark: "pinned", at: at(1), ...(continues === undefined ? {} : { continues }) });
      await pin(odd);
      await pin([2 * MAX_LOGGED_RANGES + 1], 1);
      await pin([2 * MAX_LOGGED_RANGES + 2], 2);
      expect((await fixture.inbox.changesAfter(ann, 0, 9)).changes).toMatchObject([{ firstRev: 1, rev: 3, ranges: null }]);
    });

    test("an inbox keeps its newest changes, and those that are young enough", async () => {
      const ann = owner();
      await fixture.fill("ann", 1);
      const many = MAX_LOGGED_CHANGES + 5;
      for (const number of range(1, many)) {
        await fixture.inbox.mark(ann, refs(1), { mark: number % 2 === 0 ? "unpinned" : "pinned", at: at(number) });
      }
      const kept = async () => (await fixture.inbox.changesAfter(ann, 0, EVERYTHING)).changes.map(({ rev }) => rev);
      const oldest = many - (many % FORGOTTEN_AT_ONCE) - MAX_LOGGED_CHANGES + FORGOTTEN_AT_ONCE + 1;
      expect(await kept()).toEqual(range(oldest, many));
      await sweepAll((after) => fixture.inbox.sweepChanges(at(many - 2), { after, limit: 300 }));
      expect(await kept()).toEqual(range(many - 2, many));
      expect(await fixture.inbox.changesAfter(ann, many, 9)).toMatchObject({ changes: [], counts: { rev: many } });
    });

    test("it is read and exported in parts, and erased with its inbox", async () => {
      const ann = owner();
      await fixture.fill("ann", 5);
      for (const seq of range(1, 5)) {
        await fixture.inbox.markRead(ann, refs(seq), at(seq));
      }
      const all = await wholeLog(fixture, ann);
      expect(linesOf((await fixture.inbox.changesAfter(ann, 1, 2)).changes)).toEqual(all.slice(1, 3));
      const exported = await exportAll((after) => fixture.inbox.exportChanges(ann, { after, limit: 2 }));
      expect(exported.map(linesOf)).toEqual([all.slice(0, 2), all.slice(2, 4), all.slice(4)]);
      await eraseAll(() => fixture.inbox.erase(ann, 3));
      await fixture.fill("ann", 1);
      expect(await wholeLog(fixture, ann)).toEqual([]);
    });

    test("changes by several processes at once are numbered without gaps, in the order in which a reader sees them", async () => {
      const ann = owner();
      await fixture.fill("ann", 40);
      const another = await fixture.subject.another?.();
      onTestFinished(() => another?.close());
      const changers = [fixture.inbox, another?.inbox ?? fixture.inbox];
      let isChanging = true;
      const changed: number[] = [];
      const work = range(1, 40).flatMap((seq) =>
        changers.map(async (inbox, index) => {
          const change = await inbox.markRead(ann, refs(seq, (seq % 40) + 1), at(index));
          changed.push(...change.changed);
          await (seq % 10 === 0 ? inbox.markAllSeen(ann, at(seq)) : inbox.mark(ann, refs(seq), { mark: "pinned", at: at(seq) }));
        }),
      );
      const all = Promise.all(work).finally(() => {
        isChanging = false;
      });
      const seen: LoggedLine[] = [];
      for (let again = true; again; ) {
        again = isChanging;
        // Reads of SQLite wait for nothing: the changes get their turns here.
        await new Promise((resolve) => setImmediate(resolve));
        const { changes, counts } = await fixture.inbox.changesAfter(ann, seen.length, 20);
        seen.push(...linesOf(changes));
        expect(seen.map(({ rev }) => rev)).toEqual(seen.length === 0 ? [] : range(1, seen.length));
        expect(counts.rev).toBeGreaterThanOrEqual(seen.length);
      }
      await all;
      const log = await wholeLog(fixture, ann);
      expect(log.slice(0, seen.length)).toEqual(seen);
      const named = (kind: string) =>
        log.flatMap((line) => (line.kind === kind ? (line.seqs ?? []) : [])).toSorted((one, other) => one - other);
      expect(changed.toSorted((one, other) => one - other)).toEqual(range(1, 40));
      expect(named("read")).toEqual(range(1, 40));
      const pinned = (await expectTrueCounts(fixture, ann)).filter(({ pinnedAt }) => pinnedAt !== null);
      expect(named("pinned")).toEqual(seqsOf(pinned).toReversed());
    });
  });
}
