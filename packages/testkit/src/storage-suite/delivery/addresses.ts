import type { NewSend } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { deleteSend } from "../steps.ts";
import { createSend, deliveriesOf } from "./send-entries.ts";

/** The promises of `takeAddresses`. */
export function addressTests(harness: StorageHarness): void {
  describe("taking addresses", () => {
    const fixture = useFixture(harness);

    const claims = ({ deliveries }: NewSend, address = "ann@example.com", channel = "email") =>
      deliveries.map(({ id }) => ({ deliveryId: id, channel, address }));

    test("one delivery of a notification has an address over a channel, and keeps it", async () => {
      const storage = deliveriesOf(fixture);
      const send = await createSend(fixture, { channel: "email", to: ["ann", "bob", "cat"] });
      const [ann, bob, cat] = claims(send);
      expect(await storage.takeAddresses([bob, cat].flatMap((one) => one ?? []))).toEqual([true, false]);
      expect(await storage.takeAddresses([cat, ann, bob].flatMap((one) => one ?? []))).toEqual([false, false, true]);
      expect(await storage.takeAddresses(claims(send, "other@example.com").slice(2))).toEqual([true]);
      expect(await storage.takeAddresses(claims(send, "ann@example.com", "push").slice(0, 1))).toEqual([true]);
      expect(await storage.takeAddresses(claims(await createSend(fixture, { channel: "email", to: ["ann"] })))).toEqual([true]);
    });

    test("of several at once, one has it, however often they ask", async () => {
      const send = await createSend(fixture, { channel: "email", to: Array.from({ length: 20 }, (_, index) => `user ${index}`) });
      for (let round = 0; round < 2; round += 1) {
        const asked = claims(send).map((one) => deliveriesOf(fixture).takeAddresses([one]));
        expect((await Promise.all(asked)).flat().filter(Boolean)).toHaveLength(1);
      }
    });

    test("a delivery that is gone has none, and leaves its address to others", async () => {
      const storage = deliveriesOf(fixture);
      const send = await createSend(fixture, { channel: "email", to: ["ann", "bob"] });
      const [ann, bob] = claims(send);
      expect(await storage.takeAddresses(claims(send))).toEqual([true, false]);
      await storage.erase(fixture.owner("ann"), 10, at(1));
      expect(await storage.takeAddresses([ann, bob].flatMap((one) => one ?? []))).toEqual([false, true]);
      await deleteSend(fixture.storage, send.notification, { at: at(2), actor: "somebody" });
      expect(await storage.takeAddresses(claims(send))).toEqual([false, false]);
    });
  });
}
