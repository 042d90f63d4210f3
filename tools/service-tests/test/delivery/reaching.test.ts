import { type Channel, type Directory, defineTypes, NotificationService, type TrackedDelivery } from "@belfry/core";
import { recorder, testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const types = defineTypes({ plain: {}, both: { channels: ["inbox", "email"] }, mail: { channels: ["email"] } });
const texts = { title: "Hello", message: "World" };
const told = ({ recipient, channel, status, reason, reasonSource }: TrackedDelivery) => [recipient, channel, status, reason, reasonSource];

onEveryStorage((database) => {
  function setUp(
    directory: Directory = (ids) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }])),
    more: readonly Channel[] = [],
  ) {
    const clock = testClock();
    const email = recorder({ answer: () => ({ status: "sent" }) });
    const service = stopsAfterTest(
      new NotificationService({ storage: database.storage(), types, channels: [email, ...more], directory, clock, logger: silent }),
    );
    const mails = () => email.tasks.map(({ recipient, address }) => [recipient, address]);
    const deliveries = async (id: string) => (await service.deliveries(id)).deliveries.map(told);
    return { service, clock, mails, deliveries };
  }

  describe("a delivery over the inbox", () => {
    test("is sent once the user has the item, online or not, and delivered once it is read", async () => {
      const { service, deliveries } = setUp();
      const { notification } = await service.create({ to: ["ann", "bob"], type: "both", ...texts });
      await service.runDue();
      expect(await deliveries(notification.id)).toEqual([
        ["ann", "inbox", "sent", null, null],
        ["bob", "inbox", "sent", null, null],
        ["ann", "email", "sent", null, null],
        ["bob", "email", "sent", null, null],
      ]);
      expect((await service.get(notification.id)).status).toBe("sent");
      await service.inbox("ann").markRead(notification.id);
      expect((await deliveries(notification.id))[0]).toEqual(["ann", "inbox", "delivered", null, null]);
    });

    test("is sent as well where a fallback follows another channel", async () => {
      const { service, deliveries } = setUp(() => new Map(), [recorder({ name: "sms", isAddress: () => true })]);
      const input = { to: "ann", channels: ["email", "inbox"], fallback: { channel: "sms" } };
      const { notification } = await service.create({ ...input, type: "both", ...texts });
      await service.runDue();
      expect(await deliveries(notification.id)).toEqual([
        ["ann", "email", "skipped", "no_address", "directory"],
        ["ann", "sms", "delivered", null, null],
        ["ann", "inbox", "sent", null, null],
      ]);
    });

    test("is sent when its schedule places the item", async () => {
      const { service, clock, deliveries } = setUp();
      const scheduledAt = new Date(clock.now() + 60_000);
      const { notification } = await service.create({ to: "ann", type: "plain", ...texts, scheduledAt });
      await clock.pass(60_000);
      await service.runDue();
      expect(await deliveries(notification.id)).toEqual([["ann", "inbox", "sent", null, null]]);
      expect((await service.inbox("ann").list()).items).toHaveLength(1);
    });

    test("needs a connection where a fallback stands in at once, and a reader where it waits", async () => {
      const { service, clock, deliveries } = setUp();
      const atOnce = await service.create({ to: "ann", type: "plain", ...texts, fallback: true });
      const later = await service.create({ to: ["ann", "bob"], type: "plain", ...texts, fallback: { afterMs: 60_000 } });
      await service.runDue();
      expect(await deliveries(atOnce.notification.id)).toEqual([
        ["ann", "inbox", "failed", "offline", null],
        ["ann", "email", "sent", null, null],
      ]);
      expect((await service.get(atOnce.notification.id)).status).toBe("sent");
      expect((await deliveries(later.notification.id)).map((one) => one[2])).toEqual(["sent", "waiting", "sent", "waiting"]);
      await service.inbox("bob").markRead(later.notification.id);
      await clock.pass(60_000);
      await service.runDue();
      expect(await deliveries(later.notification.id)).toEqual([
        ["ann", "inbox", "failed", "no_ack", null],
        ["ann", "email", "sent", null, null],
        ["bob", "inbox", "delivered", null, null],
        ["bob", "email", "cancelled", null, null],
      ]);
    });
  });

  describe("an address that recipients share", () => {
    const family: Directory = (ids) => new Map(ids.map((id) => [id, { email: id === "cat" ? "cat@example.com" : "family@example.com" }]));

    test("gets a notification once over a channel, and the other recipients are skipped", async () => {
      const { service, mails, deliveries } = setUp(family);
      const { notification } = await service.create({ to: ["ann", "bob", "cat"], type: "mail", ...texts });
      const second = await service.create({ to: ["bob", { email: "family@example.com" }], type: "mail", ...texts });
      await service.runDue();
      const first = await deliveries(notification.id);
      expect(first.map((one) => one[2]).toSorted()).toEqual(["sent", "sent", "skipped"]);
      const skipped = (some: readonly (readonly unknown[])[]) =>
        some.filter(([, , status]) => status === "skipped").map((one) => one.slice(3));
      expect(skipped(first)).toEqual([["same_address", "notification"]]);
      expect(skipped(await deliveries(second.notification.id))).toEqual([["same_address", "notification"]]);
      expect((await service.get(notification.id)).status).toBe("sent");
      expect(
        mails()
          .map(([, address]) => address)
          .toSorted(),
      ).toEqual(["cat@example.com", "family@example.com", "family@example.com"]);
    });

    test("is reached by whoever wants it: who switched the channel off takes it from nobody", async () => {
      const { service, mails } = setUp(family);
      await service.preferences.set("ann", { all: true, channel: "email" }, "off");
      await service.create({ to: ["ann", "bob"], type: "mail", ...texts });
      await service.runDue();
      expect(mails()).toEqual([["bob", "family@example.com"]]);
    });

    test("gets one mail of fallbacks, too", async () => {
      const { service, mails, deliveries } = setUp(family);
      const { notification } = await service.create({ to: ["ann", "bob"], type: "plain", ...texts, fallback: true });
      await service.runDue();
      expect(mails()).toHaveLength(1);
      const all = await deliveries(notification.id);
      expect(all.map((one) => one[2]).toSorted()).toEqual(["failed", "failed", "sent", "skipped"]);
    });
  });
});
