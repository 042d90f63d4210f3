import { type AuditAction, type RetryRun, uuidV7 } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { at, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";

const NOBODY = "00000000-0000-0000-0000-000000000000";

/** The promises of retry runs. */
export function retryRunTests(harness: StorageHarness): void {
  describe("retry runs", () => {
    const fixture = useFixture(harness);
    const ids = uuidV7({ now: () => at(1).getTime(), after: () => () => undefined });
    const runs = () => fixture.storage.retryRuns;

    const lineOf = ({ id }: Pick<RetryRun, "id">) =>
      ({ action: "retries_started", actor: "eve", notificationId: NOBODY, targetKind: "retry_run", targetId: id }) as const;
    const line = lineOf({ id: NOBODY });

    /** Writes a run of the test's tenant. */
    async function add(change: Partial<RetryRun> = {}): Promise<RetryRun> {
      const filter = { channel: "email", recipient: "ann", from: at(1), before: at(2), state: "failed" } as const;
      const counts = { matched: 7, looked: 0, retried: 0 };
      const run: RetryRun = {
        id: ids.next(),
        filter,
        actor: "eve",
        state: "running",
        ...counts,
        createdAt: at(10),
        endedAt: null,
        ...change,
      };
      expect(await runs().add(fixture.tenant, run, { most: 100, line: lineOf(run) })).toBe(true);
      return run;
    }

    /** Ends what other tests left, so that the next one taken is this test's. */
    async function takeOthers(): Promise<void> {
      const end = { after: null, retried: false, isOver: true, leaseMs: 0, at: at(1) };
      for (let left = await runs().take(at(1_000_000), 1); left !== null; left = await runs().take(at(1_000_000), 1)) {
        await runs().advance(left, end);
      }
    }

    test("they are kept as written, newest first, each for its tenant", async () => {
      await takeOthers();
      const [first, second] = [await add(), await add({ filter: {}, actor: "bob" })];
      expect(await runs().list(fixture.tenant, 10)).toEqual([second, first]);
      expect(await runs().list(fixture.tenant, 1)).toEqual([second]);
      expect(await runs().find(fixture.tenant, first.id)).toEqual(first);
      fixture.nextTenant();
      expect([await runs().list(fixture.tenant, 10), await runs().find(fixture.tenant, first.id)]).toEqual([[], null]);
      expect(await runs().move(fixture.tenant, first.id, { from: ["running"], to: "cancelled", at: at(11), line })).toBe(false);
    });

    test("each change that is made has its line in the audit log, and one that is not made has none", async () => {
      await takeOthers();
      const run = await add();
      const change = (action: AuditAction) => ({ ...lineOf(run), action, details: action });
      const paused = { from: ["running"], to: "paused", at: at(11), line: change("retries_paused") } as const;
      expect(await runs().move(fixture.tenant, run.id, paused)).toBe(true);
      expect(await runs().move(fixture.tenant, run.id, paused)).toBe(false);
      const lines = await fixture.storage.deliveries.listAudit(fixture.tenant, { limit: 10, targetId: run.id });
      expect(lines).toMatchObject([
        { action: "retries_paused", actor: "eve", at: at(11), targetKind: "retry_run", details: "retries_paused" },
        { action: "retries_started", at: at(10), details: null },
      ]);
      expect(lines).toHaveLength(2);
    });

    test("one is taken by one at a time, goes on where it was, and is finished once", async () => {
      await takeOthers();
      const run = await add();
      expect(await runs().nextDueInMs(at(4))).toBe(6_000);
      expect(await runs().take(at(9), 30_000)).toBeNull();
      const taken = await runs().take(at(10), 30_000);
      expect(taken).toMatchObject({ ...run, tenant: fixture.tenant, after: null });
      expect([await runs().take(at(39), 1_000), await runs().nextDueInMs(at(30))]).toEqual([null, 10_000]);
      if (taken === null) {
        return;
      }
      const step = { leaseMs: 30_000, isOver: false };
      expect(await runs().advance(taken, { ...step, after: run.id, retried: true, at: at(20) })).toBe(true);
      expect(await runs().advance(taken, { ...step, after: run.id, retried: false, at: at(21) })).toBe(true);
      // Its process says nothing for longer than its lease.
      const again = await runs().take(at(51), 30_000);
      expect(again).toMatchObject({ looked: 2, retried: 1, after: run.id });
      expect(await runs().advance(taken, { ...step, after: null, retried: true, at: at(52) })).toBe(false);
      expect(await runs().advance(again ?? taken, { after: null, retried: false, isOver: true, leaseMs: 0, at: at(53) })).toBe(true);
      const ended = { ...run, looked: 2, retried: 1, state: "finished", endedAt: at(53) };
      expect(await runs().find(fixture.tenant, run.id)).toEqual(ended);
      expect([await runs().take(at(999), 1), await runs().nextDueInMs(at(60))]).toEqual([null, null]);
      expect(await runs().move(fixture.tenant, run.id, { from: ["running", "paused"], to: "cancelled", at: at(60), line })).toBe(false);
    });

    test("a paused one is nobody's until it goes on, and a cancelled one has ended", async () => {
      await takeOthers();
      const run = await add();
      const taken = await runs().take(at(10), 30_000);
      const step = { after: run.id, retried: true, isOver: false, leaseMs: 30_000 };
      expect(await runs().move(fixture.tenant, run.id, { from: ["running"], to: "paused", at: at(11), line })).toBe(true);
      expect(await runs().move(fixture.tenant, run.id, { from: ["running"], to: "paused", at: at(11), line })).toBe(false);
      expect(taken === null || (await runs().advance(taken, { ...step, at: at(12) }))).toBe(false);
      expect([await runs().take(at(999), 1), await runs().nextDueInMs(at(12))]).toEqual([null, null]);
      expect(await runs().move(fixture.tenant, run.id, { from: ["paused"], to: "running", at: at(13), line })).toBe(true);
      expect(await runs().take(at(13), 30_000)).toMatchObject({ id: run.id, looked: 0 });
      expect(await runs().move(fixture.tenant, run.id, { from: ["running", "paused"], to: "cancelled", at: at(14), line })).toBe(true);
      expect(await runs().find(fixture.tenant, run.id)).toMatchObject({ state: "cancelled", endedAt: at(14) });
    });

    test("no more are written than may be open, and those of others do not count", async () => {
      await takeOthers();
      const [running, paused] = [await add(), await add()];
      await runs().move(fixture.tenant, paused.id, { from: ["running"], to: "paused", at: at(11), line });
      const third: RetryRun = { ...running, id: ids.next() };
      expect([
        await runs().add(fixture.tenant, third, { most: 2, line: lineOf(third) }),
        await runs().find(fixture.tenant, third.id),
      ]).toEqual([false, null]);
      await runs().move(fixture.tenant, paused.id, { from: ["paused"], to: "cancelled", at: at(12), line });
      expect([
        await runs().add(fixture.tenant, third, { most: 2, line: lineOf(third) }),
        await runs().find(fixture.tenant, third.id),
      ]).toEqual([true, third]);
      fixture.nextTenant();
      await add();
    });

    test("ended ones are pruned, and those that name a user are erased", async () => {
      await takeOthers();
      const [ended, later, named, asked] = [
        await add({ filter: {} }),
        await add({ filter: {} }),
        await add(),
        await add({ filter: {}, actor: "ann" }),
      ];
      await runs().move(fixture.tenant, ended.id, { from: ["running"], to: "cancelled", at: at(20), line });
      await runs().move(fixture.tenant, later.id, { from: ["running"], to: "cancelled", at: at(21), line });
      await runs().prune(at(21));
      await runs().erase(fixture.owner("ann"));
      expect((await runs().list(fixture.tenant, 10)).map(({ id, actor }) => [id, actor])).toEqual([
        [asked.id, ""],
        [later.id, "eve"],
      ]);
      expect(await runs().find(fixture.tenant, named.id)).toBeNull();
    });
  });
}
