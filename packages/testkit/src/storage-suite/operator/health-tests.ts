import type { DeliveryAttempt } from "@belfry/core";
import type { ClaimedDelivery, EndedAttempt, HealthWindow, NewSend, StoredHealth, WorkerBeat } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { claimAll, createSend, deliveriesOf } from "../delivery/send-entries.ts";
import { at, type Fixture, range, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { endAttemptsOf, endLostOf } from "../model/delivery-leases.ts";

const MINUTE_MS = 60_000;
const HALF_HOUR_MS = 30 * MINUTE_MS;
const LEASE_MS = 20_000;

/** The half hours from the suite's beginning, as far as its tests get. */
const HALF_HOURS: HealthWindow = { from: new Date(Date.UTC(2026, 0, 1)), bucketMs: HALF_HOUR_MS, buckets: 8 };
const MINUTES: HealthWindow = { ...HALF_HOURS, bucketMs: MINUTE_MS, buckets: 240 };

/** The same numbers from 0 to `below` - 1 in every run. */
function numbers(): (below: number) => number {
  let state = 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** How attempts end, by chance. Failures are tried again after 7 seconds. */
function endOf({ delivery }: ClaimedDelivery, second: number, next: (below: number) => number): EndedAttempt {
  const error = { status: "failed", provider: "p", error: "no", transient: next(3) > 0 } as const;
  const outcome = [{ status: "sent", provider: "p" }, { status: "delivered", provider: "p" }, error] as const;
  return {
    ...{
      deliveryId: delivery.id,
      fence: delivery.fence,
      outcome: outcome[next(3)] ?? error,
      wasHandedIn: true,
      reason: null,
      retryInMs: 7_000,
    },
    startedAt: at(second),
    finishedAt: new Date(at(second).getTime() + next(5_000)),
  };
}

/** Makes, claims, loses and ends deliveries by chance, three workers at once. */
async function work(fixture: Fixture): Promise<readonly NewSend[]> {
  const storage = deliveriesOf(fixture);
  const next = numbers();
  const sends: NewSend[] = [];
  const held: ClaimedDelivery[][] = [[], [], []];
  for (const step of range(1, 60)) {
    const second = step * 60;
    const channel = (["email", "webhook", "inbox"] as const)[next(3)] ?? "email";
    const fallback = channel === "inbox" ? { fallbackAfterMs: 1_000 } : {};
    const to = range(0, next(4)).map((user) => `u${user}`);
    sends.push(await createSend(fixture, { channel, to, ...fallback }));
    await storage.settle({ kind: "waiting", limit: 100 }, at(second), (loaded) => ({
      ...{ attempts: [], sends: [], audit: [] },
      deliveries: loaded.flatMap(({ chains }) =>
        chains.flatMap((chain) =>
          chain.map(({ isRead: _, ...one }) => (one.status === "waiting" ? { ...one, status: "pending" as const } : one)),
        ),
      ),
    }));
    await Promise.all(
      held.map(async (own, index) => {
        own.push(...(await storage.leases.claim(claimAll(at(second), { owner: `worker ${index}`, leaseMs: LEASE_MS, limit: 4 }))));
      }),
    );
    const ends = held.map((own) => own.splice(0, next(own.length + 1)).map((one) => ({ one, end: endOf(one, second + 1, next) })));
    await Promise.all(
      ends.map((of, index) =>
        endAttemptsOf(storage, {
          ...{ owner: `worker ${index}`, at: at(second + 6), attempts: of.map(({ end }) => end) },
          only: of.flatMap(({ one }) => (one.isOnly ? one : [])),
        }),
      ),
    );
    // Those that were kept are lost by now, and so are their later ends.
    await endLostOf(storage, { at: at(second + 30), limit: 3, leaseMs: LEASE_MS, maxAttempts: 3 });
  }
  return sends;
}

/** Counts the attempts of sends one by one. */
async function recount(fixture: Fixture, sends: readonly NewSend[], { from, bucketMs, buckets }: HealthWindow) {
  const ids = sends.map(({ notification }) => notification.id);
  const deliveries = await deliveriesOf(fixture).deliveriesOf(fixture.tenant, ids, { offset: 0, limit: 10_000 });
  const counted = new Map<string, { good: number[]; bad: number[] }>();
  const isGood = ({ status }: DeliveryAttempt) => status === "sent" || status === "delivered";
  for (const { channel, attempts } of deliveries) {
    for (const attempt of attempts.filter(({ status }) => !(channel === "inbox" && status === "failed"))) {
      const sums = counted.get(channel) ?? { good: Array(buckets).fill(0), bad: Array(buckets).fill(0) };
      counted.set(channel, sums);
      const part = Math.floor((attempt.finishedAt.getTime() - from.getTime()) / bucketMs);
      const list = isGood(attempt) ? sums.good : sums.bad;
      list[part] = (list[part] ?? 0) + 1;
    }
  }
  return Object.fromEntries(counted);
}

function shown(channels: readonly StoredHealth[]) {
  const counted = channels.filter(({ succeeded, failed }) => succeeded + failed > 0);
  return Object.fromEntries(
    counted.map(({ channel, buckets }) => [
      channel,
      { good: buckets.map((part) => part.succeeded), bad: buckets.map((part) => part.failed) },
    ]),
  );
}

/** The promises of the figures of health over time. */
export function healthTests(harness: StorageHarness): void {
  describe("figures of health over time", () => {
    const fixture = useFixture(harness);
    const health = (window: HealthWindow) => fixture.storage.activity.health(fixture.tenant, window, at(0));

    /** Takes steps until none is left. */
    async function whole(step: () => Promise<boolean>): Promise<void> {
      while (await step()) {
        // Steps are bounded.
      }
    }

    test("sums of attempts are those of a recount, whoever settled, lost or was late, and stay so when they are folded", async () => {
      const sends = await work(fixture);
      const byMinute = await recount(fixture, sends, MINUTES);
      const total = Object.values(byMinute).flatMap(({ good, bad }) => [...good, ...bad]);
      expect(total.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(100);
      expect(Object.keys(byMinute).toSorted()).toEqual(["email", "inbox", "webhook"]);
      expect(shown(await health(MINUTES))).toEqual(byMinute);
      const before = await health(HALF_HOURS);
      expect(shown(before)).toEqual(await recount(fixture, sends, HALF_HOURS));
      await whole(() => fixture.storage.health.foldAttempts(at(45 * 60)));
      await whole(() => fixture.storage.health.foldAttempts(at(45 * 60)));
      expect(await health(HALF_HOURS)).toEqual(before);
      // What came later is still there by the minute.
      const later = (counted: Awaited<ReturnType<typeof recount>>) =>
        Object.fromEntries(Object.entries(counted).map(([channel, { good, bad }]) => [channel, [good.slice(46), bad.slice(46)]]));
      expect(later(shown(await health(MINUTES)))).toEqual(later(byMinute));
      await whole(() => fixture.storage.health.foldAttempts(at(100 * 60)));
      expect(await health(HALF_HOURS)).toEqual(before);
      await whole(() => fixture.storage.health.pruneAttempts(new Date(HALF_HOURS.from.getTime() + HALF_HOUR_MS)));
      const left = await health(HALF_HOURS);
      expect(left.map(({ buckets }) => buckets.slice(1))).toEqual(before.map(({ buckets }) => buckets.slice(1)));
      expect(left.map(({ buckets }) => (buckets[0]?.succeeded ?? 0) + (buckets[0]?.failed ?? 0))).toEqual([0, 0, 0]);
    });

    test("of several processes, one keeps how much waits at a minute, and the most in each part is found again", async () => {
      const { health: kept } = fixture.storage;
      const minute = (of: number) => new Date(HALF_HOURS.from.getTime() + of * MINUTE_MS);
      const made = (channel: string, dueMinutes: number) =>
        createSend(fixture, { channel, to: ["a"], plan: { scheduledAt: minute(dueMinutes) } });
      await made("email", 600);
      expect((await Promise.all([1, 2, 3].map(() => kept.sampleBacklog(minute(500), minute(500), 1_000)))).toSorted()).toEqual([
        false,
        false,
        true,
      ]);
      await made("email", 501);
      await made("email", 502);
      await made("webhook", 501);
      expect(await kept.sampleBacklog(minute(501), minute(501), 1_000)).toBe(true);
      expect(await kept.sampleBacklog(minute(501), minute(501), 1_000)).toBe(false);
      const window: HealthWindow = { from: minute(499), bucketMs: MINUTE_MS, buckets: 4 };
      const waiting = (scheduled: number, due: number) => ({ scheduled, due, retrying: 0, held: 0 });
      expect(await kept.backlogs(fixture.tenant, window)).toEqual({
        looked: [false, true, true, false],
        channels: expect.arrayContaining([
          { channel: "email", parts: [null, waiting(1, 0), waiting(2, 1), null] },
          { channel: "webhook", parts: [null, null, waiting(0, 1), null] },
        ]),
      });
      const inOne = await kept.backlogs(fixture.tenant, { ...window, bucketMs: 2 * MINUTE_MS, buckets: 2 });
      expect(inOne.channels.find(({ channel }) => channel === "email")?.parts).toEqual([waiting(1, 0), waiting(2, 1)]);
      fixture.nextTenant();
      expect((await kept.backlogs(fixture.tenant, window)).channels).toEqual([]);
      // Of more than are looked at, those that are due first are counted.
      await made("email", 700);
      await kept.sampleBacklog(minute(502), minute(502), 1);
      expect((await kept.backlogs(fixture.tenant, { ...window, from: minute(502) })).channels).toEqual([]);
      expect(await kept.pruneBacklogs(minute(501))).toBe(false);
      expect((await kept.backlogs(fixture.tenant, window)).looked).toEqual([false, false, true, true]);
    });

    test("what waited is folded into the most of each half hour, by several at once, and half hours say the same", async () => {
      const { health: kept } = fixture.storage;
      const minute = (of: number) => new Date(HALF_HOURS.from.getTime() + of * MINUTE_MS);
      const made = (channel: string, dueMinutes: number) =>
        createSend(fixture, { channel, to: ["a"], plan: { scheduledAt: minute(dueMinutes) } });
      await made("email", 725);
      for (const of of [719, 720, 721, 724, 726, 748]) {
        await kept.sampleBacklog(minute(of), minute(of), 1_000);
        await made(of < 724 ? "email" : "webhook", of + 2);
      }
      const halfHours: HealthWindow = { from: minute(690), bucketMs: HALF_HOUR_MS, buckets: 3 };
      const minutes = async () => (await kept.backlogs(fixture.tenant, { from: minute(690), bucketMs: MINUTE_MS, buckets: 90 })).looked;
      const lookedAt = async () => (await minutes()).flatMap((looked, at) => (looked ? [690 + at] : []));
      const before = await kept.backlogs(fixture.tenant, halfHours);
      expect(before.channels.map(({ channel }) => channel).toSorted()).toEqual(["email", "webhook"]);
      expect(await lookedAt()).toEqual([719, 720, 721, 724, 726, 748]);
      await Promise.all([1, 2].map(() => whole(() => kept.foldBacklogs(minute(726)))));
      expect(await lookedAt()).toEqual([690, 720, 726, 748]);
      const shownBy = ({ looked, channels }: typeof before) => [looked, new Map(channels.map(({ channel, parts }) => [channel, parts]))];
      expect(shownBy(await kept.backlogs(fixture.tenant, halfHours))).toEqual(shownBy(before));
      await whole(() => kept.foldBacklogs(minute(750)));
      await whole(() => kept.foldBacklogs(minute(750)));
      expect(await lookedAt()).toEqual([690, 720]);
      expect(shownBy(await kept.backlogs(fixture.tenant, halfHours))).toEqual(shownBy(before));
    });

    test("much that waited is folded and removed in steps", async () => {
      const { health: kept } = fixture.storage;
      const minute = (of: number) => new Date(HALF_HOURS.from.getTime() + of * MINUTE_MS);
      const sample = async () => {
        for (const of of [901, 902, 903, 904]) {
          await kept.sampleBacklog(minute(of), minute(of), 10_000);
        }
      };
      for (const channel of range(1, 130)) {
        await createSend(fixture, { channel: `channel${channel}`, to: ["a"] });
      }
      await sample();
      const halfHour: HealthWindow = { from: minute(900), bucketMs: HALF_HOUR_MS, buckets: 1 };
      const counted = async () => (await kept.backlogs(fixture.tenant, halfHour)).channels.length;
      expect(await counted()).toBe(130);
      expect(await kept.foldBacklogs(minute(905))).toBe(true);
      await whole(() => kept.foldBacklogs(minute(905)));
      expect(await counted()).toBe(130);
      await sample();
      expect(await kept.pruneBacklogs(minute(905))).toBe(true);
      await whole(() => kept.pruneBacklogs(minute(905)));
      expect(await counted()).toBe(0);
    });

    test("workers are those of the last heartbeat of each instance, until it leaves or says nothing for long", async () => {
      const { health: kept } = fixture.storage;
      const worker = (instance: string, fields: Partial<WorkerBeat> = {}): WorkerBeat => ({
        ...{
          instance,
          name: "deliveries",
          owner: `owner of ${instance}`,
          mode: "working",
          concurrency: 100,
          attempting: 2,
          leased: 3,
          lagMs: 40,
        },
        ...fields,
      });
      const idle = worker("a", { name: "digests", owner: null, attempting: 0, leased: 0, lagMs: null });
      await kept.beat([worker("a"), idle], at(10));
      await kept.beat([worker("b")], at(20));
      await kept.beat([worker("a", { mode: "draining" })], at(30));
      expect(await kept.workers(10, at(0))).toEqual([
        { ...worker("a", { mode: "draining" }), seenAt: at(30) },
        { ...worker("b"), seenAt: at(20) },
        { ...idle, seenAt: at(10) },
      ]);
      // Those that are lost are seen before others, of however many.
      expect((await kept.workers(2, at(20))).map(({ instance, name }) => [instance, name])).toEqual([
        ["b", "deliveries"],
        ["a", "digests"],
      ]);
      const seenUntil = async (second: number) => (await kept.lastSeen(at(second))).map(({ name, seenAt }) => [name, seenAt]);
      expect(await seenUntil(30)).toEqual([
        ["deliveries", at(30)],
        ["digests", at(10)],
      ]);
      // The clock of an instance was ahead.
      expect(await seenUntil(29)).toEqual([
        ["deliveries", at(20)],
        ["digests", at(10)],
      ]);
      expect(await seenUntil(9)).toEqual([]);
      await kept.pruneWorkers(at(20));
      await kept.leave("a");
      expect(await kept.workers(10, at(0))).toEqual([{ ...worker("b"), seenAt: at(20) }]);
    });
  });
}
