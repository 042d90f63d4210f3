import { type Channel, type Directory, defineTypes, NotificationService, type NotificationServiceOptions } from "@belfry/core";
import { recorder, testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const NEWS = { to: "everyone", type: "news", title: "For everyone", message: "Hello" } as const;
const types = defineTypes({ news: { channels: ["inbox", "email"] }, note: {} });
const WAIT = { timeout: 50_000, interval: 10 };

/** A directory that pages users whose names are their numbers; its cursors are numbers, too. */
function pagedBy(users: number, { size = 100, asked = [] as (string | null)[] } = {}) {
  const contacts = (ids: readonly string[]) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }]));
  return Object.assign(contacts, {
    async everyone(cursor: string | null) {
      asked.push(cursor);
      const from = Number(cursor ?? 0);
      const to = Math.min(users, from + size);
      return { users: Array.from({ length: to - from }, (_, index) => `user ${from + index}`), next: to < users ? String(to) : null };
    },
  }) satisfies Directory;
}

onEveryStorage((database) => {
  describe("broadcasts over other channels than the inbox", () => {
    const service = async (options: Partial<NotificationServiceOptions> & { readonly channels: readonly Channel[] }) => {
      const notifications = new NotificationService({ storage: database.storage(), logger: silent, types, ...options } as never);
      await stopsAfterTest(notifications).start();
      return notifications as NotificationService;
    };
    const settled = async (notifications: NotificationService, id: string) =>
      await expect.poll(async () => (await notifications.get(id)).status, WAIT).toMatch(/^(sent|delivered)$/);
    /** Lets the clock pass until so many deliveries were made. */
    const delivered = async (channel: ReturnType<typeof recorder>, clock: ReturnType<typeof testClock>, count: number) => {
      const passed = async () => {
        await clock.pass(1_000);
        return channel.tasks.length;
      };
      await expect.poll(passed, WAIT).toBe(count);
    };
    const recipients = (channel: ReturnType<typeof recorder>) => channel.tasks.map(({ recipient }) => recipient).toSorted();

    test("everyone gets it once over each, and the inbox stays one row", async () => {
      const [channel, asked] = [recorder(), [] as (string | null)[]];
      const notifications = await service({ channels: [channel], directory: pagedBy(1_050, { size: 250, asked }) });
      await notifications.inbox("user 7").counts();
      await notifications.preferences.set("user 8", { type: "news", channel: "email" }, "off");
      const { notification } = await notifications.create({ ...NEWS, except: ["user 9", "nobody"] });
      await settled(notifications, notification.id);
      const expected = Array.from({ length: 1_050 }, (_, index) => `user ${index}`).filter((name) => !["user 8", "user 9"].includes(name));
      expect(recipients(channel)).toEqual(expected.toSorted());
      expect(asked).toEqual([null, "250", "500", "750", "1000"]);
      expect(await notifications.inbox("user 7").get(notification.id)).toMatchObject({ seq: 1 });
      const { total } = await notifications.deliveries(notification.id);
      expect(total).toBe(expected.length + 1);
    });

    test("a page that cannot be read is asked for again", async () => {
      const clock = testClock();
      const channel = recorder();
      const directory = pagedBy(20, { size: 10 });
      const answers: unknown[] = [new Error("away"), { users: "no list" }, { users: ["ann", 7] }, { users: ["ann"], next: "" }];
      const everyone = async (cursor: string | null) => {
        const answer = answers.shift();
        if (answer instanceof Error) {
          throw answer;
        }
        return (answer ?? directory.everyone(cursor)) as never;
      };
      const notifications = await service({ channels: [channel], directory: Object.assign(pagedBy(0), { everyone }), clock });
      const { notification } = await notifications.create({ ...NEWS, channels: ["email"] });
      await delivered(channel, clock, 20);
      expect(answers).toEqual([]);
      await settled(notifications, notification.id);
      expect(new Set(recipients(channel)).size).toBe(20);
    });

    test("cursors that lead in a circle are not followed for ever, and whoever is named again gets it once", async () => {
      const clock = testClock();
      const channel = recorder();
      const last = 40;
      let isRepaired = false;
      let pages = 0;
      const everyone = async (cursor: string | null) => {
        pages += 1;
        const page = Number(cursor ?? 0);
        return { users: [`user ${page}`], next: page < last ? String(page + 1) : isRepaired ? null : "5" };
      };
      const warned: string[] = [];
      const logger = { ...silent, warn: (_: unknown, text = "") => void warned.push(text) };
      const notifications = await service({ channels: [channel], directory: Object.assign(pagedBy(0), { everyone }), clock, logger });
      const { notification } = await notifications.create({ ...NEWS, channels: ["email"] });
      await expect.poll(() => warned, WAIT).toContainEqual(expect.stringContaining("could not be read"));
      expect(pages).toBeLessThan(4 * last);
      isRepaired = true;
      const passed = async () => {
        await clock.pass(1_000);
        return (await notifications.get(notification.id)).status;
      };
      await expect.poll(passed, WAIT).toMatch(/^(sent|delivered)$/);
      expect(recipients(channel)).toEqual(Array.from({ length: last + 1 }, (_, page) => `user ${page}`).toSorted());
    });

    test("a scheduled one asks for users at its time; a cancelled one asks no more", async () => {
      const clock = testClock();
      const [channel, asked] = [recorder(), [] as (string | null)[]];
      let hold: Promise<void> | null = null;
      const directory = pagedBy(30, { size: 10, asked });
      const everyone = async (cursor: string | null) => {
        await hold;
        return directory.everyone(cursor);
      };
      const notifications = await service({ channels: [channel], directory: Object.assign(pagedBy(0), { everyone }), clock });
      await notifications.inbox("user 1").counts();
      const scheduledAt = new Date(clock.now() + 60_000);
      const { notification } = await notifications.create({ ...NEWS, scheduledAt });
      await clock.pass(30_000);
      expect(asked).toEqual([]);
      await delivered(channel, clock, 30);
      await settled(notifications, notification.id);
      expect(asked).toEqual([null, "10", "20"]);
      expect(await notifications.inbox("user 1").get(notification.id)).toMatchObject({ createdAt: scheduledAt });
      let release = () => {};
      hold = new Promise<void>((resolve) => {
        release = resolve;
      });
      const wrong = await notifications.create(NEWS);
      expect(await notifications.cancel(wrong.notification.id)).toMatchObject({ status: "sent" });
      release();
      await notifications.stop();
      expect(asked.length).toBeLessThanOrEqual(4);
      expect(channel.tasks).toHaveLength(30);
    });

    test("one that is under way is changed where it is placed, too, who follows is told, and counts stay", async () => {
      let release = () => {};
      const hold = new Promise<void>((resolve) => {
        release = resolve;
      });
      const directory = pagedBy(5);
      const everyone = async (cursor: string | null) => {
        await hold;
        return directory.everyone(cursor);
      };
      const channel = recorder();
      const notifications = await service({ channels: [channel], directory: Object.assign(pagedBy(5), { everyone }) });
      const told: string[] = [];
      const [ann, bob] = [notifications.inbox("ann"), notifications.inbox("bob")];
      const follower = { onEvent: ({ change, seq }: { change: string; seq: number }) => void told.push(`${change} ${seq}`), onState() {} };
      await ann.subscribe(follower).ready;
      await bob.counts();
      const { notification } = await notifications.create({ ...NEWS, title: "Wrong" });
      await expect.poll(() => told, WAIT).toEqual(["created 1"]);
      await notifications.update(notification.id, { title: "Right" });
      await expect.poll(() => told, WAIT).toEqual(["created 1", "updated 1"]);
      for (const inbox of [ann, bob]) {
        const { items, counts } = await inbox.list();
        expect([items.map(({ title }) => title), counts.total, counts.unread, counts.lastSeq]).toEqual([["Right"], 1, 1, 1]);
      }
      release();
      await settled(notifications, notification.id);
      expect(channel.tasks.map(({ title }) => title)).toEqual(Array.from({ length: 5 }, () => "Right"));
    });

    test("a change of one that is in many inboxes is told once in each, also after a stop of the process that made it", async () => {
      const users = Array.from({ length: 120 }, (_, index) => `user ${index}`).toSorted();
      const last = users.at(-1) ?? "";
      const everyone = async () => await new Promise<never>(() => {});
      const options = () => ({ channels: [recorder()], directory: Object.assign(pagedBy(0), { everyone }) });
      const first = await service(options());
      await Promise.all(users.map((user) => first.inbox(user).counts()));
      const { notification } = await first.create({ ...NEWS, title: "Wrong" });
      await Promise.all(users.map((user) => first.inbox(user).list()));
      await first.update(notification.id, { title: "Right" });
      await first.stop();
      const second = await service(options());
      const changesOf = async (user: string) => (await second.inbox(user).counts()).rev;
      await expect.poll(() => changesOf(last), WAIT).toBe(1);
      expect(await Promise.all(users.map(changesOf))).toEqual(users.map(() => 1));
      const told: string[] = [];
      const onEvent = ({ change, item }: { change: string; item: { title: string } | null }) => void told.push(`${change} ${item?.title}`);
      await second.inbox(last).subscribe({ onEvent, onState() {} }).ready;
      await second.update(notification.id, { title: "Better" });
      await expect.poll(() => told, WAIT).toEqual(["updated Better"]);
      expect(await Promise.all(users.map(changesOf))).toEqual(users.map(() => 2));
      expect((await second.inbox("user 0").list()).items).toMatchObject([{ title: "Better", seq: 1 }]);
    });

    test("a user who is deleted while the host is asked for a page gets nothing, though the page names them", async () => {
      let release = () => {};
      let asked = 0;
      const hold = new Promise<void>((resolve) => {
        release = resolve;
      });
      const directory = pagedBy(5);
      const everyone = async (cursor: string | null) => {
        asked += 1;
        await hold;
        return directory.everyone(cursor);
      };
      const channel = recorder();
      const notifications = await service({ channels: [channel], directory: Object.assign(pagedBy(5), { everyone }) });
      const { notification } = await notifications.create({ ...NEWS, except: "user 3" });
      await expect.poll(() => asked, WAIT).toBe(1);
      for (const gone of ["user 2", "user 3"]) {
        await notifications.deleteUser(gone);
      }
      release();
      await settled(notifications, notification.id);
      expect(recipients(channel)).toEqual(["user 0", "user 1", "user 4"]);
    });

    test("in a transaction of the host's, it goes out with its commit alone", async () => {
      const [channel, asked] = [recorder(), [] as (string | null)[]];
      const notifications = await service({ channels: [channel], directory: pagedBy(20, { asked }) });
      const [lost, kept] = [await notifications.prepare(NEWS), await notifications.prepare(NEWS)];
      await database.rolledBack(async (tx) => {
        await lost.write(tx as never);
      });
      await database.transaction((tx) => kept.write(tx as never));
      await settled(notifications, kept.notification.id);
      expect(channel.tasks).toHaveLength(20);
      expect(asked).toEqual([null]);
      await expect(notifications.get(lost.notification.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    test("without such a directory it is refused, and says what to do", async () => {
      const notifications = await service({ channels: [recorder()] });
      const refused = expect(notifications.create(NEWS)).rejects;
      await refused.toThrow('channels: reach everyone over "email" only where the service\'s directory pages its users');
      await expect(notifications.create({ ...NEWS, channels: ["inbox"] })).resolves.toMatchObject({ items: [] });
      const options = { storage: database.storage(), directory: Object.assign(() => new Map(), { everyone: "all" }) };
      expect(() => new NotificationService(options as never)).toThrow("takes as everyone of a directory a function of a cursor");
    });

    test("as long as no process can read its users, the timeline and the log say so", async () => {
      const clock = testClock();
      const channel = recorder();
      const never = async () => await new Promise<never>(() => {});
      const first = await service({ channels: [channel], directory: Object.assign(pagedBy(0), { everyone: never }), clock });
      const { notification } = await first.create({ ...NEWS, channels: ["email"] });
      await first.stop();
      const warnings: object[] = [];
      const logger = { ...silent, warn: (fields: object, message: string) => void warnings.push({ ...fields, message }) };
      const since = new Date(clock.now());
      // It knows addresses, and takes part in the deliveries later on.
      const contacts: Directory = (ids) => pagedBy(0)(ids);
      const second = await service({ channels: [channel], directory: contacts, clock, logger });
      const waitsSince = async () => (await second.timeline(notification.id)).broadcast?.usersWaitSince ?? null;
      expect(await waitsSince()).toBeNull();
      await clock.pass(31_000);
      expect(await waitsSince()).toEqual(since);
      const warned = async () => {
        await clock.pass(1_000);
        return warnings[0];
      };
      const message = expect.stringContaining("everyone(cursor)");
      await expect.poll(warned, WAIT).toMatchObject({ notificationId: notification.id, since: since.toISOString(), message });
      const third = await service({ channels: [channel], directory: pagedBy(20), clock });
      await delivered(channel, clock, 20);
      await settled(third, notification.id);
      expect(await waitsSince()).toBeNull();
    });

    test("a stop ends a call of the directory, and the next start asks for that page again", async () => {
      const channel = recorder();
      let waiting = 0;
      const never = async () => {
        waiting += 1;
        return await new Promise<never>(() => {});
      };
      const first = await service({ channels: [channel], directory: Object.assign(pagedBy(0), { everyone: never }) });
      const { notification } = await first.create({ ...NEWS, channels: ["email"] });
      await expect.poll(() => waiting, WAIT).toBe(1);
      await first.stop();
      const second = await service({ channels: [channel], directory: pagedBy(20) });
      await settled(second, notification.id);
      expect(channel.tasks).toHaveLength(20);
    });
  });
});
