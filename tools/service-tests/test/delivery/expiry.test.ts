import { type Channel, type DeliveryOptions, defineTypes, NotificationService } from "@belfry/core";
import { recorder, testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { refusal } from "../refusal.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

onEveryStorage((database) => {
  describe("a notification that expires", () => {
    /** A service whose channel fails each attempt, and what it was given to deliver. */
    function setUp(delivery: DeliveryOptions = {}) {
      const clock = testClock();
      const attempts: number[] = [];
      const chat: Channel = {
        name: "chat",
        retryDelaysMs: [60_000, 60_000],
        timeoutMs: 5_000,
        invalidRecipient: () => null,
        async deliver({ attempt }) {
          attempts.push(attempt);
          return { status: "failed", transient: true, provider: "chat", error: "busy" };
        },
      };
      const service = stopsAfterTest(new NotificationService({ storage: database.storage(), channels: [chat], clock, delivery }));
      const later = (ms: number) => new Date(clock.now() + ms);
      return { service, clock, attempts, later };
    }

    test("before its time is skipped, and says why; its inbox item says when, and leaves the inbox", async () => {
      const { service, clock, attempts, later } = setUp();
      const expiresAt = later(1_000);
      // It is due when it has expired.
      const types = defineTypes({ news: { channels: { inbox: true, chat: { afterMs: 2_000 } } } });
      const options = {
        storage: database.storage(),
        types,
        clock,
        channels: [recorder({ name: "chat", isAddress: () => true })],
        delivery: { worker: false },
      };
      const other = stopsAfterTest(new NotificationService(options));
      const { notification } = await other.create({ to: "ann", type: "news", title: "Now or never", expiresAt });
      expect((await service.inbox("ann").list()).items[0]?.expiresAt).toEqual(expiresAt);
      await clock.pass(2_000);
      await service.runDue();
      const { deliveries } = await service.deliveries(notification.id);
      expect(
        deliveries.map(({ status, reason, reasonSource, attempt, attempts: tried }) => [status, reason, reasonSource, attempt, tried]),
      ).toEqual([
        ["skipped", "expired", "notification", 0, []],
        ["skipped", "expired", "notification", 0, []],
      ]);
      expect(attempts).toEqual([]);
      expect((await service.get(notification.id)).status).toBe("skipped");
      expect((await service.list({ status: ["skipped", "cancelled"] })).total).toBe(1);
      expect((await service.analytics()).byStatus).toMatchObject({ skipped: 1, pending: 0 });
      const timeline = await service.operator.timeline(notification.id);
      expect(timeline.deliveries[1]).toMatchObject({ status: "skipped", reason: "expired", reasonSource: "notification" });
      expect((await service.operator.search({ status: "skipped" })).notifications).toHaveLength(1);
      expect((await service.inbox("ann").list()).items).toEqual([]);
    });

    test("begins no other attempt after its time", async () => {
      const { service, clock, attempts, later } = setUp();
      const heard: string[] = [];
      service.on("delivery.skipped", ({ delivery, from }) => void heard.push(`${from} ${delivery.reason}`));
      const { notification } = await service.create({ to: "ann", channels: ["chat"], title: "Soon", expiresAt: later(30_000) });
      // The first attempt, while the clock stands still.
      await service.runDue();
      expect(await clock.until(async () => (await service.get(notification.id)).status === "skipped")).toBe(true);
      const { deliveries } = await service.deliveries(notification.id);
      expect(deliveries.map(({ status, attempt, attempts: tried }) => [status, attempt, tried.length])).toEqual([["skipped", 1, 1]]);
      expect([attempts, heard]).toEqual([[1], ["pending expired"]]);
    });

    test("is refused where that is past, with the value", async () => {
      const { service, later } = setUp();
      for (const channels of [["inbox"], ["chat"]]) {
        for (const expiresAt of [later(0), "2029-12-31T23:59:59Z"]) {
          const error = await refusal(service.create({ to: "ann", channels, title: "Late", expiresAt }));
          const said = `must be a time to come, is ${new Date(expiresAt).toISOString()}, and it is 2030-01-01T00:00:00.000Z`;
          expect(error.message).toBe(`expiresAt: ${said}; nobody would get it`);
        }
      }
    });

    test("is refused in words where that is no time", async () => {
      const { service } = setUp();
      for (const channels of [["inbox"], ["chat"]]) {
        const error = await refusal(service.create({ to: "ann", channels, title: "Soon", expiresAt: "tomorrow" }));
        expect(error.message).toBe('expiresAt: must be a time like 2030-01-31T12:00:00Z, of the years 1970 to 9999, is "tomorrow"');
      }
    });
  });
});
