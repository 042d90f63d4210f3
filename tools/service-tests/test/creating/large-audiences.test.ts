import { type Channel, defineTypes, NotificationService, type ShownDelivery } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import { recorder, testClock } from "@belfry/testkit/host";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

/** How many users the test of everyone has. */
const EVERYONE = process.env.BELFRY_LONG ? 100_000 : 2_500;
const PAGE = 1_000;
const HOUR_MS = 3_600_000;
const TIMEOUT = { timeout: 600_000 };
const WAIT = { timeout: 30_000, interval: 10 };

let keysMade = 0;

const types = defineTypes({
  news: { channels: ["inbox", "email"] },
  letter: { channels: ["email"] },
  note: {},
  optional: { channels: { inbox: { optional: true } } },
  limited: { channels: { email: { throttle: { max: 1, perMs: HOUR_MS }, digest: { windowMs: HOUR_MS } } } },
  keyed: { channels: { email: { digest: { windowMs: HOUR_MS, by: firstKey } } } },
});

/** Makes a key once, and then fails. */
function firstKey(): string {
  keysMade += 1;
  if (keysMade > 1) {
    throw new Error("There is one key.");
  }
  return "first";
}

onEveryStorage((database) => {
  interface Setting {
    readonly storage?: Storage;
    readonly channels?: readonly Channel[];
    readonly clock?: ReturnType<typeof testClock>;
    /** Whether it delivers. @default true */
    readonly worker?: boolean;
  }

  function serviceOn({ storage = database.storage(), channels = [recorder()], clock = testClock(), worker = true }: Setting = {}) {
    const directory = (ids: readonly string[]) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }]));
    return stopsAfterTest(new NotificationService({ storage, channels, types, directory, clock, logger: silent, delivery: { worker } }));
  }

  type Service = ReturnType<typeof serviceOn>;

  function users(count: number): readonly string[] {
    return Array.from({ length: count }, (_, index) => `user_${index}`).reverse();
  }

  async function deliveriesOf(service: Service, id: string): Promise<readonly ShownDelivery[]> {
    const all: ShownDelivery[] = [];
    for (let offset = 0; ; offset += PAGE) {
      const { deliveries } = await service.deliveries(id, { offset, limit: PAGE });
      all.push(...deliveries);
      // Others may be written meanwhile: the count of all may be of a later time than the pages.
      if (deliveries.length < PAGE) {
        return all;
      }
    }
  }

  function names(deliveries: readonly ShownDelivery[]): ReadonlySet<string> {
    return new Set(deliveries.map(({ recipient, channel }) => `${channel} ${recipient}`));
  }

  describe("a large audience with deliveries", () => {
    test("everyone gets one, also if the process is killed in the middle; who switched it off is skipped", TIMEOUT, async () => {
      const storage = database.storage();
      const clock = testClock();
      const first = serviceOn({ storage, clock, worker: false });
      for (let index = 0; index < EVERYONE; index += 10) {
        await first.preferences.set(`user_${index}`, { all: true, channel: "email" }, "off");
      }
      // The first process dies with a part that it has made, and not written.
      const write = storage.deliveries.writePart.bind(storage.deliveries);
      let isAlive = true;
      vi.spyOn(storage.deliveries, "writePart").mockImplementation(async (part, written, at) => {
        if (!isAlive) {
          throw new Error("killed");
        }
        isAlive = false;
        return write(part, written, at);
      });
      const { notification, items } = await first.create({ type: "letter", to: [...users(EVERYONE), "user_7"], title: "News" });
      expect(items).toEqual([]);
      expect(await first.get(notification.id)).toMatchObject({ status: "pending", recipients: [] });
      await first.runDue().catch(() => undefined);
      const mails = recorder();
      expect((await deliveriesOf(first, notification.id)).length).toBeLessThan(EVERYONE);
      const other = serviceOn({ channels: [mails], clock: testClock(new Date(clock.now() + HOUR_MS)) });
      // The part that the dead process took is left to it for some seconds.
      while ((await other.get(notification.id)).status === "pending") {
        await other.runDue();
      }
      expect((await other.get(notification.id)).status).toBe("delivered");
      const all = await deliveriesOf(other, notification.id);
      expect(all).toHaveLength(EVERYONE);
      expect(names(all).size).toBe(EVERYONE);
      expect(new Set(all.map(({ chain }) => chain)).size).toBe(EVERYONE);
      const skipped = all.filter(({ status }) => status === "skipped");
      expect(skipped).toHaveLength(EVERYONE / 10);
      expect(skipped[0]).toMatchObject({ reason: "preference", reasonSource: "user all email" });
      expect(mails.tasks).toHaveLength(EVERYONE - EVERYONE / 10);
    });

    test("items and mails of users and addresses together", TIMEOUT, async () => {
      const mails = recorder();
      const service = serviceOn({ channels: [mails] });
      const addresses = users(1_100).map((name) => ({ email: `${name}@other.example` }));
      const to = [...users(1_200), ...addresses, ...addresses];
      const { notification } = await service.create({ type: "news", to, except: "user_3", title: "News" });
      await service.runDue();
      const all = await deliveriesOf(service, notification.id);
      expect(all).toHaveLength(1_199 * 2 + 1_100);
      expect(names(all).size).toBe(all.length);
      expect(new Set(all.map(({ chain }) => chain)).size).toBe(all.length);
      expect(mails.tasks).toHaveLength(1_199 + 1_100);
      expect(await service.inbox("user_1199").counts()).toMatchObject({ total: 1, unread: 1 });
      expect(await service.inbox("user_3").counts()).toMatchObject({ total: 0 });
      expect((await service.analytics()).total).toBe(1);
    });

    test("users of a long list who have switched off the inbox for a type get no item, wherever they stand in it", TIMEOUT, async () => {
      const service = serviceOn();
      const off = ["user_0", "user_3000", "user_5999"];
      for (const userId of off) {
        await service.preferences.set(userId, { type: "optional", channel: "inbox" }, "off");
      }
      const told: (number | null)[] = [];
      service.on("notification.created", ({ recipients }) => void told.push(recipients));
      await service.create({ type: "optional", to: users(6_000), except: "user_7", title: "News" });
      await service.runDue();
      expect(told).toEqual([5_996]);
      const totalOf = async (userId: string) => (await service.inbox(userId).counts()).total;
      expect(await Promise.all([...off, "user_7"].map(totalOf))).toEqual([0, 0, 0, 0]);
      expect(await Promise.all(["user_1", "user_2999", "user_5998"].map(totalOf))).toEqual([1, 1, 1]);
    });

    test("a long list that names few users and addresses again and again reaches each of them once", TIMEOUT, async () => {
      const mails = recorder();
      const service = serviceOn({ channels: [mails] });
      const again = Array.from({ length: 600 }, () => ["ann", { email: "bob@other.example" }]).flat();
      const { notification } = await service.create({ type: "news", to: again, title: "News" });
      await service.runDue();
      expect(await deliveriesOf(service, notification.id)).toHaveLength(3);
      expect((await service.get(notification.id)).recipients).toEqual(["ann", "bob@other.example"]);
      const addresses = users(1_000).map((name) => ({ email: `${name}@other.example` }));
      const large = await service.create({ type: "news", to: ["cat", "cat", ...addresses], title: "News" });
      await service.runDue();
      expect(await deliveriesOf(service, large.notification.id)).toHaveLength(2 + 1_000);
      expect(mails.tasks).toHaveLength(2 + 1_001);
    });

    test("the key of a digest is made once, by the call, which a function of the type that fails refuses", TIMEOUT, async () => {
      keysMade = 0;
      const mails = recorder();
      const clock = testClock();
      const service = serviceOn({ channels: [mails], clock });
      const input = { type: "keyed", to: users(1_001), title: "News", message: "News" } as const;
      const { notification } = await service.create(input);
      await expect(service.create(input)).rejects.toMatchObject({ code: "RENDERING_FAILED" });
      await service.runDue();
      const [delivery] = await deliveriesOf(service, notification.id);
      expect(delivery).toMatchObject({ status: "pending", reason: "digest", digest: { plan: { key: "first" } } });
      expect(keysMade).toBe(2);
    });

    test("what a throttle refuses is put into digests at once", TIMEOUT, async () => {
      const service = serviceOn();
      const input = { type: "limited", to: users(1_001), title: "News", message: "News" } as const;
      await service.create(input);
      await service.runDue();
      const { notification } = await service.create(input);
      await vi.waitFor(async () => {
        const all = await deliveriesOf(service, notification.id);
        expect(all.filter(({ digest }) => digest !== null)).toHaveLength(1_001);
      }, WAIT);
    });

    test("a repetition with the same key answers the first, in whatever order the users are", async () => {
      const service = serviceOn();
      const input = { type: "letter", title: "News", idempotencyKey: "once" } as const;
      const first = await service.create({ ...input, to: users(1_500) });
      const again = await service.create({ ...input, to: [...users(1_500)].reverse() });
      expect(again.notification.id).toBe(first.notification.id);
      await expect(service.create({ ...input, to: users(1_501) })).rejects.toMatchObject({ code: "IDEMPOTENCY_KEY_REUSED" });
      await service.runDue();
      expect(await deliveriesOf(service, first.notification.id)).toHaveLength(1_500);
    });

    test("a schedule and a fallback hold for each of them", async () => {
      const clock = testClock();
      const service = serviceOn({ clock });
      const scheduledAt = new Date(clock.now() + HOUR_MS);
      const { notification } = await service.create({
        ...{ type: "note", to: users(1_500), title: "News", scheduledAt },
        fallback: { channel: "email", afterMs: HOUR_MS },
      });
      await service.runDue();
      const all = await deliveriesOf(service, notification.id);
      expect(all).toHaveLength(3_000);
      expect(all.filter(({ isFallback, status }) => isFallback && status === "waiting")).toHaveLength(1_500);
      expect(all.filter(({ isFallback, dueAt }) => !isFallback && dueAt?.getTime() === scheduledAt.getTime())).toHaveLength(1_500);
      expect(await service.inbox("user_1").counts()).toMatchObject({ total: 0 });
    });

    test("a cancelled one goes to nobody who has not got it yet", async () => {
      const mails = recorder();
      const clock = testClock();
      // With a worker, some of it could be on its way before it is cancelled.
      const idle = serviceOn({ channels: [mails], clock, worker: false });
      const { notification } = await idle.create({ type: "letter", to: users(1_500), title: "News" });
      expect(await idle.cancel(notification.id, { actor: "ann" })).toMatchObject({ status: "cancelled" });
      const service = serviceOn({ channels: [mails], clock });
      await service.runDue();
      expect(mails.tasks).toEqual([]);
      await expect(service.cancel(notification.id)).rejects.toMatchObject({ code: "INVALID_STATE" });
      const scheduled = await service.create({
        ...{ type: "letter", to: users(1_500), title: "News" },
        scheduledAt: new Date(clock.now() + HOUR_MS),
      });
      await service.runDue();
      expect(await service.cancel(scheduled.notification.id)).toMatchObject({ status: "cancelled" });
      expect((await service.operator.auditLog({ limit: 1 }))[0]).toMatchObject({ action: "cancelled" });
      expect(new Set((await deliveriesOf(service, scheduled.notification.id)).map(({ status }) => status))).toEqual(new Set(["cancelled"]));
    });

    test("an expired one is not written any further", async () => {
      const clock = testClock();
      const service = serviceOn({ clock });
      const { notification } = await service.create({
        ...{ type: "letter", to: users(1_500), title: "News" },
        expiresAt: new Date(clock.now() + HOUR_MS),
      });
      await clock.pass(HOUR_MS);
      await service.runDue();
      expect(await service.get(notification.id)).toMatchObject({ status: "skipped" });
      expect(await deliveriesOf(service, notification.id)).toEqual([]);
    });

    test("failed deliveries are retried page by page", async () => {
      let isDown = true;
      const mails = recorder({ answer: () => (isDown ? { status: "failed", transient: false, error: "down" } : undefined) });
      const service = serviceOn({ channels: [mails] });
      const { notification } = await service.create({ type: "letter", to: users(1_200), title: "News" });
      await service.runDue();
      expect(await service.get(notification.id)).toMatchObject({ status: "failed" });
      isDown = false;
      await service.retry(notification.id);
      await service.runDue();
      expect(await service.get(notification.id)).toMatchObject({ status: "delivered" });
      await expect(service.retry(notification.id)).rejects.toMatchObject({ code: "INVALID_STATE" });
    });

    test("a user who is deleted meanwhile gets none, and the others do", async () => {
      const service = serviceOn();
      const { notification } = await service.create({ type: "letter", to: users(1_200), title: "News" });
      await service.deleteUser("user_5");
      await service.runDue();
      const all = await deliveriesOf(service, notification.id);
      expect(all).toHaveLength(1_199);
      expect(names(all).has("email user_5")).toBe(false);
      expect(await service.get(notification.id)).toMatchObject({ status: "delivered" });
    });

    test("the status counts all, also if the first part has one delivery alone, which ends before the others are there", async () => {
      const storage = database.storage();
      const devices = recorder({ name: "push" });
      const service = serviceOn({ storage, channels: [devices, recorder()] });
      const write = storage.deliveries.writePart.bind(storage.deliveries);
      let written = 0;
      vi.spyOn(storage.deliveries, "writePart").mockImplementation(async (part, ...rest) => {
        written += 1;
        if (written === 2) {
          await vi.waitFor(async () => {
            const [first] = (await service.deliveries(part.notification.id)).deliveries;
            expect(first?.status).toBe("delivered");
          }, WAIT);
        }
        return write(part, ...rest);
      });
      const to = [{ push: "device:1" }, ...users(1_100).map((name) => ({ email: `${name}@example.com` }))];
      const { notification } = await service.create({ type: "letter", to, title: "News" });
      await service.runDue();
      expect(await deliveriesOf(service, notification.id)).toHaveLength(1_101);
      expect(await service.get(notification.id)).toMatchObject({ status: "delivered" });
    });

    test("in a transaction of the host it goes out after the commit, and never without one", async () => {
      const mails = recorder();
      const service = serviceOn({ channels: [mails] });
      const gone = await service.prepare({ type: "letter", to: users(1_200), title: "Gone" });
      await database.rolledBack((tx) => gone.write(tx as never));
      const kept = await service.prepare({ type: "letter", to: users(1_200), title: "Kept" });
      await database.transaction((tx) => kept.write(tx as never));
      await vi.waitFor(async () => {
        await service.runDue();
        expect(await service.get(kept.notification.id)).toMatchObject({ status: "delivered" });
      }, WAIT);
      expect(new Set(mails.tasks.map(({ title }) => title))).toEqual(new Set(["Kept"]));
      await expect(service.get(gone.notification.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    });
  });
});
