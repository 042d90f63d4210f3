import type { Delivery, Pause, PausedPlace } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { at, type Fixture, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { become, createSend, deliveriesOf } from "./send-entries.ts";

const LATER = at(9_000);

function place(channel: string | null = null, recipient: string | null = null): PausedPlace {
  return { channel, recipient };
}

/** Writes a send whose only delivery is held back as a pause does it, and returns its id. */
async function heldBack(fixture: Fixture, [channel, to]: readonly [string, string], more: Partial<Delivery> = {}): Promise<string> {
  const send = await createSend(fixture, { channel, to: [to] });
  const change = become((delivery) => ({ ...delivery, reason: "paused", reasonSource: "operator", dueAt: LATER, attempt: 2, ...more }));
  await deliveriesOf(fixture).settle({ kind: "send", tenant: fixture.tenant, id: send.notification.id }, at(5), change);
  return send.notification.id;
}

/** The promises of pauses. */
export function pauseTests(harness: StorageHarness): void {
  describe("pauses", () => {
    const fixture = useFixture(harness);
    const holds = () => fixture.storage.holds;
    const own = async () => (await holds().pauses()).filter(({ tenant }) => tenant === fixture.tenant);
    const by = (actor: string, second: number): Pick<Pause, "actor" | "detail" | "pausedAt"> => ({
      ...{ actor, detail: `${actor} says so`, pausedAt: at(second) },
    });

    test("a place is paused once, is resumed once, and may be paused anew before it is forgotten", async () => {
      const [all, channel, endpoint] = [place(), place("email"), place("webhook", "https://x.example")];
      for (const one of [endpoint, channel, all]) {
        expect(await holds().pause(fixture.tenant, { ...one, ...by("ann", 1) })).toBe(true);
        expect(await holds().pause(fixture.tenant, { ...one, ...by("bob", 2) })).toBe(false);
      }
      const stored = (one: PausedPlace) => ({ ...one, ...by("ann", 1), tenant: fixture.tenant, resumedAt: null });
      expect(await own()).toEqual([stored(all), stored(channel), stored(endpoint)]);
      expect(await holds().resume(fixture.tenant, channel, at(3))).toBe(true);
      expect(await holds().resume(fixture.tenant, channel, at(4))).toBe(false);
      expect(await holds().resume(fixture.tenant, place("webhook"), at(4))).toBe(false);
      expect((await own()).map(({ resumedAt }) => resumedAt)).toEqual([null, at(3), null]);
      const before = await own();
      expect(await holds().pause(fixture.tenant, { ...channel, ...by("cat", 5) })).toBe(true);
      await holds().resume(fixture.tenant, channel, at(6));
      for (const pause of before) {
        await holds().forgetPause(pause);
      }
      const anew = { ...stored(channel), ...by("cat", 5), resumedAt: at(6) };
      expect(await own()).toEqual([stored(all), anew, stored(endpoint)]);
      await holds().forgetPause(anew);
      expect(await own()).toEqual([stored(all), stored(endpoint)]);
    });

    test("of a user who is erased, neither the place nor the name is left", async () => {
      await holds().pause(fixture.tenant, { ...place("email", "ann"), ...by("bob", 1) });
      await holds().pause(fixture.tenant, { ...place("email", "bob"), ...by("ann", 1) });
      await holds().erasePauses({ tenant: `${fixture.tenant} too`, userId: "ann" });
      expect(await own()).toHaveLength(2);
      await holds().erasePauses(fixture.owner("ann"));
      expect(await own()).toMatchObject([{ ...place("email", "bob"), actor: "" }]);
    });

    test("what a pause held back is made due, the oldest first and a few at a time, and nothing else is", async () => {
      const ids = [
        await heldBack(fixture, ["email", "b"]),
        await heldBack(fixture, ["email", "a"]),
        await heldBack(fixture, ["email", "a"]),
        await heldBack(fixture, ["webhook", "a"], { reason: "bundled" }),
      ];
      const leased = await heldBack(fixture, ["email", "a"], { leaseOwner: "worker", leaseUntil: LATER });
      const quiet = await heldBack(fixture, ["email", "a"], { reason: "quiet_hours", reasonSource: "user" });
      const tenant = fixture.tenant;
      const released = async () => {
        const found = await deliveriesOf(fixture).deliveriesOf(tenant, [...ids, leased, quiet], { offset: 0, limit: 10 });
        const due = found.filter(({ dueAt, reasonSource }) => dueAt?.getTime() === at(10).getTime() && reasonSource === null);
        expect(due.every(({ attempt, status }) => attempt === 2 && status === "pending")).toBe(true);
        return due.map(({ notificationId, reason }) => [ids.indexOf(notificationId), reason]).toSorted();
      };
      const release = (where: PausedPlace, limit: number) => holds().release({ ...where, tenant }, limit, at(10));
      expect(await holds().release({ ...place(), tenant: `${tenant} too` }, 5, at(10))).toBe(0);
      expect(await release(place("webhook", "b"), 5)).toBe(0);
      expect(await release(place("email", "a"), 1)).toBe(1);
      expect(await released()).toEqual([[1, null]]);
      expect(await release(place("email", null), 1)).toBe(1);
      expect(await released()).toEqual([
        [0, null],
        [1, null],
      ]);
      expect(await release(place(), 5)).toBe(2);
      expect(await released()).toEqual([
        [0, null],
        [1, null],
        [2, null],
        [3, "bundled"],
      ]);
      expect(await release(place(), 5)).toBe(0);
    });
  });
}
