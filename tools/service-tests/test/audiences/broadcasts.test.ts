import { randomInt } from "node:crypto";
import { defineTypes, type Inbox, type InboxItem, NotificationService, type NotificationServiceOptions } from "@belfry/core";
import { testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";
import { walk } from "./broadcast-walk.ts";
import { sharedTransports } from "./shared-transports.ts";

const NEWS = { to: "everyone", type: "news", title: "For everyone" } as const;

onEveryStorage((database) => {
  describe("broadcasts", () => {
    const service = async (options: Partial<NotificationServiceOptions> = {}) => {
      const notifications = stopsAfterTest(new NotificationService({ storage: database.storage(), logger: silent, ...options }));
      await notifications.start();
      return notifications;
    };
    const titles = async (inbox: Inbox) => (await inbox.list()).items.map(({ title }) => title);

    test("everyone whose inbox has begun gets one with the next operation, whichever it is; who comes later does not", async () => {
      const notifications = await service();
      const operations: Readonly<Record<string, (inbox: Inbox) => unknown>> = {
        list: (inbox) => inbox.list(),
        listStored: (inbox) => inbox.listStored(),
        counts: (inbox) => inbox.counts(),
        "counts of filters": (inbox) => inbox.counts({ filters: [{ types: ["news"] }] }),
        unread: (inbox) => inbox.readUnread(),
        groups: (inbox) => inbox.groups(),
        top: (inbox) => inbox.top(),
        "mark many": (inbox) => inbox.markMany([{ seq: 1 }], "seen"),
        "mark all": (inbox) => inbox.markAllRead(),
        "mark all seen": (inbox) => inbox.markAllSeen(),
        "archive all": (inbox) => inbox.archiveAll({ filter: { types: ["nothing"] } }),
        "remove read": (inbox) => inbox.removeRead(),
        subscribe: (inbox) => inbox.subscribe({ onEvent() {}, onState() {} }).ready,
      };
      const names = Object.keys(operations);
      // Each of them begins an inbox, too.
      for (const name of names) {
        await operations[name]?.(notifications.inbox(name));
      }
      const { notification, items } = await notifications.create({ ...NEWS, data: { n: 1 } });
      expect(items).toEqual([]);
      await notifications.inbox("late").list();
      for (const name of names) {
        const inbox = notifications.inbox(name);
        await operations[name]?.(inbox);
        const { lastSeq } = await inbox.counts();
        expect([name, lastSeq]).toEqual([name, 1]);
        const item = await inbox.get(notification.id);
        expect(item).toMatchObject({ seq: 1, title: "For everyone", createdAt: notification.createdAt, data: { n: 1 } });
      }
      expect(await titles(notifications.inbox("late"))).toEqual([]);
    });

    test("a choice, a setting, a mute or a subscription makes a user known: later ones are theirs, earlier ones are not", async () => {
      const notifications = await service();
      await notifications.create({ ...NEWS, title: "Earlier" });
      const { preferences, topics } = notifications;
      const known: Readonly<Record<string, () => Promise<unknown>>> = {
        choice: () => preferences.set("choice", { type: "other", channel: "inbox" }, "off"),
        setting: () => preferences.setSettings("setting", { timeZone: "Europe/Berlin" }),
        mute: () => topics.mute("post:7", "mute"),
        subscription: () => topics.subscribe("post:7", ["subscription", "another"]),
      };
      for (const make of Object.values(known)) {
        await make();
        await make();
      }
      await preferences.defaults.set({ type: "other", channel: "inbox" }, "off");
      await notifications.create({ ...NEWS, title: "Later" });
      for (const userId of [...Object.keys(known), "another"]) {
        expect([userId, ...(await titles(notifications.inbox(userId)))]).toEqual([userId, "Later"]);
      }
      expect(await titles(notifications.inbox("stranger"))).toEqual([]);
    });

    test("an item that is not there yet is found, and marked, by the broadcast's id", async () => {
      const notifications = await service();
      await notifications.inbox("ann").counts();
      await notifications.inbox("bob").counts();
      const { notification } = await notifications.create(NEWS);
      expect(await notifications.inbox("ann").get(notification.id)).toMatchObject({ seq: 1 });
      expect(await notifications.inbox("bob").markRead(notification.id)).toMatchObject({ seq: 1 });
      expect((await notifications.inbox("ann").counts()).unread).toBe(1);
    });

    test("who is connected gets it at once, on every instance, also in a transaction of the host's, after its commit", async () => {
      const transports = sharedTransports(database);
      const [here, there] = [await service(transports()), await service(transports())];
      const got: string[] = [];
      for (const [name, notifications] of [
        ["here", here],
        ["there", there],
        ["both", here],
        ["both", there],
      ] as const) {
        const listener = {
          onEvent: ({ item, seq }: { item: InboxItem | null; seq: number }) => void got.push(`${name} ${seq} ${item?.title}`),
          onState() {},
        };
        await notifications.inbox(name).subscribe(listener).ready;
      }
      await here.create(NEWS);
      const both = (seq: number) => ["both", "both", "here", "there"].map((name) => `${name} ${seq} For everyone`);
      await expect.poll(() => got.toSorted()).toEqual(both(1));
      const batch = await there.prepare(NEWS);
      await database.rolledBack(async (tx) => {
        await batch.write(tx);
      });
      const kept = await there.prepare(NEWS);
      await database.transaction((tx) => kept.write(tx));
      await expect.poll(() => got.toSorted()).toEqual([...both(1), ...both(2)].toSorted());
      expect((await here.inbox("here").counts()).total).toBe(2);
    });

    test("a transaction of the host's that rolls back leaves nothing", async () => {
      const notifications = await service();
      await notifications.inbox("ann").counts();
      const batch = await notifications.prepare(NEWS);
      await database.rolledBack(async (tx) => {
        await batch.write(tx);
      });
      expect(await titles(notifications.inbox("ann"))).toEqual([]);
      await notifications.create({ ...NEWS, title: "Later" });
      expect(await titles(notifications.inbox("ann"))).toEqual(["Later"]);
    });

    test("a read by one hides it from nobody; exceptions, and who switched it off, do not get it", async () => {
      const types = defineTypes({ news: { label: "News", channels: { inbox: { optional: true } } }, alert: { label: "Alert" } });
      const notifications = await service({ types } as object);
      for (const userId of ["ann", "bob", "cyd", "dan"]) {
        await notifications.inbox(userId).counts();
      }
      await notifications.preferences.set("cyd", { type: "news", channel: "inbox" }, "off");
      await notifications.create({ ...NEWS, except: "dan" });
      await notifications.inbox("ann").markAllRead();
      const unread = async () =>
        Promise.all(["ann", "bob", "cyd", "dan"].map(async (userId) => (await notifications.inbox(userId).counts()).unread));
      expect(await unread()).toEqual([0, 1, 0, 0]);
      await notifications.create({ ...NEWS, type: "alert" });
      expect(await unread()).toEqual([1, 2, 1, 1]);
    });

    test("expired ones are not placed, and placed ones leave; deleting one stops it everywhere", async () => {
      const clock = testClock();
      const notifications = await service({ clock });
      const [ann, bob, cyd] = ["ann", "bob", "cyd"].map((userId) => notifications.inbox(userId)) as [Inbox, Inbox, Inbox];
      for (const inbox of [ann, bob, cyd]) {
        await inbox.counts();
      }
      await notifications.create({ ...NEWS, title: "Short", expiresAt: new Date(clock.now() + 60_000) });
      const { notification } = await notifications.create({ ...NEWS, title: "Wrong" });
      expect(await titles(ann)).toEqual(["Wrong", "Short"]);
      await clock.pass(61_000);
      await expect.poll(() => titles(ann)).toEqual(["Wrong"]);
      expect(await titles(bob)).toEqual(["Wrong"]);
      await notifications.delete(notification.id);
      expect(await Promise.all([ann, bob, cyd].map(titles))).toEqual([[], [], []]);
    });

    test("one that is deleted while it is being placed ends everywhere, and later ones go on; without deliveries it is not edited", async () => {
      const notifications = await service();
      const inboxes = Array.from({ length: 30 }, (_, index) => notifications.inbox(`user ${index}`));
      await Promise.all(inboxes.map((inbox) => inbox.counts()));
      const { notification } = await notifications.create({ ...NEWS, title: "Wrong" });
      await expect(notifications.update(notification.id, { title: "Right" })).rejects.toMatchObject({ code: "NOT_FOUND" });
      expect(await titles(inboxes[0] as Inbox)).toEqual(["Wrong"]);
      await Promise.all([...inboxes.map((inbox) => inbox.list()), notifications.delete(notification.id)]);
      await notifications.create({ ...NEWS, title: "Right" });
      for (const inbox of inboxes) {
        await expect.poll(() => titles(inbox)).toEqual(["Right"]);
        expect(await inbox.counts()).toMatchObject({ total: 1, unread: 1 });
        await expect(inbox.get(notification.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
      }
      await expect(notifications.delete(notification.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    test("a standing one is for who comes later, too; who missed many gets them step by step, in order", async () => {
      const notifications = await service();
      await notifications.inbox("ann").counts();
      await notifications.create({ ...NEWS, title: "Welcome", standing: true });
      for (let number = 1; number <= 250; number += 1) {
        await notifications.create({ ...NEWS, title: `${number}` });
      }
      expect(await titles(notifications.inbox("bob"))).toEqual(["Welcome"]);
      const ann = notifications.inbox("ann");
      expect((await ann.counts()).total).toBeGreaterThanOrEqual(100);
      await expect.poll(async () => (await ann.counts()).total).toBe(251);
      const { items } = await ann.list({ limit: 300 });
      expect(items.map(({ title }) => title)).toEqual([...Array.from({ length: 250 }, (_, index) => `${250 - index}`), "Welcome"]);
      expect(await ann.counts()).toMatchObject({ lastSeq: 251, unread: 251 });
    });

    test("whoever the directory has known before a broadcast gets it with the first operation", async () => {
      const clock = testClock();
      const joined = new Map([["old", new Date(clock.now() - 1_000)]]);
      const directory = async (ids: readonly string[]) =>
        new Map(ids.map((id) => [id, { ...(joined.has(id) ? { joinedAt: joined.get(id) as Date } : {}) }]));
      const notifications = await service({ clock, directory } as object);
      await notifications.create(NEWS);
      await clock.pass(1_000);
      joined.set("new", new Date(clock.now()));
      await notifications.create({ to: "old", title: "For you" });
      expect((await titles(notifications.inbox("old"))).toSorted()).toEqual(["For everyone", "For you"]);
      expect(await titles(notifications.inbox("new"))).toEqual([]);
      expect(await titles(notifications.inbox("stranger"))).toEqual([]);
    });

    test("a user whom the directory fails for can follow their inbox, holds up nobody else, and gets it once the directory answers", async () => {
      let isAway = true;
      const directory = async (ids: readonly string[]) => {
        if (isAway && ids.includes("ann")) {
          throw new Error("away");
        }
        return new Map(ids.map((id) => [id, { joinedAt: new Date(0) }]));
      };
      const notifications = await service({ directory });
      await notifications.create({ ...NEWS, title: "Earlier" });
      const told: string[] = [];
      for (const user of ["ann", "bob"]) {
        const onEvent = ({ item }: { item: { title: string } | null }) => void told.push(`${user} ${item?.title}`);
        await notifications.inbox(user).subscribe({ onEvent, onState() {} }).ready;
      }
      expect(await titles(notifications.inbox("ann"))).toEqual([]);
      await notifications.create({ ...NEWS, title: "Later" });
      await expect.poll(() => told.filter((line) => line.startsWith("bob"))).toEqual(["bob Later"]);
      isAway = false;
      await expect.poll(() => told.filter((line) => line.startsWith("ann"))).toEqual(["ann Earlier", "ann Later"]);
    });

    test("what makes no sense for everyone is refused, and a user of that name is named in a list", async () => {
      const notifications = await service();
      const refused = (input: object) => expect(notifications.create(input as never)).rejects;
      await refused({ ...NEWS, fallback: true }).toThrow("fallback: cannot be given for everyone");
      await refused({ ...NEWS, standing: "yes" }).toThrow('standing: must be true or false, got "yes"');
      await refused({ ...NEWS, to: "ann", standing: true }).toThrow("standing");
      await refused({ ...NEWS, except: Array.from({ length: 1_001 }, (_, index) => `${index}`) }).toThrow("at most 1000 users");
      await notifications.inbox("ann").counts();
      await notifications.create({ ...NEWS, to: ["everyone"] });
      await notifications.createFromContract(NEWS);
      expect(await titles(notifications.inbox("ann"))).toEqual([]);
      expect(await titles(notifications.inbox("everyone"))).toHaveLength(2);
    });

    test("a deleted user who comes back gets nothing from before", async () => {
      const notifications = await service();
      await notifications.create({ to: "quux", title: "Hello" });
      await notifications.create({ ...NEWS, except: "bob" });
      await notifications.create({ ...NEWS, except: "quux" });
      const lines: string[] = [];
      for await (const line of notifications.exportUser("quux")) {
        lines.push(line);
      }
      expect(lines.some((line) => line.includes('"record":"exception"'))).toBe(true);
      await notifications.deleteUser("quux");
      expect(await database.content()).not.toContain("quux");
      expect(await titles(notifications.inbox("quux"))).toEqual([]);
      await notifications.create({ ...NEWS, title: "Later" });
      expect(await titles(notifications.inbox("quux"))).toEqual(["Later"]);
    });

    test("200 users do anything in any order on two instances: each gets each broadcast once, numbered without a gap", async () => {
      const seed = Number(process.env.BELFRY_WALK_SEED ?? randomInt(2 ** 31));
      await walk({ seed, database, service });
    }, 120_000);
  });
});
