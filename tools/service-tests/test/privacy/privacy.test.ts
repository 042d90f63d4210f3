import { NotificationService, type RetentionOptions } from "@belfry/core";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const DAY_MS = 86_400_000;

onEveryStorage((database) => {
  function setUp(retention?: RetentionOptions) {
    const state = { nowMs: Date.UTC(2030, 0, 1) };
    const clock = { now: () => state.nowMs, after: () => () => undefined };
    const options = { storage: database.storage(), clock, logger: silent, ...(retention === undefined ? {} : { retention }) };
    return { state, notifications: stopsAfterTest(new NotificationService(options)) };
  }

  describe("delete", () => {
    test("a message leaves every inbox, its followers hear of it, and who did it is on record", async () => {
      const { notifications } = setUp();
      const users = Array.from({ length: 250 }, (_, index) => `user ${index}`);
      const { notification } = await notifications.create({ to: users, title: "Secret" });
      await notifications.create({ to: "user 7", title: "Other" });
      const told: string[] = [];
      const subscription = notifications.inbox("user 7").subscribe({
        onEvent: ({ change, item }) => told.push(`${change} ${item?.title}`),
        onState: () => undefined,
      });
      await subscription.ready;
      await notifications.delete(notification.id.toUpperCase(), { actor: "ann" });
      await vi.waitFor(() => expect(told).toEqual(["deleted Secret"]));
      subscription.close();
      expect(await notifications.inbox("user 7").counts()).toMatchObject({ total: 1, unread: 1 });
      expect(await notifications.inbox("user 249").counts()).toMatchObject({ total: 0, unread: 0 });
      await expect(notifications.operator.timeline(notification.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
      expect((await notifications.sends.auditLog({ limit: 1 }))[0]).toMatchObject({ action: "deleted", actor: "ann" });
    });

    test("an unknown one, another tenant's and a bad actor are refused", async () => {
      const { notifications } = setUp();
      const { notification } = await notifications.tenant("acme").create({ to: "ann", title: "x" });
      for (const id of [notification.id, "01920000-0000-7000-8000-000000000000", "5", ""]) {
        await expect(notifications.delete(id)).rejects.toMatchObject({ code: "NOT_FOUND" });
      }
      await expect(notifications.delete(undefined as unknown as string)).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
      const acme = notifications.tenant("acme");
      await expect(acme.delete(notification.id, { actor: "" })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
      expect(await acme.inbox("ann").counts()).toMatchObject({ total: 1 });
    });
  });

  describe("retention", () => {
    test("each kind of data goes when its time is over", async () => {
      const { state, notifications } = setUp({
        readMs: 10 * DAY_MS,
        unreadMs: 30 * DAY_MS,
        types: { news: { unreadMs: DAY_MS } },
        eventsMs: 5 * DAY_MS,
        auditMs: 2 * DAY_MS,
      });
      const inbox = notifications.inbox("ann");
      for (const type of ["news", "bill", "bill", "last"]) {
        await notifications.create({ to: "ann", type, title: type });
      }
      await inbox.markRead({ seq: 2 });
      await notifications.hub.events.create({ source: "shop", sender: "cart", content: "An order" });
      const { id } = await inbox.get({ seq: 1 });
      await notifications.operator.note({ action: "read", notificationId: id });
      const sweepAfter = (days: number) => {
        state.nowMs += days * DAY_MS + 1;
        return notifications.sweep();
      };
      const left = async () => (await inbox.list()).items.map(({ seq }) => seq);
      expect(await sweepAfter(0)).toEqual({ items: 0, deliveries: 0, events: 0, audit: 0 });
      expect(await sweepAfter(1)).toEqual({ items: 1, deliveries: 0, events: 0, audit: 0 });
      expect(await left()).toEqual([4, 3, 2]);
      expect(await sweepAfter(1)).toEqual({ items: 0, deliveries: 0, events: 0, audit: 1 });
      expect(await sweepAfter(3)).toEqual({ items: 0, deliveries: 0, events: 1, audit: 0 });
      expect(await sweepAfter(5)).toEqual({ items: 1, deliveries: 0, events: 0, audit: 0 });
      expect(await sweepAfter(20)).toEqual({ items: 1, deliveries: 0, events: 0, audit: 0 });
      // The newest item stays, as it holds the inbox's last number.
      expect(await left()).toEqual([4]);
      expect(await inbox.counts()).toMatchObject({ total: 1, unread: 1 });
    });

    test("a start sweeps", async () => {
      const { state, notifications } = setUp({ unreadMs: DAY_MS });
      await notifications.create({ to: "ann", title: "old" });
      state.nowMs += 2 * DAY_MS;
      await notifications.create({ to: "ann", title: "new" });
      await notifications.start();
      await vi.waitFor(async () => expect((await notifications.inbox("ann").list()).items.map(({ title }) => title)).toEqual(["new"]));
    });

    test("nothing goes that has no limit, and sweep() answers what it removed", async () => {
      const { state, notifications } = setUp({ unreadMs: DAY_MS });
      for (let index = 0; index < 120; index += 1) {
        await notifications.create({ to: "ann", title: "x" });
      }
      for (const seq of [1, 2, 3]) {
        await notifications.inbox("ann").markRead({ seq });
      }
      expect(await notifications.sweep()).toEqual({ items: 0, deliveries: 0, events: 0, audit: 0 });
      state.nowMs += 2 * DAY_MS;
      expect(await notifications.sweep()).toEqual({ items: 116, deliveries: 0, events: 0, audit: 0 });
      expect(await notifications.inbox("ann").counts()).toMatchObject({ total: 4, unread: 1 });
    });

    test.each([
      [{ readMs: -1 }, "retention.readMs"],
      [{ auditMs: "1d" }, "retention.auditMs"],
      [{ types: { news: { unreadMs: Number.NaN } } }, 'retention.types["news"].unreadMs'],
    ])("%j is refused by name", (retention, named) => {
      expect(() => setUp(retention as unknown as RetentionOptions)).toThrow(named);
    });
  });
});
