import type { NewSend, SettleChanges } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, useFixture } from "../fixture.ts";
import { expectAllDifferent } from "../full.ts";
import type { StorageHarness } from "../harness.ts";
import { fullAttempt, fullAudit, fullDelivery, fullSend, fullSendRead, fullState } from "./delivery-fixture.ts";
import { claim, deliveriesOf } from "./send-entries.ts";

/** Each way to write a send, and each way to read it and what hangs on it, keeps every field. */
export function deliveryRoundTripTests(harness: StorageHarness): void {
  describe("every field of a send", () => {
    const fixture = useFixture(harness);
    const all = { offset: 0, limit: 10 };
    const writes: Readonly<Record<string, (send: NewSend) => Promise<unknown>>> = {
      "with others": (send) => deliveriesOf(fixture).createSends([send], send.notification.createdAt),
      "within a transaction": (send) =>
        fixture.subject.transaction((tx) => deliveriesOf(fixture).createSendWithin(tx, { ...send, idempotency: null }, () => undefined)),
    };

    test.each(Object.keys(writes))("written %s is read back by every way to read", async (way) => {
      const send = fullSend(fixture);
      await writes[way]?.(send);
      const storage = deliveriesOf(fixture);
      const { id, tenant, createdAt } = send.notification;
      const found = await storage.findSend(tenant, id);
      const fresh = { status: "pending", attempts: 0, fallbackUsed: false, deliveredAt: null, failedAt: null } as const;
      expect(found).toEqual({ ...fullSendRead(send, fullState(send), createdAt), ...fresh, updatedAt: found?.updatedAt });
      expect((await storage.listSends(tenant, { ...all, sort: "created_at" })).sends).toEqual([found]);
      expect(await storage.listAudit(tenant, { limit: 10 })).toMatchObject([
        { action: "created", actor: send.actor, notificationId: id, tenant },
      ]);
      const items = await fixture.inbox.listTenant(tenant, 10);
      const shared = send.notification;
      expect(items).toEqual([
        { ...shared, userId: "cat", seq: 1, readAt: null, isSeen: false, pinnedAt: null, archivedAt: null, snoozedUntil: null },
      ]);
    });

    test("kept under its idempotency key is answered to the next send of that key", async () => {
      const storage = deliveriesOf(fixture);
      const [first, again] = [fullSend(fixture), fullSend(fixture)];
      const { key, bodyHash, response } = first.idempotency;
      await storage.createSends([first], at(1));
      const repeated = await storage.createSends([{ ...again, idempotency: { ...again.idempotency, key } }], at(2));
      expect(repeated).toEqual([{ kind: "repeated", bodyHash, response, notificationId: first.notification.id }]);
    });

    test.each(Object.keys(writes))("written %s is what its claim hands out", async (way) => {
      const send = fullSend(fixture);
      await writes[way]?.(send);
      const { notification, details, scheduledAt } = send;
      const { roomId, meta } = details;
      const delivery = fullDelivery(send);
      const storage = deliveriesOf(fixture);
      const [waiting] = await storage.deliveriesOf(fixture.tenant, [notification.id], all);
      const made = {
        ...delivery,
        status: "pending",
        reason: "quiet_hours",
        reasonSource: "full decision",
        attempt: 0,
        attemptsBefore: 0,
        fence: 0,
        settledAt: null,
      } as const;
      const dueAt = new Date(scheduledAt.getTime() + 4_321);
      const nobody = { leaseOwner: null, leaseUntil: null, dueAt };
      expect(waiting).toEqual({ ...made, ...nobody, attempts: [] });
      const claimedAt = new Date(Date.UTC(2100, 0, 1));
      const leaseOwner = `${fixture.tenant} worker`;
      const claimed = await claim(fixture, claimedAt, { owner: leaseOwner });
      const lease = { leaseOwner, leaseUntil: new Date(claimedAt.getTime() + 60_000), attempt: 1, fence: 1 };
      const chains = { pending: 1, sent: 0, delivered: 0, failed: 0, skipped: 0, cancelled: 0 };
      const unattempted = { status: "pending", chains, attempts: 0, fallbackUsed: false, deliveredAt: null, failedAt: null } as const;
      const state = { ...fullState(send), ...unattempted };
      const content = { notification, state, isOnly: true, scheduledAt, roomId, meta, hasSuppressed: false };
      const keys = { pk: expect.any(Number), notificationPk: expect.any(Number) };
      expect(claimed).toEqual([{ ...content, keys, delivery: { ...made, ...nobody, ...lease } }]);
      const leased = await storage.leases.leasedTo(leaseOwner);
      expect(leased.filter(({ delivery: { tenant } }) => tenant === fixture.tenant)).toEqual(claimed);
    });

    test("is kept by its completion, with its delivery's and an attempt's", async () => {
      const send = fullSend(fixture);
      const storage = deliveriesOf(fixture);
      const { id, tenant, createdAt } = send.notification;
      await storage.createSends([send], createdAt);
      await claim(fixture, new Date(Date.UTC(2100, 0, 1)));
      const [state, delivery] = [fullState(send), { ...fullDelivery(send), fence: 1 }];
      const attempt = fullAttempt(delivery);
      const changes: SettleChanges = { deliveries: [delivery], attempts: [attempt], sends: [state], audit: [] };
      const completed = await storage.complete("worker", changes, at(900));
      expect(completed).toEqual({ ids: new Set([delivery.id]), now: at(900) });
      expect(await storage.deliveriesOf(tenant, [id], all)).toEqual([{ ...delivery, attempts: [attempt] }]);
      expect(await storage.findSend(tenant, id)).toEqual(fullSendRead(send, state, at(900)));
    });

    test("is kept by its settling, with its delivery's, an attempt's and a line of the log's", async () => {
      const send = fullSend(fixture);
      const storage = deliveriesOf(fixture);
      const { id, tenant, createdAt } = send.notification;
      await storage.createSends([send], createdAt);
      await claim(fixture, new Date(Date.UTC(2100, 0, 1)));
      const [state, delivery] = [fullState(send), fullDelivery(send)];
      const [attempt, audit] = [fullAttempt(delivery), fullAudit(id)];
      const selection = { kind: "send", tenant, id } as const;
      const changes: SettleChanges = { deliveries: [delivery], attempts: [attempt], sends: [state], audit: [audit] };
      await storage.settle(selection, at(900), () => changes);
      await storage.settle(selection, at(901), (loaded) => {
        expect(loaded).toEqual([{ state, chains: [[{ ...delivery, isRead: false }]] }]);
        return { deliveries: [], attempts: [], sends: [], audit: [] };
      });
      expect(await storage.deliveriesOf(tenant, [id], all)).toEqual([{ ...delivery, attempts: [attempt] }]);
      const read = fullSendRead(send, state, at(900));
      expect(await storage.findSend(tenant, id)).toEqual(read);
      expect((await storage.listSends(tenant, { ...all, sort: "status" })).sends).toEqual([read]);
      const [line] = await storage.listAudit(tenant, { limit: 1 });
      expect(line).toEqual({ ...audit, tenant, at: at(900), number: line?.number });
      const plan = { channel: send.channel, fallbackDelayMs: send.fallbackDelayMs, scheduledAt: send.scheduledAt };
      for (const one of [{ ...plan, ...send.details }, ...send.deliveries, send.idempotency, state, delivery, attempt, audit]) {
        expectAllDifferent(one);
      }
    });
  });
}
