import { type Inbox, NotificationService, type NotificationServiceOptions } from "@belfry/core";
import { testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";
import { sharedTransports } from "./shared-transports.ts";

const NEWS = { to: "everyone", type: "news", title: "For everyone" } as const;
const MINUTE_MS = 60_000;

onEveryStorage((database) => {
  describe("broadcasts with a status", () => {
    const service = async (options: Partial<NotificationServiceOptions> = {}) => {
      const notifications = stopsAfterTest(new NotificationService({ storage: database.storage(), logger: silent, ...options }));
      await notifications.start();
      return notifications;
    };
    const titles = async (inbox: Inbox) => (await inbox.list()).items.map(({ title }) => title);

    test("a scheduled one goes out at its time, on every instance, to whoever began before that", async () => {
      const clock = testClock();
      const transports = sharedTransports(database);
      const [here, there] = [await service({ ...transports(), clock }), await service({ ...transports(), clock })];
      const got: string[] = [];
      const listener = { onEvent: ({ seq }: { seq: number }) => void got.push(`there ${seq}`), onState() {} };
      await there.inbox("there").subscribe(listener).ready;
      await here.inbox("ann").counts();
      const scheduledAt = new Date(clock.now() + MINUTE_MS);
      const { notification } = await here.create({ ...NEWS, scheduledAt });
      expect(await here.get(notification.id)).toMatchObject({ status: "pending", scheduledAt, channels: ["inbox"] });
      expect(await titles(here.inbox("ann"))).toEqual([]);
      await clock.pass(MINUTE_MS / 2);
      // Who comes while it waits gets it; who comes after it does not.
      await there.inbox("meanwhile").counts();
      await clock.pass(MINUTE_MS);
      await expect.poll(async () => (await here.get(notification.id)).status).toBe("sent");
      await expect.poll(() => got).toEqual(["there 1"]);
      for (const userId of ["ann", "meanwhile"]) {
        const { items } = await here.inbox(userId).list();
        expect(items).toMatchObject([{ id: notification.id, seq: 1, createdAt: scheduledAt }]);
      }
      expect(await titles(here.inbox("late"))).toEqual([]);
      expect((await here.create({ ...NEWS, scheduledAt: new Date(clock.now() - MINUTE_MS) })).notification).toMatchObject({
        status: "sent",
      });
      expect(await titles(there.inbox("late"))).toHaveLength(1);
    });

    test("a scheduled one is changed, cancelled and deleted before its time", async () => {
      const clock = testClock();
      const notifications = await service({ clock });
      const changed: string[] = [];
      notifications.on("send.changed", ({ from, to }) => void changed.push(`${from} ${to}`));
      await notifications.inbox("ann").counts();
      const scheduledAt = new Date(clock.now() + MINUTE_MS);
      const created = async (title: string) => (await notifications.create({ ...NEWS, title, scheduledAt })).notification.id;
      const [right, wrong, gone] = [await created("Wrong"), await created("Cancelled"), await created("Deleted")];
      await notifications.update(right, { title: "Right" });
      expect(await notifications.cancel(wrong, { actor: "ann" })).toMatchObject({ status: "cancelled" });
      await expect(notifications.cancel(wrong)).rejects.toMatchObject({ code: "INVALID_STATE" });
      await notifications.delete(gone);
      const expired = await notifications.create({
        ...NEWS,
        title: "Expired",
        scheduledAt,
        expiresAt: new Date(clock.now() + MINUTE_MS / 2),
      });
      await clock.pass(2 * MINUTE_MS);
      await expect.poll(async () => (await notifications.get(right)).status).toBe("sent");
      await expect.poll(async () => (await notifications.get(expired.notification.id)).status).toBe("skipped");
      expect(await titles(notifications.inbox("ann"))).toEqual(["Right"]);
      expect(changed.toSorted()).toEqual(["pending cancelled", "pending sent", "pending skipped"]);
      await expect(notifications.update(right, { title: "Late" })).rejects.toMatchObject({ code: "INVALID_STATE" });
      expect((await notifications.operator.auditLog()).map(({ action, actor }) => `${action} ${actor}`)).toContain("cancelled ann");
    });

    test("a running one that is cancelled is placed in no further inbox; items stay", async () => {
      const notifications = await service();
      const [ann, bob] = [notifications.inbox("ann"), notifications.inbox("bob")];
      await Promise.all([ann.counts(), bob.counts()]);
      for (const input of [NEWS, { ...NEWS, idempotencyKey: "k" }]) {
        const { notification } = await notifications.create(input);
        const { total } = await ann.counts();
        await notifications.cancel(notification.id);
        expect(await ann.get(notification.id)).toMatchObject({ seq: total });
        await expect(bob.get(notification.id)).rejects.toMatchObject({ code: "FORBIDDEN" });
      }
      expect([(await ann.counts()).total, (await bob.counts()).total]).toEqual([2, 0]);
      await expect(notifications.cancel("0199d3c6-0000-7000-8000-000000000000")).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    test("a key makes it once: the same input answers the first one, another one is refused", async () => {
      const notifications = await service();
      await notifications.inbox("ann").counts();
      const input = { ...NEWS, idempotencyKey: "news 1", except: ["bob", "cyd"] };
      const [first, ...others] = await Promise.all([
        notifications.create(input),
        notifications.create({ ...input, except: ["cyd", "bob", "bob"], standing: false, actor: "ann" }),
        notifications.create(input),
      ]);
      expect(others.map(({ notification }) => notification.id)).toEqual([first.notification.id, first.notification.id]);
      expect(first.notification).toMatchObject({ status: "sent" });
      for (const other of [
        { ...input, title: "Other" },
        { ...input, except: "bob" },
        { ...input, standing: true },
        { ...input, to: "ann" },
      ]) {
        const { standing: _, ...named } = other as typeof input & { standing?: boolean };
        await expect(notifications.create(other.to === "everyone" ? other : named)).rejects.toMatchObject({
          code: "IDEMPOTENCY_KEY_REUSED",
        });
      }
      expect(await titles(notifications.inbox("ann"))).toEqual(["For everyone"]);
      await expect(notifications.prepare(input)).rejects.toThrow("idempotencyKey: has no use in a transaction of yours");
    });

    test("an operator sees that it is for everyone, and how it stands, also after its end", async () => {
      const clock = testClock();
      const notifications = await service({ clock });
      await notifications.inbox("ann").counts();
      const at = new Date(clock.now());
      const scheduledAt = new Date(clock.now() + MINUTE_MS);
      const plain = await notifications.create({ ...NEWS, standing: true, except: ["bob", "cyd"] });
      const later = await notifications.create({ ...NEWS, scheduledAt });
      await notifications.create({ to: "ann", title: "For one" });
      const stands = async ({ notification }: typeof plain) => (await notifications.timeline(notification.id)).broadcast;
      const usual = { endedAt: null, isStanding: false, exceptCount: 0, isReadingUsers: false, usersWaitSince: null };
      expect(await stands(plain)).toEqual({ ...usual, state: "sent", at, isStanding: true, exceptCount: 2 });
      expect(await stands(later)).toEqual({ ...usual, state: "scheduled", at: scheduledAt });
      const forEveryone = async () => {
        const { notifications: found } = await notifications.operator.search();
        return found.filter(({ isForEveryone }) => isForEveryone).map(({ id }) => id);
      };
      expect(await forEveryone()).toEqual([later.notification.id, plain.notification.id]);
      await notifications.inbox("ann").list();
      expect((await notifications.timeline(plain.notification.id)).itemCount).toBe(1);
      await clock.pass(2 * MINUTE_MS);
      await expect.poll(() => stands(later)).toEqual({ ...usual, state: "sent", at: scheduledAt });
      await notifications.cancel(later.notification.id);
      const endedAt = new Date(clock.now());
      expect(await stands(later)).toEqual({ ...usual, state: "ended", at: scheduledAt, endedAt });
      await notifications.cancel(plain.notification.id);
      const { broadcast, itemCount } = await notifications.timeline(plain.notification.id);
      expect([broadcast, itemCount]).toEqual([{ ...usual, state: "ended", at, endedAt, isStanding: true, exceptCount: 2 }, 1]);
      expect(await forEveryone()).toEqual([later.notification.id, plain.notification.id]);
      const never = await notifications.create({ ...NEWS, scheduledAt: new Date(clock.now() + MINUTE_MS) });
      await notifications.cancel(never.notification.id);
      expect(await stands(never)).toMatchObject({ state: "ended", endedAt });
      const expiresAt = new Date(clock.now() + MINUTE_MS);
      const short = await notifications.create({ ...NEWS, expiresAt });
      await notifications.inbox("ann").list();
      await clock.pass(2 * MINUTE_MS);
      expect(await stands(short)).toMatchObject({ state: "ended", endedAt: expiresAt });
      await notifications.stop();
      await notifications.start();
      await clock.pass(1);
      await expect.poll(() => stands(short)).toMatchObject({ state: "ended", endedAt: expiresAt });
    });

    test("in a transaction of the host's, a scheduled one commits or rolls back with it", async () => {
      const clock = testClock();
      const notifications = await service({ clock });
      await notifications.inbox("ann").counts();
      const scheduledAt = new Date(clock.now() + MINUTE_MS);
      const [kept, lost] = [await notifications.prepare({ ...NEWS, scheduledAt }), await notifications.prepare({ ...NEWS, scheduledAt })];
      await database.transaction((tx) => kept.write(tx));
      await database.rolledBack(async (tx) => {
        await lost.write(tx);
      });
      expect(await notifications.get(kept.notification.id)).toMatchObject({ status: "pending" });
      await expect(notifications.get(lost.notification.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
      await clock.pass(2 * MINUTE_MS);
      await expect.poll(() => titles(notifications.inbox("ann"))).toEqual(["For everyone"]);
    });
  });
});
