import { describe, expect, test } from "vitest";
import { at, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { eraseAll, exportAll } from "../steps.ts";
import { fullAttempt, fullDelivery, fullSend, fullState } from "./delivery-fixture.ts";
import { become, claim, createSend, deliveriesOf, expectTrueStatus, newSend } from "./send-entries.ts";

/** The promises of `erase` and `export`. */
export function deliveryErasingTests(harness: StorageHarness): void {
  describe("erasing and exporting deliveries", () => {
    const fixture = useFixture(harness);
    const page = { offset: 0, limit: 100 };
    const step = (limit: number, userId = "ann") => deliveriesOf(fixture).erase(fixture.owner(userId), limit, at(900));

    test("a recipient's chains go step by step, whatever their state, and the counts are those of the others", async () => {
      const storage = deliveriesOf(fixture);
      const to = ["ann", "bob"];
      const sends = [
        await createSend(fixture, { to, fallbackAfterMs: 5_000 }),
        await createSend(fixture, { to, channel: "email", details: null }),
        await createSend(fixture, { to, channel: "webhook" }),
      ];
      const fail = become((one) => ({ ...one, status: one.recipient === "bob" ? "sent" : "failed", dueAt: null, settledAt: at(1) }));
      await storage.settle({ kind: "send", tenant: fixture.tenant, id: sends[2]?.notification.id ?? "" }, at(1), fail);
      await claim(fixture, new Date(Date.UTC(2100, 0, 1)), { channels: ["email"] });
      const look = () => Promise.all(sends.map(({ notification }) => expectTrueStatus(fixture, notification.id)));
      expect(await eraseAll(() => step(1), look)).toBe(4);
      for (const { notification } of sends) {
        const left = await storage.deliveriesOf(fixture.tenant, [notification.id], page);
        expect(new Set(left.map(({ recipient }) => recipient))).toEqual(new Set(["bob"]));
      }
      const views = await Promise.all(sends.map(({ notification }) => storage.findSend(fixture.tenant, notification.id)));
      expect(views.map((send) => [send?.recipients, send?.erasedRecipients, send?.status])).toEqual([
        [["bob"], 1, "pending"],
        [[], 0, "pending"],
        [["bob"], 1, "sent"],
      ]);
      expect(await fixture.storage.activity.find(fixture.tenant, sends[0]?.notification.id ?? "")).toMatchObject({
        summary: { recipients: ["bob"], recipientCount: 2 },
      });
      expect(await step(1)).toEqual({ removed: 0, isDone: true, sends: [] });
    });

    test("a step returns the notifications whose status changes without the chain", async () => {
      const { id } = (await createSend(fixture, { to: ["ann", "bob"], channel: "email" })).notification;
      const storage = deliveriesOf(fixture);
      const settle = become((one) => (one.recipient === "bob" ? { ...one, status: "delivered", dueAt: null, settledAt: at(1) } : one));
      await storage.settle({ kind: "send", tenant: fixture.tenant, id }, at(1), settle);
      const sends = [{ tenant: fixture.tenant, id, from: "pending", to: "delivered" }];
      expect(await step(10)).toEqual({ removed: 1, isDone: true, sends });
      expect(await storage.findSend(fixture.tenant, id)).toMatchObject({ status: "delivered" });
    });

    test("a notification without another recipient goes with its last item, in either order", async () => {
      const { activity } = fixture.storage;
      const [first, second] = [await createSend(fixture), await createSend(fixture)];
      expect(await step(1)).toEqual({ removed: 1, isDone: false, sends: [] });
      const kept = await activity.find(fixture.tenant, first.notification.id);
      expect(kept?.summary).toMatchObject({ status: null, recipients: ["ann"] });
      await eraseAll(() => fixture.inbox.erase(fixture.owner("ann"), 10));
      expect(await activity.find(fixture.tenant, first.notification.id)).toBeNull();
      expect(await activity.find(fixture.tenant, second.notification.id)).not.toBeNull();
      await eraseAll(() => step(1));
      expect(await activity.find(fixture.tenant, second.notification.id)).toBeNull();
      expect(await deliveriesOf(fixture).listSends(fixture.tenant, { ...page, sort: "status" })).toEqual({ sends: [], total: 0 });
    });

    test("only deliveries to that name in that tenant go, and an address is a name", async () => {
      const others = await createSend(fixture, { to: ["Ann", "ann@x.example", "%"], channel: "email" });
      const mine = fixture.owner("ann");
      fixture.nextTenant();
      const foreign = await createSend(fixture, { to: ["ann"], channel: "email" });
      await eraseAll(() => deliveriesOf(fixture).erase(mine, 10, at(900)));
      const left = async (tenant: string, id: string) =>
        (await deliveriesOf(fixture).deliveriesOf(tenant, [id], page)).map(({ recipient }) => recipient);
      expect(await left(mine.tenant, others.notification.id)).toEqual(["Ann", "ann@x.example", "%"]);
      expect(await left(fixture.tenant, foreign.notification.id)).toEqual(["ann"]);
      await eraseAll(() => deliveriesOf(fixture).erase({ ...mine, userId: "ann@x.example" }, 10, at(900)));
      expect(await left(mine.tenant, others.notification.id)).toEqual(["Ann", "%"]);
    });

    test("the answer that is kept for an idempotency key is emptied, and the key still sends nothing twice", async () => {
      const idempotency = { key: "once", bodyHash: "hash", response: '{"recipients":["ann"]}' };
      const { notification } = await createSend(fixture, { to: ["ann", "bob"], channel: "email", idempotency });
      await step(10);
      const [again] = await deliveriesOf(fixture).createSends([newSend(fixture, { idempotency })], at(901));
      expect(again).toEqual({ kind: "repeated", bodyHash: "hash", response: null, notificationId: notification.id });
    });

    test("steps and settlements at once leave true counts", async () => {
      const sends = await Promise.all(Array.from({ length: 12 }, () => createSend(fixture, { to: ["ann", "bob"], channel: "email" })));
      const settle = become((one) => ({ ...one, status: "sent", dueAt: null, settledAt: at(1) }));
      await Promise.all([
        eraseAll(() => step(2)),
        eraseAll(() => step(3)),
        ...sends.map(({ notification: { tenant, id } }) => deliveriesOf(fixture).settle({ kind: "send", tenant, id }, at(1), settle)),
      ]);
      await eraseAll(() => step(5));
      for (const { notification } of sends) {
        await expectTrueStatus(fixture, notification.id);
        expect(await deliveriesOf(fixture).countDeliveries(fixture.tenant, notification.id)).toBe(1);
      }
    });

    test("an export has every field of every delivery, page by page", async () => {
      const storage = deliveriesOf(fixture);
      const full = fullSend(fixture);
      const { id, tenant } = full.notification;
      await storage.createSends([full], at(1));
      await claim(fixture, new Date(Date.UTC(2100, 0, 1)));
      const delivery = fullDelivery(full);
      const attempt = fullAttempt(delivery);
      const changes = { deliveries: [delivery], attempts: [attempt], sends: [fullState(full)], audit: [] };
      await storage.settle({ kind: "send", tenant, id }, at(900), () => changes);
      const bare = await createSend(fixture, { to: [delivery.recipient, "bob"], channel: "email", details: null, fallbackAfterMs: null });
      const owner = fixture.owner(delivery.recipient);
      const pages = await exportAll((after) => storage.export(owner, { after, limit: 2 }));
      expect(pages.map((one) => one.length)).toEqual([2, 1]);
      expect(pages.flat()[0]).toEqual({ ...delivery, attempts: [attempt], notification: full.notification });
      expect(pages.flat().map(({ notification }) => notification.id)).toEqual([id, bare.notification.id, bare.notification.id]);
      expect(await storage.export(fixture.owner("nobody"), { after: null, limit: 2 })).toEqual({ records: [], next: null });
    });
  });
}
