import { describe, expect, test } from "vitest";
import { at, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { sweepAll } from "../steps.ts";
import { become, claim, createSend, deliveriesOf, expectTrueStatus } from "./send-entries.ts";

/** The promises of `sweep`. */
export function deliverySweepingTests(harness: StorageHarness): void {
  describe("sweeping sends", () => {
    const fixture = useFixture(harness);
    const later = new Date(Date.UTC(2026, 6, 1));

    test("old ones that are settled and in no inbox go, step by step, with their deliveries", async () => {
      const settledOne = await createSend(fixture, { channel: "email", to: ["a", "b"] });
      const inInbox = await createSend(fixture, { to: ["ann"] });
      const waiting = await createSend(fixture, { channel: "email", fallbackAfterMs: null });
      const pending = await createSend(fixture, { channel: "webhook" });
      const young = await createSend(fixture, { channel: "email" });
      for (const { notification } of [settledOne, inInbox, young]) {
        const decide = become((delivery) => ({ ...delivery, status: "sent", dueAt: null, settledAt: at(1) }));
        await deliveriesOf(fixture).settle({ kind: "send", tenant: fixture.tenant, id: notification.id }, at(1), decide);
      }
      const primary = become((delivery) =>
        delivery.isFallback ? delivery : { ...delivery, status: "sent", dueAt: null, settledAt: at(1) },
      );
      await deliveriesOf(fixture).settle({ kind: "send", tenant: fixture.tenant, id: waiting.notification.id }, at(1), primary);
      const step = (after: string | null) => deliveriesOf(fixture).sweep(young.notification.createdAt, { after, limit: 2 });
      expect(await sweepAll(step)).toBe(1);
      expect(await deliveriesOf(fixture).findSend(fixture.tenant, settledOne.notification.id)).toBeNull();
      expect(await deliveriesOf(fixture).countDeliveries(fixture.tenant, settledOne.notification.id)).toBe(0);
      expect(await fixture.storage.activity.find(fixture.tenant, settledOne.notification.id)).toBeNull();
      for (const { notification } of [inInbox, waiting, pending, young]) {
        await expectTrueStatus(fixture, notification.id);
      }
      expect((await claim(fixture, later)).map(({ notification }) => notification.id)).toEqual([pending.notification.id]);
      // Once its item is gone, the send in the inbox goes too.
      await fixture.inbox.erase(fixture.owner("ann"), 10);
      expect(await sweepAll(step)).toBe(1);
      expect(await deliveriesOf(fixture).findSend(fixture.tenant, inInbox.notification.id)).toBeNull();
    });
  });
}
