import type { CreatedItem } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { range, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { inTurn } from "../in-turn.ts";
import { expectTrueCounts } from "../inbox/recount.ts";

type Answer = readonly (readonly CreatedItem[] | null)[];

function seqs(answer: Answer | undefined): readonly unknown[] | undefined {
  return answer?.map((items) => items && seqsOf(items));
}

class HostsOwnError extends Error {}

/** Writing to inboxes that an open transaction of the host holds. */
export function busyTests(harness: StorageHarness): void {
  describe("busy inboxes", () => {
    const fixture = useFixture(harness);
    const ignore = () => undefined;

    test("entries that skipBusy leaves out are written later, and none twice", async () => {
      const entries = range(1, 60).map((number) => fixture.entry(number % 3 === 0 ? ["ann", "bob"] : number % 3 === 1 ? ["ann"] : ["bob"]));
      const write = async (start: number) => {
        const batch = entries.slice(start, start + 5);
        const answer = await fixture.inbox.createMany(batch, { skipBusy: true });
        const left = batch.filter((_, index) => answer[index] === null);
        const rest = left.length > 0 ? await fixture.inbox.createMany(left) : [];
        return [...answer.filter((items) => items !== null), ...rest];
      };
      const answers = (await Promise.all(range(0, 11).map((batch) => write(batch * 5)))).flat();
      expect(answers).toHaveLength(60);
      for (const userId of ["ann", "bob"]) {
        expect(seqsOf(await expectTrueCounts(fixture, fixture.owner(userId)))).toEqual(range(40, 1));
      }
    });

    const beside = describe.skipIf(harness.singleWriter);

    // A storage with a single writer cannot write beside an open transaction.
    beside("beside an open transaction of the host", () => {
      test.each<[string, number]>([
        ["an inbox it holds", 2],
        ["an inbox it has just made", 0],
      ])("%s is answered with null, and the others are written", async (_, before) => {
        await fixture.fill("ann", before);
        const entries = [fixture.entry("ann"), fixture.entry("bob"), fixture.entry(["ann", "bob"]), fixture.entry("cid")];
        let answer: Answer | undefined;
        await fixture.subject.transaction((tx) =>
          inTurn(
            () => fixture.inbox.createWithin(tx, fixture.entry("ann"), ignore),
            async () => {
              answer = await fixture.inbox.createMany(entries, { skipBusy: true });
            },
          ),
        );
        expect(seqs(answer)).toEqual([null, [1], null, [1]]);
        expect(await fixture.inbox.counts(fixture.owner("ann"))).toMatchObject({ total: before + 1, lastSeq: before + 1 });
        expect(seqs(await fixture.inbox.createMany(entries, { skipBusy: true }))).toEqual([[before + 2], [1], [before + 3, 2], [1]]);
        for (const userId of ["ann", "bob", "cid"]) {
          await expectTrueCounts(fixture, fixture.owner(userId));
        }
      });

      test("without skipBusy a write waits for the commit and is numbered after it", async () => {
        const waiting: Promise<Answer>[] = [];
        await fixture.subject.transaction((tx) =>
          inTurn(
            () => fixture.inbox.createWithin(tx, fixture.entry("ann"), ignore),
            () => void waiting.push(Promise.resolve(fixture.inbox.createMany([fixture.entry("ann")]))),
            () => fixture.inbox.createWithin(tx, fixture.entry("ann"), ignore),
          ),
        );
        expect((await Promise.all(waiting)).map(seqs)).toEqual([[[3]]]);
      });

      test("a write that waited for a rollback has the number that was given back", async () => {
        const waiting: Promise<Answer>[] = [];
        const run = fixture.subject.transaction((tx) =>
          inTurn(
            () => fixture.inbox.createWithin(tx, fixture.entry("ann"), ignore),
            () => void waiting.push(Promise.resolve(fixture.inbox.createMany([fixture.entry("ann")]))),
            () => {
              throw new HostsOwnError();
            },
          ),
        );
        await expect(run).rejects.toThrow(HostsOwnError);
        expect((await Promise.all(waiting)).map(seqs)).toEqual([[[1]]]);
        await expectTrueCounts(fixture, fixture.owner("ann"));
      });

      test("reads of the inbox it holds do not wait", async () => {
        await fixture.fill("ann", 1);
        const owner = fixture.owner("ann");
        const seen: number[] = [];
        await fixture.subject.transaction((tx) =>
          inTurn(
            () => fixture.inbox.createWithin(tx, fixture.entry("ann"), ignore),
            async () => {
              const page = await fixture.inbox.list(owner, { status: "all", limit: 5 });
              const [position] = await fixture.inbox.positions([owner]);
              seen.push(page.items.length, (await fixture.inbox.counts(owner)).lastSeq, position?.seq ?? 0);
            },
          ),
        );
        expect(seen).toEqual([1, 1, 1]);
      });
    });
  });
}
