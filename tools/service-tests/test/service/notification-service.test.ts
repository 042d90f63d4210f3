import { defineTypes, NotificationService } from "@belfry/core";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { onEveryStorage } from "../on-every-storage.ts";
import { refusal } from "../refusal.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

onEveryStorage((database) => {
  const service = () => stopsAfterTest(new NotificationService({ storage: database.storage() }));

  describe("creating", () => {
    test("for many users: each gets one item, repeated users one", async () => {
      const notifications = service();
      const { notification, items } = await notifications.create({ to: ["bob", "ann", "bob"], title: "Hello" });
      expect(items.map(({ userId, seq }) => [userId, seq])).toEqual([
        ["ann", 1],
        ["bob", 1],
      ]);
      expect(await notifications.inbox("bob").get(notification.id)).toMatchObject({
        title: "Hello",
        type: "notification",
        data: {},
        readAt: null,
        isSeen: false,
        pinnedAt: null,
        archivedAt: null,
        snoozedUntil: null,
      });
    });

    test("the priority of a notification is in lists, events and listeners; the default is normal", async () => {
      const notifications = service();
      const told: unknown[] = [];
      notifications.on("notification.created", ({ notification }) => void told.push(notification.priority));
      const subscription = notifications.inbox("ann").subscribe({
        onEvent: ({ item }) => void told.push(item?.priority),
        onState: () => {},
      });
      await subscription.ready;
      const { notification } = await notifications.create({ to: "ann", priority: "high" });
      const { notification: sent } = await notifications.create({ to: "ann", priority: "low", idempotencyKey: "low" });
      await notifications.create({ to: "ann" });
      await vi.waitFor(() => expect(told).toHaveLength(6));
      expect(told.toSorted()).toEqual(["high", "high", "low", "low", "normal", "normal"]);
      const { items } = await notifications.inbox("ann").list();
      expect(items.map(({ priority }) => priority)).toEqual(["normal", "low", "high"]);
      const { sends } = await notifications.list();
      expect([notification.priority, sent.priority, sends.map(({ priority }) => priority)]).toEqual(["high", "low", ["low"]]);
      expect((await notifications.get(sent.id)).priority).toBe("low");
      subscription.close();
    });

    test("an unknown priority is refused by name", async () => {
      const notifications = service();
      const priority = "dire" as "high";
      for (const call of [notifications.create({ to: "ann", priority }), notifications.create({ to: "ann", priority, fallback: true })]) {
        expect((await refusal(call)).message).toBe('priority: must be "low", "normal", "high" or "urgent", got "dire"');
      }
    });

    test("bad input names every fault and writes nothing", async () => {
      const notifications = service();
      const error = await refusal(notifications.create({ to: ["ann", ""], title: "x".repeat(1_001), data: { a: "\u0000" } }));
      expect(error.code).toBe("VALIDATION_ERROR");
      expect(error.issues.map(({ path }) => path)).toEqual([["title"], ["to", 1], ["data", "a"]]);
      expect(await notifications.inbox("ann").counts()).toMatchObject({ total: 0 });
    });

    test("declared types check their data and store the schema's result", async () => {
      const types = defineTypes({ order: { data: z.object({ id: z.number(), state: z.string().default("new") }) } });
      const notifications = stopsAfterTest(new NotificationService({ storage: database.storage(), types }));
      await notifications.create({ to: "ann", type: "order", data: { id: 1 } });
      const { items } = await notifications.inbox("ann").list();
      expect(items[0]?.data).toEqual({ id: 1, state: "new" });
      const untyped = notifications as unknown as NotificationService;
      expect(await refusal(untyped.create({ to: "ann", type: "order", data: { id: "1" } }))).toMatchObject({
        code: "VALIDATION_ERROR",
        issues: [{ path: ["data", "id"] }],
      });
      expect((await refusal(untyped.create({ to: "ann", type: "ordr" }))).message).toContain('"ordr"');
    });

    test("missing data becomes the schema's result for undefined, or else an empty object", async () => {
      const types = defineTypes({
        digest: { data: z.object({ size: z.number() }).default({ size: 10 }) },
        hint: { data: z.object({ page: z.string() }).optional() },
        order: { data: z.object({ state: z.string().default("new") }) },
      });
      const notifications = stopsAfterTest(new NotificationService({ storage: database.storage(), types }));
      const digest = await notifications.create({ to: "ann", type: "digest" });
      const hint = await notifications.create({ to: "ann", type: "hint" });
      const order = await notifications.defaultTenant.createFromContract({ to: "ann", type: "order" });
      expect([digest, hint, order].map(({ notification }) => notification.data)).toEqual([{ size: 10 }, {}, { state: "new" }]);
    });

    test("later changes by the caller do not change the stored value", async () => {
      const notifications = service();
      const data = { list: [1] };
      await notifications.create({ to: "ann", data });
      data.list.push(2);
      expect((await notifications.inbox("ann").list()).items[0]?.data).toEqual({ list: [1] });
    });

    test("more than 1,000 users are filled in the background, each once", async () => {
      const notifications = service();
      const to = Array.from({ length: 2_600 }, (_, at) => `user${at}`);
      const { items } = await notifications.create({ to, title: "All" });
      expect(items).toEqual([]);
      await notifications.runDue();
      const totals = await Promise.all(to.map(async (userId) => (await notifications.inbox(userId).counts()).total));
      expect(new Set(totals)).toEqual(new Set([1]));
    });

    test("followers of a large fan-out hear of it as of any other item", async () => {
      const notifications = service();
      const heard: (string | undefined)[] = [];
      const listener = { onEvent: ({ item }: { item: { title: string } | null }) => void heard.push(item?.title), onState: () => {} };
      const subscription = notifications.inbox("user7").subscribe(listener);
      await subscription.ready;
      await notifications.create({ to: Array.from({ length: 1_200 }, (_, at) => `user${at}`), title: "All" });
      await notifications.runDue();
      await expect.poll(() => heard).toEqual(["All"]);
      subscription.close();
    });
  });

  describe("events", () => {
    test("fire after commit, with what changed, and not for what changed nothing", async () => {
      const notifications = service();
      const fired: unknown[] = [];
      notifications.on("notification.created", ({ type, recipients }) => fired.push(["created", type, recipients]));
      notifications.on("item.read", ({ userId, item }) => fired.push(["read", userId, item.readAt !== null]));
      notifications.on("item.deleted", ({ userId }) => fired.push(["deleted", userId]));
      notifications.on("inbox.all_read", ({ count }) => fired.push(["all read", count]));
      notifications.on("inbox.read_deleted", ({ count }) => fired.push(["read deleted", count]));
      const { notification } = await notifications.create({ to: ["ann", "bob"], type: "note" });
      const inbox = notifications.inbox("ann");
      await inbox.markRead(notification.id);
      await inbox.markRead(notification.id);
      await inbox.markAllRead();
      await inbox.remove(notification.id);
      await notifications.create({ to: "ann", type: "note" });
      await inbox.markAllRead();
      await inbox.removeRead();
      await inbox.removeRead();
      expect(fired).toEqual([
        ["created", "note", 2],
        ["read", "ann", true],
        ["deleted", "ann"],
        ["created", "note", 1],
        ["all read", 1],
        ["read deleted", 1],
      ]);
    });

    test("a listener that throws is logged and hurts nobody", async () => {
      const logged: string[] = [];
      const log = (_: object, message: string) => void logged.push(message);
      const logger = { debug: log, info: log, warn: log, error: log };
      const notifications = stopsAfterTest(new NotificationService({ storage: database.storage(), logger }));
      const heard: string[] = [];
      notifications.on("notification.created", () => {
        throw new Error("the host's own fault");
      });
      const off = notifications.on("notification.created", ({ id }) => void heard.push(id));
      await notifications.create({ to: "ann" });
      off();
      await notifications.create({ to: "ann" });
      expect([heard.length, logged]).toEqual([1, Array(2).fill("A listener of Belfry's events threw an error.")]);
    });
  });

  describe("the host's transaction", () => {
    test("a notification commits with it or vanishes with it, and nobody hears before", async () => {
      const notifications = service();
      const fired: string[] = [];
      notifications.on("notification.created", ({ notification }) => fired.push(notification.title));
      const kept = await notifications.prepare({ to: "ann", title: "kept" });
      const lost = await notifications.prepare({ to: "ann", title: "lost" });
      await database.transaction((tx) => {
        const written = kept.write(tx);
        expect(fired).toEqual([]);
        return written;
      });
      await database.rolledBack((tx) => lost.write(tx));
      await expect.poll(() => fired).toEqual(["kept"]);
      const { items } = await notifications.inbox("ann").list();
      expect(items.map(({ title, seq }) => [title, seq])).toEqual([["kept", 1]]);
    });
  });

  describe("stopping", () => {
    test("finishes earlier calls and refuses later ones, until it is started again", async () => {
      const notifications = service();
      await notifications.start();
      const pending = notifications.create({ to: "ann" });
      await pending;
      await notifications.stop();
      await notifications.stop();
      expect((await refusal(notifications.create({ to: "ann" }))).code).toBe("SERVICE_STOPPED");
      await notifications.start();
      await notifications.create({ to: "ann" });
      expect(await notifications.inbox("ann").counts()).toMatchObject({ total: 2 });
    });
  });

  describe("stopping while starting", () => {
    test("ends everything that was begun: no worker runs on, nothing stays open", async () => {
      const storage = database.storage();
      const { promise: opened, resolve: open } = Promise.withResolvers<void>();
      const calls: string[] = [];
      const [openStorage, closeStorage] = [storage.open.bind(storage), storage.close.bind(storage)];
      vi.spyOn(storage, "open").mockImplementation(async () => {
        await opened;
        calls.push("open");
        await openStorage();
      });
      vi.spyOn(storage, "close").mockImplementation(async () => {
        calls.push("close");
        await closeStorage();
      });
      const after = () => {
        calls.push("timer");
        return () => {};
      };
      const clock = { now: () => Date.now(), after };
      const notifications = stopsAfterTest(new NotificationService({ storage, clock, hub: { worker: true } }));
      const started = refusal(notifications.start());
      const stopped = notifications.stop();
      open();
      await stopped;
      expect((await started).code).toBe("SERVICE_STOPPED");
      expect(calls).toEqual(["open", "close"]);
      await notifications.start();
      expect(await notifications.create({ to: "ann" })).toMatchObject({ items: [{ userId: "ann" }] });
      await notifications.stop();
    });
  });
});
