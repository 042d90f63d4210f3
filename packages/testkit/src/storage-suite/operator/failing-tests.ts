import type { Delivery, DeliveryAttempt } from "@belfry/core";
import type { FailingDelivery, FailingKind } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { become, createSend, deliveriesOf } from "../delivery/send-entries.ts";
import { at, type Fixture, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";

const FAILED = { status: "failed", dueAt: null, attempt: 2 } as const;
const RETRYING = { dueAt: at(9_000), attempt: 2 } as const;

/** Writes a send with one delivery as `change` says, which was attempted twice, and returns its id. */
async function attempted(fixture: Fixture, channel: string, change: Partial<Delivery>): Promise<string> {
  const send = await createSend(fixture, { channel, to: ["ann"] });
  const [delivery = expect.fail("The send has a delivery.")] = send.deliveries;
  const attempt = (number: number): DeliveryAttempt => ({
    ...{ deliveryId: delivery.id, attempt: number, status: "failed", startedAt: at(number), finishedAt: at(10 * number) },
    ...{
      provider: "smtp",
      response: null,
      messageId: null,
      error: `${number}: ${"no line ".repeat(50)}`,
      note: null,
      isTransient: true,
      exchange: null,
    },
  });
  const decide = become((one) => ({ ...one, ...change }), { attempts: [attempt(1), attempt(2)] });
  await deliveriesOf(fixture).settle({ kind: "send", tenant: fixture.tenant, id: send.notification.id }, at(5), decide);
  return send.notification.id;
}

/** The promises of deliveries that fail. */
export function failingTests(harness: StorageHarness): void {
  describe("deliveries that fail", () => {
    const fixture = useFixture(harness);

    async function idsOf(kind: FailingKind, limit: number): Promise<readonly (readonly string[])[]> {
      const pages: string[][] = [];
      let after: FailingDelivery["place"] | null = null;
      do {
        const page: readonly FailingDelivery[] = await fixture.storage.activity.failing(fixture.tenant, { kind, after, limit });
        pages.push(page.map(({ notificationId }) => notificationId));
        after = page.length < limit ? null : (page.at(-1)?.place ?? null);
      } while (after !== null);
      return pages;
    }

    test("are found with their last error, page by page, apart from what goes well and from inboxes", async () => {
      const failed = [
        await attempted(fixture, "email", FAILED),
        await attempted(fixture, "webhook", FAILED),
        await attempted(fixture, "email", FAILED),
      ];
      const retrying = await attempted(fixture, "email", RETRYING);
      await attempted(fixture, "inbox", { ...FAILED, reason: "offline" });
      await attempted(fixture, "email", { status: "sent", dueAt: null, attempt: 2 });
      await attempted(fixture, "email", { ...RETRYING, attemptsBefore: 2 });
      await createSend(fixture, { channel: "email" });
      expect(await idsOf("failed", 2)).toEqual([[failed[2], failed[1]], [failed[0]]]);
      expect(await idsOf("retrying", 2)).toEqual([[retrying]]);
      const [newest] = await fixture.storage.activity.failing(fixture.tenant, { kind: "failed", after: null, limit: 1 });
      const error = `2: ${"no line ".repeat(50)}`.slice(0, 200);
      const times = { firstAt: at(10), lastAt: at(20) };
      expect(newest).toMatchObject({ channel: "email", recipient: "ann", reason: null, attempts: 2, provider: "smtp", error, ...times });
      fixture.nextTenant();
      expect(await idsOf("failed", 2)).toEqual([[]]);
    });

    test("of one notification are found page by page, too", async () => {
      const { notification } = await createSend(fixture, { channel: "email", to: ["a", "b", "c"] });
      const decide = become((one) => ({ ...one, ...FAILED, attempt: 0 }));
      await deliveriesOf(fixture).settle({ kind: "send", tenant: fixture.tenant, id: notification.id }, at(5), decide);
      const { id } = notification;
      expect(await idsOf("failed", 2)).toEqual([[id, id], [id]]);
      expect(await idsOf("failed", 1)).toEqual([[id], [id], [id], []]);
    });
  });
}
