import type { Delivery, DeliveryState } from "@belfry/core";
import { type NewSend, standingOf } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { become, createSend, deliveriesOf } from "../delivery/send-entries.ts";
import { at, type Fixture, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";

/** The moment at which the states count. */
const NOW = at(1_000);
const [PAST, FUTURE] = [at(999), at(1_001)];
const LEASE = { leaseOwner: "worker", leaseUntil: FUTURE } as const;

/** One delivery of every kind, with the state that it is in. */
const KINDS: readonly (readonly [DeliveryState, Partial<Delivery>, channel?: string])[] = [
  ["scheduled", { dueAt: FUTURE }],
  ["scheduled", { dueAt: null, reason: "digest" }],
  ["scheduled", { status: "waiting", dueAt: FUTURE }],
  ["scheduled", { status: "waiting", dueAt: null }],
  ["scheduled", { dueAt: FUTURE }, "resting"],
  ["due", { dueAt: NOW }],
  ["due", { dueAt: PAST, reason: "quiet_hours" }],
  ["due", { dueAt: PAST }, "rested"],
  ["due", { dueAt: PAST, attempt: 4, attemptsBefore: 4 }],
  ["running", { dueAt: PAST, attempt: 1, ...LEASE }],
  ["running", { dueAt: PAST, attempt: 3, ...LEASE }, "resting"],
  ["retrying", { dueAt: FUTURE, attempt: 1 }],
  ["retrying", { dueAt: PAST, attempt: 2 }],
  ["retrying", { dueAt: FUTURE, attempt: 6 }, "resting"],
  ["held", { dueAt: FUTURE, reason: "quiet_hours" }],
  ["held", { dueAt: FUTURE, reason: "paused", reasonSource: "operator", attempt: 1 }, "paused"],
  ["held", { dueAt: FUTURE, reason: "bundled", reasonSource: "operator" }, "paused"],
  ["due", { dueAt: PAST, reason: "paused", reasonSource: "operator" }, "paused"],
  ["held", { dueAt: PAST, attempt: 5 }, "resting"],
  ["held", { dueAt: PAST }, "resting"],
  ["sent", { status: "sent", dueAt: null }],
  ["delivered", { status: "delivered", dueAt: null }],
  ["failed", { status: "failed", dueAt: null, attempt: 6 }],
  ["skipped", { status: "skipped", dueAt: null, reason: "preference" }],
  ["cancelled", { status: "cancelled", dueAt: null }],
];

/** Writes a send over `channel` whose only delivery is as `change` says. */
async function createIn(fixture: Fixture, change: Partial<Delivery>, channel = "email"): Promise<NewSend> {
  const send = await createSend(fixture, { channel, to: [fixture.tenant] });
  const decide = become((delivery) => ({ ...delivery, ...change }));
  await deliveriesOf(fixture).settle({ kind: "send", tenant: fixture.tenant, id: send.notification.id }, NOW, decide);
  return send;
}

/** The promises of the states of deliveries. */
export function activityStateTests(harness: StorageHarness): void {
  describe("states of deliveries", () => {
    const fixture = useFixture(harness);

    async function rest(): Promise<void> {
      const times = { recipient: fixture.tenant, failures: 5, openedAt: PAST };
      await fixture.storage.holds.openCircuit({ ...times, channel: "resting", openUntil: FUTURE });
      await fixture.storage.holds.openCircuit({ ...times, channel: "rested", openUntil: NOW });
    }

    test("a search for a state finds the deliveries that core says are in it, and no others", async () => {
      await rest();
      const made = new Map<string, DeliveryState>();
      for (const [state, change, channel] of KINDS) {
        const { notification } = await createIn(fixture, change, channel);
        made.set(notification.id, state);
      }
      const { activity } = fixture.storage;
      for (const state of new Set(made.values())) {
        const expected = [...made].filter(([, of]) => of === state).map(([id]) => id);
        const found = await activity.search(fixture.tenant, { state, at: NOW, limit: 100 });
        expect([state, found.map(({ id }) => id)]).toEqual([state, expected.toReversed()]);
        expect([state, await activity.count(fixture.tenant, { state, at: NOW }, 100)]).toEqual([state, expected.length]);
        for (const { underWay } of found) {
          const standings = underWay.map((delivery) => standingOf(delivery, NOW, delivery.circuit).state);
          expect(standings).toEqual(["sent", "delivered", "skipped", "cancelled"].includes(state) ? [] : [state]);
        }
      }
      fixture.nextTenant();
      expect(await activity.count(fixture.tenant, { state: "failed", at: NOW }, 100)).toBe(0);
    });

    test("a state is found together with other filters, page by page, and in a send of many", async () => {
      const { activity } = fixture.storage;
      const failed = [
        await createIn(fixture, { status: "failed", dueAt: null }),
        await createIn(fixture, { status: "failed", dueAt: null }),
      ];
      await createIn(fixture, { dueAt: FUTURE, attempt: 1 });
      const [older, newer] = failed.map(({ notification }) => notification.id);
      const ids = async (filter: object) => (await activity.search(fixture.tenant, { ...filter, at: NOW, limit: 10 })).map(({ id }) => id);
      expect(await ids({ state: "failed", after: newer })).toEqual([older]);
      expect(await ids({ state: "failed", recipient: fixture.tenant, channel: "email" })).toEqual([newer, older]);
      expect(await ids({ state: "failed", status: "pending" })).toEqual([]);
      const many = await createSend(fixture, { channel: "email", to: ["a", "b", "c"] });
      const [, second] = many.deliveries;
      const change = become((delivery) => (delivery.id === second?.id ? { ...delivery, status: "failed", dueAt: null } : delivery));
      await deliveriesOf(fixture).settle({ kind: "send", tenant: fixture.tenant, id: many.notification.id }, NOW, change);
      expect(await ids({ state: "failed" })).toEqual([many.notification.id, newer, older]);
    });

    test("channels say in which states their deliveries wait; what is held back is not due", async () => {
      await rest();
      for (const [, change, channel] of KINDS) {
        await createIn(fixture, change, channel);
      }
      const window = { from: PAST, bucketMs: 60_000, buckets: 5 };
      const waiting = (await fixture.storage.activity.health(fixture.tenant, window, NOW)).map((one) => [
        one.channel,
        one.pending,
        one.waiting,
        one.oldestDueAt,
      ]);
      expect(waiting).toEqual([
        ["email", 7, { scheduled: 1, due: 3, retrying: 2, held: 1 }, PAST],
        ["paused", 3, { scheduled: 0, due: 1, retrying: 0, held: 2 }, PAST],
        ["rested", 1, { scheduled: 0, due: 1, retrying: 0, held: 0 }, PAST],
        ["resting", 4, { scheduled: 1, due: 0, retrying: 1, held: 2 }, null],
      ]);
    });
  });
}
