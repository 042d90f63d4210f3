import type { ClaimedDelivery, LoadedSend } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { claim, createSend, deliveriesOf } from "./send-entries.ts";

const [PHONE, LAPTOP, TABLET] = ["phone", "laptop", "tablet"] as const;

/** The promises of `splitByDevice`. */
export function deviceDeliveryTests(harness: StorageHarness): void {
  describe("deliveries to devices", () => {
    const fixture = useFixture(harness);
    const later = (seconds: number) => new Date(Date.UTC(2026, 6, 1) + seconds * 1_000);
    const storage = () => deliveriesOf(fixture);
    const turns = (...devices: readonly string[]) => devices.map((deviceId) => ({ deviceId, deliveryId: fixture.nextId() }));
    const split = ({ delivery }: ClaimedDelivery, ...devices: readonly string[]) =>
      storage().splitByDevice(delivery, turns(...devices), later(10));

    async function claimed(to: readonly string[] = ["ann"]): Promise<ClaimedDelivery> {
      await createSend(fixture, { channel: "webhook", to, fallbackAfterMs: null });
      const [first] = await claim(fixture, later(5));
      if (first === undefined) {
        throw new Error("Nothing was due.");
      }
      return first;
    }

    async function chainOf({ delivery }: ClaimedDelivery): Promise<LoadedSend> {
      let seen: LoadedSend | undefined;
      await storage().settle({ kind: "deliveries", ids: [delivery.id] }, later(20), (loaded) => {
        [seen] = loaded;
        return { deliveries: [], attempts: [], sends: [], audit: [] };
      });
      if (seen === undefined) {
        throw new Error("The chain is gone.");
      }
      return seen;
    }

    test("each other device gets a delivery in the same chain, before the fallbacks, which is due at once", async () => {
      const first = await claimed();
      expect(await split(first, PHONE, LAPTOP, TABLET)).toBe(PHONE);
      const { state, chains } = await chainOf(first);
      expect(state).toMatchObject({ status: "pending", chains: { pending: 1, failed: 0 } });
      const { tenant, notificationId, recipient, recipientKind, topic } = first.delivery;
      const own = { tenant, notificationId, recipient, recipientKind, topic, channel: "webhook", chain: 0, isFallback: false };
      const added = { ...own, status: "pending", attempt: 0, attemptsBefore: 0, fence: 0, leaseOwner: null, settledAt: null, reason: null };
      expect(chains).toMatchObject([[{ id: first.delivery.id, attempt: 1 }, added, added, { isFallback: true, status: "waiting" }]]);
      const others = await claim(fixture, later(11));
      expect(others).toHaveLength(2);
      expect(others[0]).toMatchObject({ notification: { title: first.notification.title }, isOnly: false });
      const devices = await Promise.all(others.map((one) => split(one, PHONE, LAPTOP, TABLET)));
      expect(devices.sort()).toEqual([LAPTOP, TABLET]);
    });

    test("it happens once: a device that came later gets nothing, and one that went is not replaced", async () => {
      const first = await claimed();
      await split(first, PHONE, LAPTOP);
      expect(await split(first, "new", LAPTOP, PHONE)).toBe(PHONE);
      expect(await split(first, LAPTOP, "new")).toBeNull();
      expect((await chainOf(first)).chains[0]).toHaveLength(3);
      const others = await claim(fixture, later(11));
      expect(others).toHaveLength(1);
    });

    test("of calls at once, one takes effect", async () => {
      const first = await claimed();
      const answers = await Promise.all(Array.from({ length: 5 }, () => split(first, PHONE, LAPTOP)));
      expect(new Set(answers)).toEqual(new Set([PHONE]));
      expect((await chainOf(first)).chains[0]).toHaveLength(3);
    });

    test("whoever lost the lease changes nothing", async () => {
      const first = await claimed();
      const { delivery } = first;
      expect(await storage().splitByDevice({ ...delivery, fence: delivery.fence + 1 }, turns(PHONE, LAPTOP), later(10))).toBeNull();
      expect(await storage().splitByDevice({ ...delivery, leaseOwner: "somebody else" }, turns(PHONE, LAPTOP), later(10))).toBeNull();
      expect((await chainOf(first)).chains[0]).toHaveLength(2);
    });

    test("users are split by themselves, and all of one's deliveries are erased with them", async () => {
      const first = await claimed(["ann", "bob"]);
      const owner = fixture.owner(first.delivery.recipient);
      await split(first, PHONE, LAPTOP);
      const before = await storage().countDeliveries(fixture.tenant, first.notification.id);
      for (let isDone = false; !isDone; ) {
        ({ isDone } = await storage().erase(owner, 10, later(30)));
      }
      const left = await storage().deliveriesOf(fixture.tenant, [first.notification.id], { offset: 0, limit: 10 });
      expect([before, new Set(left.map(({ recipient }) => recipient)).size, left.length]).toEqual([5, 1, 2]);
    });
  });
}
