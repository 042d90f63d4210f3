import { NotificationService } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import { describe, expect, onTestFinished, test } from "vitest";
import { LogBook } from "../../http-suite/log-book.ts";
import { at, range, seqsOf, sortBytewise, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { expectTrueCounts } from "../inbox/recount.ts";
import { removeRead } from "../steps.ts";

/** Two storages over one database, as in two processes of a host, give the same result as one. */
export function processTests(harness: StorageHarness): void {
  describe("two storages over one database", () => {
    const fixture = useFixture(harness);

    /** Runs `work` with the fixture's storage and another over the same data; answers whether there is another. */
    async function withAnother(work: (storages: readonly [Storage, Storage]) => Promise<void>): Promise<boolean> {
      const other = await fixture.subject.another?.();
      if (!other) {
        return false;
      }
      try {
        await work([fixture.storage, other]);
      } finally {
        await other.close();
      }
      return true;
    }

    const reason = "only one process can use the storage";

    test("each reads the other's writes", async (context) => {
      const owner = fixture.owner("ann");
      const ran = await withAnother(async ([one, other]) => {
        await one.inbox.createMany([fixture.entry("ann"), fixture.entry("ann")]);
        await other.inbox.markRead(owner, [{ seq: 1 }], at(1));
        await one.inbox.remove(owner, [{ seq: 2 }], at(2));
        expect(await other.inbox.counts(owner)).toEqual(await one.inbox.counts(owner));
        expect(await one.inbox.counts(owner)).toMatchObject({ total: 1, unread: 0, lastSeq: 2 });
      });
      context.skip(!ran, reason);
    });

    test("both number one inbox without a gap", async (context) => {
      const ran = await withAnother(async (storages) => {
        const calls = range(1, 100).map((number) => storages[number % 2 === 0 ? 0 : 1].inbox.createMany([fixture.entry(["ann", "bob"])]));
        const seqs = (await Promise.all(calls)).flat().map((items) => items?.[0]?.seq ?? 0);
        expect(seqs.toSorted((left, right) => left - right)).toEqual(range(1, 100));
        for (const userId of ["ann", "bob"]) {
          expect(seqsOf(await expectTrueCounts(fixture, fixture.owner(userId)))).toEqual(range(100, 1));
        }
      });
      context.skip(!ran, reason);
    });

    test("one entry written by both is written once", async (context) => {
      const ran = await withAnother(async (storages) => {
        const entry = fixture.entry(["ann", "bob"]);
        const answers = await Promise.all(range(0, 9).map((number) => storages[number % 2 === 0 ? 0 : 1].inbox.createMany([entry])));
        expect(answers).toEqual(answers.map(() => answers[0]));
        expect(await expectTrueCounts(fixture, fixture.owner("bob"))).toHaveLength(1);
      });
      context.skip(!ran, reason);
    });

    test("marks and removals of both count once", async (context) => {
      const owner = fixture.owner("ann");
      const ran = await withAnother(async (storages) => {
        await fixture.fill("ann", 60);
        const changes = range(1, 60).map(async (number) => {
          const { inbox } = storages[number % 2 === 0 ? 0 : 1];
          const { changed } = await inbox.markRead(owner, [{ seq: number }, { seq: Math.ceil(number / 2) }], at(number));
          const swept = number % 20 === 0 ? await inbox.markAllRead(owner, at(number)) : { count: 0 };
          return changed.size + swept.count;
        });
        expect((await Promise.all(changes)).reduce((sum, count) => sum + count, 0)).toBe(60);
        expect(await fixture.inbox.counts(owner)).toMatchObject({ total: 60, unread: 0 });
        const sweeps = await Promise.all([...storages, ...storages].map(({ inbox }) => removeRead(inbox, owner, at(100))));
        expect(sweeps.reduce((sum, { count }) => sum + count, 0)).toBe(60);
        expect(await fixture.inbox.counts(owner)).toMatchObject({ total: 0, unread: 0, lastSeq: 60 });
      });
      context.skip(!ran, reason);
    });

    test("both take up a fan-out and write each chunk once", async (context) => {
      const ran = await withAnother(async (storages) => {
        const users = sortBytewise(range(1, 30).map((number) => `user ${number}`));
        await fixture.inbox.createFanOut(fixture.entry(users), 2);
        const reached: string[] = [];
        const work = async ({ inbox }: Storage) => {
          for (let chunk = await inbox.fanOutNext(at(1)); chunk; chunk = await inbox.fanOutNext(at(1))) {
            reached.push(...chunk.items.map((item) => item.userId));
          }
        };
        await Promise.all(storages.map(work));
        // One may have left because the other held the last chunk.
        await work(storages[0]);
        expect(sortBytewise(reached)).toEqual(users);
      });
      context.skip(!ran, reason);
    });

    test("who follows an inbox in a process is told of an item of a large create, and of no gap", async (context) => {
      // Without a transport of the storage, no other process hears of it.
      const processes = range(1, fixture.storage.transport ? 2 : 1);
      const storages = await Promise.all(processes.map(() => fixture.subject.another?.()));
      const services = storages.flatMap((storage) => (storage ? [new NotificationService({ storage, logger: new LogBook() })] : []));
      context.skip(services.length === 0, reason);
      onTestFinished(async () => {
        await Promise.all(services.map((service) => service.stop()));
      });
      const told: string[] = [];
      const followers = services.map((service, at) =>
        service
          .tenant(fixture.tenant)
          .inbox("user 7")
          .subscribe({
            onEvent: ({ change, seq }) => void told.push(`${at} ${change} ${seq}`),
            onState: (recovered) => void told.push(`${at} recovered ${recovered}`),
          }),
      );
      await Promise.all(followers.map(({ ready }) => ready));
      const users = range(1, 6_000).map((number) => `user ${number}`);
      await services[0]?.tenant(fixture.tenant).create({ to: users, title: "Maintenance" });
      await expect.poll(() => told.toSorted(), { timeout: 60_000 }).toEqual(services.map((_, at) => `${at} created 1`));
    });
  });
}
