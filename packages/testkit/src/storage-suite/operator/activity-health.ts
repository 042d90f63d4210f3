import type { AttemptStatus, Delivery, DeliveryAttempt } from "@belfry/core";
import type { HealthWindow, NewSend } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { become, claim, createSend, deliveriesOf, type SendFields } from "../delivery/send-entries.ts";
import { at, type Fixture, range, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";

const START_MS = Date.UTC(2027, 0, 1);
const MINUTE_MS = 60_000;

/** A time after the suite's sends were made. */
function minute(minutes: number, milliseconds = 0): Date {
  return new Date(START_MS + minutes * MINUTE_MS + milliseconds);
}

const WINDOW: HealthWindow = { from: minute(0), bucketMs: MINUTE_MS, buckets: 5 };

interface Ended {
  readonly status: AttemptStatus;
  readonly finishedAt: Date;
  readonly startedAt?: Date;
}

/** Writes attempts of a send's first delivery, and what becomes of that. */
async function end(fixture: Fixture, send: NewSend, attempts: readonly Ended[], change: Partial<Delivery> = {}): Promise<void> {
  const [first] = send.deliveries;
  await endDelivery(fixture, first?.id ?? "", attempts, change);
}

async function endDelivery(fixture: Fixture, id: string, attempts: readonly Ended[], change: Partial<Delivery>): Promise<void> {
  const made = attempts.map(
    ({ status, finishedAt, startedAt = finishedAt }, index): DeliveryAttempt => ({
      deliveryId: id,
      attempt: index + 1,
      status,
      startedAt,
      finishedAt,
      provider: "p",
      response: null,
      messageId: null,
      error: null,
      note: null,
      isTransient: false,
      exchange: null,
    }),
  );
  const settled = { status: "sent", dueAt: null, settledAt: made.at(-1)?.finishedAt ?? null, ...change } as const;
  const decide = become((delivery) => (delivery.id === id ? { ...delivery, ...settled } : delivery), { attempts: made });
  await deliveriesOf(fixture).settle({ kind: "deliveries", ids: [id] }, minute(0), decide);
}

/** The promises of the health of channels. */
export function activityHealthTests(harness: StorageHarness): void {
  describe("the health of channels", () => {
    const fixture = useFixture(harness);
    const health = (window = WINDOW, now = minute(5)) => fixture.storage.activity.health(fixture.tenant, window, now);
    const scheduled = (time: Date, fields: SendFields = {}) =>
      createSend(fixture, { channel: "email", to: ["a"], ...fields, plan: { scheduledAt: time } });

    test("nothing is reported if nothing was sent", async () => {
      await fixture.create("ann");
      expect(await health()).toEqual([]);
    });

    test("attempts count where they ended, per channel and part", async () => {
      const email = await scheduled(minute(0));
      await end(fixture, email, [
        { status: "failed", finishedAt: minute(0, -1) },
        { status: "failed", finishedAt: minute(0) },
        { status: "unknown", finishedAt: minute(1, -1) },
        { status: "sent", finishedAt: minute(1) },
      ]);
      await end(fixture, await scheduled(minute(4)), [{ status: "delivered", finishedAt: minute(5, -1) }], { status: "delivered" });
      await end(fixture, await scheduled(minute(4)), [{ status: "sent", finishedAt: minute(5) }]);
      const webhook = await scheduled(minute(3), { channel: "webhook" });
      await end(fixture, webhook, [{ status: "failed", finishedAt: minute(3, 1) }], { status: "failed" });
      const parts = (good: readonly number[], bad: readonly number[]) =>
        range(0, 4).map((part) => ({ from: minute(part), succeeded: good[part] ?? 0, failed: bad[part] ?? 0 }));
      const idle = { pending: 0, waiting: { scheduled: 0, due: 0, retrying: 0, held: 0 }, oldestDueAt: null };
      expect(await health()).toEqual([
        { channel: "email", succeeded: 2, failed: 2, lost: 1, p50Ms: 56_000, p95Ms: 56_000, ...idle, buckets: parts([0, 1, 0, 0, 1], [2]) },
        { channel: "webhook", succeeded: 0, failed: 1, lost: 0, p50Ms: null, p95Ms: null, ...idle, buckets: parts([], [0, 0, 0, 1]) },
      ]);
      fixture.nextTenant();
      expect(await health()).toEqual([]);
    });

    test("waiting deliveries are counted, due or not, with the oldest due time; leased ones do not count", async () => {
      await scheduled(minute(2));
      await scheduled(minute(1));
      await scheduled(minute(9));
      await scheduled(minute(7), { channel: "webhook" });
      const waiting = await createSend(fixture, { channel: "inbox", to: ["ann"], fallbackAfterMs: null });
      await end(fixture, waiting, [], { status: "cancelled" });
      const rows = async () => (await health()).map(({ channel, pending, oldestDueAt }) => [channel, pending, oldestDueAt]);
      expect(await rows()).toEqual([
        ["email", 3, minute(1)],
        ["webhook", 1, null],
      ]);
      await claim(fixture, minute(1), { channels: ["email"] });
      expect(await rows()).toEqual([
        ["email", 2, minute(2)],
        ["webhook", 1, null],
      ]);
    });

    test("of more waiting deliveries than are looked at, those that are due first are counted", async () => {
      for (const minutes of [4, 1, 3, 9]) {
        await scheduled(minute(minutes));
      }
      await scheduled(minute(2), { channel: "webhook" });
      const rows = async (mostWaiting: number) =>
        (await health({ ...WINDOW, mostWaiting })).map(({ channel, pending, oldestDueAt }) => [channel, pending, oldestDueAt]);
      expect(await rows(3)).toEqual([
        ["email", 2, minute(1)],
        ["webhook", 1, minute(2)],
      ]);
      expect(await rows(1)).toEqual([["email", 1, minute(1)]]);
      expect(await rows(100)).toEqual([
        ["email", 4, minute(1)],
        ["webhook", 1, minute(2)],
      ]);
    });

    test("half of the sends took at most the first time, 95 % the second, each as the step that it has reached", async () => {
      for (const latency of range(1, 40)) {
        await end(fixture, await scheduled(minute(1)), [{ status: "sent", finishedAt: minute(1, latency * 61) }]);
      }
      const [email] = await health();
      expect([email?.p50Ms, email?.p95Ms]).toEqual([1_200, 2_200]);
    });

    test("latency counts from the scheduled or creation time, and for a fallback from the time its primary settled", async () => {
      const now = await createSend(fixture, { channel: "a", to: ["x"] });
      const created = now.notification.createdAt.getTime();
      await end(fixture, now, [{ status: "sent", finishedAt: new Date(created + 700) }]);
      const send = await createSend(fixture, { channel: "b", to: ["x"], fallbackAfterMs: null });
      const start = send.notification.createdAt.getTime();
      const [, fallback] = send.deliveries;
      await end(fixture, send, [{ status: "failed", finishedAt: new Date(start + 9_000) }], {
        status: "failed",
        settledAt: new Date(start + 10_000),
      });
      const attempt = { status: "sent", startedAt: new Date(start + 10_050), finishedAt: new Date(start + 10_300) } as const;
      await endDelivery(fixture, fallback?.id ?? "", [attempt], {});
      const late = await createSend(fixture, { channel: "d", to: ["x"], fallbackAfterMs: null, plan: { scheduledAt: minute(1) } });
      await end(fixture, late, [{ status: "sent", finishedAt: minute(1, -5) }]);
      const window = { from: new Date(created - (created % MINUTE_MS)), bucketMs: 600 * MINUTE_MS, buckets: 2_000 };
      const rows = (await health(window)).map(({ channel, p50Ms }) => [channel, p50Ms]);
      expect(rows).toEqual([
        ["a", 680],
        ["b", null],
        ["d", 0],
        ["email", 300],
      ]);
      // Acknowledged after all: the primary has settled once more, after its fallback went. That changes nothing of how long it took.
      await endDelivery(fixture, send.deliveries[0]?.id ?? "", [], { status: "delivered", settledAt: new Date(start + 99_000) });
      expect((await health(window)).find(({ channel }) => channel === "email")?.p50Ms).toBe(300);
    });

    test("thousands of attempts and of waiting deliveries are all counted", async () => {
      const to = range(1, 6_000).map((user) => `u${user}`);
      const { deliveries } = await createSend(fixture, { channel: "email", to });
      await createSend(fixture, { channel: "webhook", to });
      const attempts = deliveries.map(
        ({ id }, index): DeliveryAttempt => ({
          ...{
            deliveryId: id,
            attempt: 1,
            status: index % 3 === 0 ? "failed" : "sent",
            startedAt: minute(1),
            finishedAt: minute(index % 5),
          },
          ...{ provider: "", response: null, messageId: null, error: null, note: null, isTransient: false, exchange: null },
        }),
      );
      const ids = deliveries.map(({ id }) => id);
      const decide = become((delivery) => ({ ...delivery, status: "sent", dueAt: null }), { attempts });
      await deliveriesOf(fixture).settle({ kind: "deliveries", ids }, minute(1), decide);
      const [email, webhook] = await health();
      expect([email?.succeeded, email?.failed, email?.buckets.map(({ succeeded }) => succeeded)]).toEqual([
        4_000,
        2_000,
        range(0, 4).map(() => 800),
      ]);
      expect([webhook?.pending, webhook?.succeeded]).toEqual([6_000, 0]);
      expect(webhook?.oldestDueAt?.getTime()).toBeLessThan(at(1_000_000).getTime());
    });
  });
}
