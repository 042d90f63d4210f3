import { type Directory, defineTypes, type Logger, NotificationService } from "@belfry/core";
import { type Recorder, recorder, testClock } from "@belfry/testkit/host";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What the condition of a type answers; true once there is nothing more. */
const answers: Promise<boolean>[] = [];

const types = defineTypes({
  comment: {
    label: "New comment",
    category: "social",
    data: z.object({ post: z.string(), by: z.string() }),
    title: ({ data }) => `${data.by} commented`,
    url: ({ data }) => `/posts/${data.post}`,
    channels: {
      inbox: true,
      email: {
        unlessRead: true,
        digest: { windowMs: HOUR_MS, by: ({ data }) => data.post, maxItems: 3, subject: ({ total, key }) => `${total} comments on ${key}` },
      },
    },
  },
  sliding: { channels: { email: { digest: { windowMs: 10 * MINUTE_MS, window: "sliding", maxWindowMs: 25 * MINUTE_MS } } } },
  leading: { channels: { email: { digest: { windowMs: HOUR_MS, leading: true } } } },
  kept: { channels: { inbox: true, email: { digest: { windowMs: HOUR_MS, keepRead: true, single: "digest" } } } },
  mention: { category: "social", channels: ["inbox", "email"] },
  asked: { channels: { email: { when: () => answers.shift() ?? true, digest: { windowMs: HOUR_MS } } } },
  invoice: { category: "billing", required: ["email"], channels: ["email"] },
});

onEveryStorage((database) => {
  function setUp(
    options: { readonly start?: string; readonly mails?: Recorder; readonly logger?: Logger; readonly timeZone?: () => string } = {},
  ) {
    const { start = "2030-01-09T12:30:00Z", mails = recorder(), logger = silent, timeZone = () => "Europe/Berlin" } = options;
    const directory: Directory = (ids) => new Map(ids.map((id) => [id, { email: `${id}@example.com`, timeZone: timeZone() }]));
    const clock = testClock(new Date(start));
    const made = new NotificationService({ storage: database.storage(), clock, types, channels: [mails], directory, logger });
    const service = stopsAfterTest(made);
    const comment = (post: string, by: string, to = "ann") => service.create({ type: "comment", to, data: { post, by } });
    /** Lets the workers do what is due now, then moves on and does it again. */
    const passed = async (ms: number) => {
      await service.runDue();
      await clock.skip(ms);
      await service.runDue();
    };
    const deliveryOf = async (id: string) => {
      const { deliveries } = await service.deliveries(id);
      const { status, reason } = deliveries.find(({ channel }) => channel === "email") ?? {};
      return [status, reason];
    };
    return { service, clock, mails, comment, passed, deliveryOf };
  }

  const shown = ({ tasks }: Recorder) =>
    tasks.map(({ recipient, title, contents, digest }) => [
      recipient,
      contents?.subject ?? title,
      digest?.total ?? null,
      digest?.entries.map((entry) => entry.title) ?? null,
    ]);

  describe("a type's digest", () => {
    test("bundles what comes within its window by its key, and settles all of it together", async () => {
      const { comment, mails, passed, deliveryOf } = setUp();
      const first = await comment("1", "Bob");
      await comment("1", "Cat");
      await comment("2", "Dan");
      await comment("1", "Eve", "fay");
      await passed(HOUR_MS - 1);
      expect([mails.tasks.length, await deliveryOf(first.notification.id)]).toEqual([0, ["pending", "digest"]]);
      await passed(1);
      expect(shown(mails).sort()).toEqual([
        ["ann", "2 comments on 1", 2, ["Bob commented", "Cat commented"]],
        ["ann", "Dan commented", null, null],
        ["fay", "Eve commented", null, null],
      ]);
      expect(await deliveryOf(first.notification.id)).toEqual(["delivered", null]);
      await comment("1", "Gil");
      await passed(HOUR_MS);
      expect(shown(mails).at(-1)).toEqual(["ann", "Gil commented", null, null]);
    });

    test("shows the newest up to maxItems, and counts the others", async () => {
      const { comment, mails, passed } = setUp();
      for (const by of ["Bob", "Cat", "Dan", "Eve", "Fay"]) {
        await comment("1", by);
      }
      await passed(HOUR_MS);
      expect(shown(mails)).toEqual([["ann", "5 comments on 1", 5, ["Dan commented", "Eve commented", "Fay commented"]]]);
      expect(mails.tasks[0]).toMatchObject({
        url: "/posts/1",
        data: {},
        digest: { key: "1", entries: [{ data: { post: "1", by: "Dan" } }, {}, {}] },
      });
    });

    test("slides with each one, up to its longest time", async () => {
      const { service, clock, mails, passed } = setUp();
      const create = async () => {
        await service.create({ type: "sliding", to: "ann", title: "Hello", message: "World" });
        await service.runDue();
      };
      await create();
      await clock.skip(9 * MINUTE_MS);
      await create();
      await clock.skip(9 * MINUTE_MS);
      await create();
      await passed(7 * MINUTE_MS - 1);
      expect(mails.tasks.length).toBe(0);
      await passed(1);
      expect(shown(mails)).toEqual([["ann", "Sliding (3)", 3, ["Hello", "Hello", "Hello"]]]);
      expect(mails.tasks[0]?.message).toBe("• Hello\n• Hello\n• Hello");
    });

    test("with leading lets the first go alone at once, and bundles those passed it", async () => {
      const { service, mails, passed } = setUp();
      const create = (title: string) => service.create({ type: "leading", to: "ann", title, message: "World" });
      await create("one");
      await create("two");
      await service.runDue();
      expect(shown(mails)).toEqual([["ann", "one", null, null]]);
      await create("three");
      await passed(HOUR_MS);
      expect(shown(mails).slice(1)).toEqual([["ann", "Leading (2)", 2, ["two", "three"]]]);
      await create("four");
      await passed(HOUR_MS);
      expect(shown(mails).slice(2)).toEqual([["ann", "four", null, null]]);
    });

    test("leaves out what is read, archived, deleted, expired, cancelled or switched off by then", async () => {
      const { service, comment, mails, passed, deliveryOf, clock } = setUp();
      const [read, archived, deleted] = [await comment("1", "R"), await comment("1", "A"), await comment("1", "D")];
      const data = { post: "1", by: "X" };
      const expired = await service.create({ type: "comment", to: "ann", data, expiresAt: new Date(clock.now() + MINUTE_MS) });
      await comment("1", "Bob");
      await comment("1", "Cat");
      await service.runDue();
      const inbox = service.inbox("ann");
      await inbox.markRead(read.notification.id);
      await inbox.archive(archived.notification.id);
      await inbox.remove(deleted.notification.id);
      await passed(HOUR_MS);
      expect(shown(mails)).toEqual([["ann", "2 comments on 1", 2, ["Bob commented", "Cat commented"]]]);
      expect(await Promise.all([read, archived, deleted, expired].map(({ notification }) => deliveryOf(notification.id)))).toEqual([
        ["skipped", "read"],
        ["skipped", "read"],
        ["skipped", "read"],
        ["skipped", "expired"],
      ]);
      const off = await comment("1", "Off");
      await service.runDue();
      await service.preferences.set("ann", { type: "comment", channel: "email" }, "off");
      await passed(HOUR_MS);
      expect([mails.tasks.length, await deliveryOf(off.notification.id)]).toEqual([1, ["skipped", "preference"]]);
    });

    test("goes without what is cancelled while its window is open, and not at all if nothing is left", async () => {
      const { service, mails, passed, deliveryOf } = setUp();
      const create = (title: string) => service.create({ type: "sliding", to: "ann", title, message: "World" });
      const [cancelled, kept] = [await create("one"), await create("two")];
      await service.runDue();
      await service.cancel(cancelled.notification.id);
      await passed(25 * MINUTE_MS);
      expect([shown(mails), await deliveryOf(kept.notification.id)]).toEqual([[["ann", "two", null, null]], ["delivered", null]]);
      const last = await create("three");
      await service.cancel(last.notification.id);
      await passed(25 * MINUTE_MS);
      expect([mails.tasks.length, await deliveryOf(last.notification.id)]).toEqual([1, ["cancelled", null]]);
    });

    test("keeps what is read, and shows one alone as a digest, if it says so", async () => {
      const { service, mails, passed } = setUp();
      const { notification } = await service.create({ type: "kept", to: "ann", title: "Hello", message: "World" });
      await service.inbox("ann").markRead(notification.id);
      await passed(HOUR_MS);
      expect(shown(mails)).toEqual([["ann", "Kept (1)", 1, ["Hello"]]]);
    });

    test("says the same in a retry, and cannot be cancelled once it is rendered", async () => {
      let answers = 0;
      const mails = recorder({
        retryDelaysMs: [MINUTE_MS],
        answer: () => (answers++ === 0 ? { status: "failed", transient: true, error: "busy" } : undefined),
      });
      const { service, comment, passed, deliveryOf } = setUp({ mails });
      const [first, second] = [await comment("1", "Bob"), await comment("1", "Cat")];
      await passed(HOUR_MS);
      expect(await Promise.all([first, second].map(({ notification }) => deliveryOf(notification.id)))).toEqual([
        ["pending", "bundled"],
        ["pending", "bundled"],
      ]);
      await service.inbox("ann").markRead(second.notification.id);
      await expect(service.cancel(first.notification.id)).rejects.toMatchObject({ code: "INVALID_STATE" });
      await service.preferences.set("ann", { type: "comment", channel: "email" }, "off");
      await passed(2 * MINUTE_MS);
      expect(shown(mails)).toEqual([
        ["ann", "2 comments on 1", 2, ["Bob commented", "Cat commented"]],
        ["ann", "2 comments on 1", 2, ["Bob commented", "Cat commented"]],
      ]);
      expect(mails.tasks[0]?.id).toBe(mails.tasks[1]?.id);
      expect(await Promise.all([first, second].map(({ notification }) => deliveryOf(notification.id)))).toEqual([
        ["delivered", null],
        ["delivered", null],
      ]);
    });

    test("is not cancelled by one of its notifications once it goes out", async () => {
      const mails = recorder({ retryDelaysMs: [HOUR_MS], answer: () => ({ status: "failed", transient: true, error: "busy" }) });
      const { service, passed, deliveryOf } = setUp({ mails });
      const create = (title: string) => service.create({ type: "sliding", to: "ann", title, message: "World" });
      const all = [await create("one"), await create("two")];
      await passed(10 * MINUTE_MS);
      for (const { notification } of all) {
        await expect(service.cancel(notification.id)).rejects.toThrow("a delivery is on its way");
        expect(await deliveryOf(notification.id)).toEqual(["pending", "bundled"]);
      }
    });

    test("waits some seconds for a condition of its type, and asks again later", async () => {
      const { service, clock, mails, passed } = setUp();
      answers.push(new Promise(() => undefined));
      await service.create({ type: "asked", to: "ann", title: "Hello", message: "World" });
      await service.runDue();
      await clock.skip(HOUR_MS);
      const run = service.runDue();
      await vi.waitFor(() => expect(answers).toEqual([]));
      await clock.skip(5_000);
      await run;
      expect(mails.tasks).toEqual([]);
      await passed(MINUTE_MS);
      expect(shown(mails)).toEqual([["ann", "Hello", null, null]]);
    });

    test("is refused with contents that its channel does not take", () => {
      const plain = { ...recorder({ name: "chat" }), contents: [] };
      const chatty = defineTypes({ chat: { channels: { chat: { digest: { windowMs: 1, html: "<p>Hi</p>" } } } } });
      expect(() => new NotificationService({ storage: database.storage(), types: chatty, channels: [plain] })).toThrow(
        "cannot take html of the type",
      );
    });

    test("fails as a whole, and what is retried then goes alone", async () => {
      let isDown = true;
      const mails = recorder({ answer: () => (isDown ? { status: "failed", transient: false, error: "down" } : undefined) });
      const { service, comment, passed, deliveryOf } = setUp({ mails });
      const [first, second] = [await comment("1", "Bob"), await comment("1", "Cat")];
      await passed(HOUR_MS);
      expect(await Promise.all([first, second].map(({ notification }) => deliveryOf(notification.id)))).toEqual([
        ["failed", null],
        ["failed", null],
      ]);
      isDown = false;
      await service.preferences.set("ann", { type: "comment", channel: "email" }, "on");
      await service.retry(first.notification.id).catch(() => undefined);
      await passed(0);
      expect(shown(mails).slice(1)).toEqual([["ann", "Bob commented", null, null]]);
      expect(await deliveryOf(second.notification.id)).toEqual(["failed", null]);
    });

    test("goes on without the notification that carried it", async () => {
      let attempts = 0;
      const mails = recorder({
        retryDelaysMs: [HOUR_MS],
        answer: () => (attempts++ === 0 ? { status: "failed", transient: true, error: "busy" } : undefined),
      });
      const { service, comment, passed, deliveryOf } = setUp({ mails });
      const [first, second] = [await comment("1", "Bob"), await comment("1", "Cat"), await comment("1", "Dan")];
      await passed(HOUR_MS);
      expect(mails.tasks.length).toBe(1);
      await service.delete(first.notification.id);
      await passed(10 * MINUTE_MS);
      await passed(HOUR_MS);
      expect(await deliveryOf(second.notification.id)).toEqual(["delivered", null]);
      expect(mails.tasks.at(-1)?.digest?.entries.map(({ title }) => title)).toEqual(["Cat commented", "Dan commented"]);
    });
  });

  describe("a fallback", () => {
    const known: Directory = (ids) =>
      new Map(ids.map((id) => [id, { ...(id === "ann" ? {} : { email: `${id}@example.com` }), sms: `sms:${id}` }]));

    test.each(["ann", "bob"])("carries the whole digest on where its channel does not reach %s, once", async (to) => {
      const clock = testClock();
      const mails = recorder({ answer: () => ({ status: "failed", transient: false, error: "down" }) });
      const sms = recorder({ name: "sms" });
      const made = new NotificationService({
        storage: database.storage(),
        clock,
        types,
        channels: [mails, sms],
        directory: known,
        logger: silent,
      });
      const service = stopsAfterTest(made);
      const create = (title: string) => service.create({ type: "sliding", to, title, message: "World", fallback: { channel: "sms" } });
      const all = [await create("one"), await create("two"), await create("three")];
      await service.runDue();
      await clock.skip(10 * MINUTE_MS);
      await service.runDue();
      expect([mails.tasks.length, sms.tasks.map(({ digest, isFallback }) => [digest?.total, isFallback])]).toEqual([
        to === "ann" ? 0 : 1,
        [[3, true]],
      ]);
      const statuses = await Promise.all(all.map(async ({ notification }) => (await service.get(notification.id)).status));
      expect(statuses).toEqual(["delivered", "delivered", "delivered"]);
    });
  });

  describe("a frequency that a user chose", () => {
    test("bundles all types of its category until the next day's time in the user's zone", async () => {
      const { service, comment, mails, passed, clock } = setUp();
      await service.preferences.set("ann", { category: "social", channel: "email" }, "daily");
      await comment("1", "Bob");
      await service.create({ type: "mention", to: "ann", title: "Cat mentioned you", message: "Hi" });
      await service.create({ type: "invoice", to: "ann", title: "Invoice", message: "Pay" });
      await service.runDue();
      expect(shown(mails)).toEqual([["ann", "Invoice", null, null]]);
      await clock.skipTo("2030-01-10T07:59:59Z");
      await passed(1_000);
      expect(shown(mails).slice(1)).toEqual([["ann", "New comment (1), Mention (1)", 2, ["Bob commented", "Cat mentioned you"]]]);
      expect(mails.tasks[1]?.message).toBe("• Cat mentioned you\n• Bob commented");
    });

    test("comes at the time of the user's zone where the directory did not answer as it opened", async () => {
      let isDown = true;
      const timeZone = () => {
        if (isDown) {
          throw new Error("The directory is down.");
        }
        return "Europe/Berlin";
      };
      const { service, clock, mails } = setUp({ timeZone });
      await service.preferences.set("ann", { category: "social", channel: "email" }, "daily");
      await service.create({ type: "mention", to: "ann", title: "Cat mentioned you", message: "Hi" });
      await service.runDue();
      isDown = false;
      await clock.skipTo("2030-01-10T07:59:59Z");
      await service.runDue();
      expect(mails.tasks).toEqual([]);
      await clock.skipTo("2030-01-10T08:00:00Z");
      await service.runDue();
      expect(mails.tasks.map(({ recipient }) => recipient)).toEqual(["ann"]);
    });

    test("stays open if its user has moved to where its time comes later", async () => {
      let timeZone = "Europe/Berlin";
      const { service, clock, mails } = setUp({ timeZone: () => timeZone });
      await service.preferences.set("ann", { category: "social", channel: "email" }, "daily");
      const mention = (title: string) => service.create({ type: "mention", to: "ann", title, message: "World" });
      await mention("one");
      await service.runDue();
      timeZone = "Europe/London";
      await clock.skipTo("2030-01-10T08:00:00Z");
      await service.runDue();
      await mention("two");
      await service.runDue();
      await clock.skipTo("2030-01-10T09:00:00Z");
      await service.runDue();
      expect(shown(mails)).toEqual([["ann", "Mention (2)", 2, ["one", "two"]]]);
    });

    test("moves with the user's settings", async () => {
      const { service, comment, mails, passed, clock } = setUp();
      await service.preferences.set("ann", { all: true }, "weekly");
      await comment("1", "Bob");
      await comment("2", "Cat");
      await service.runDue();
      await service.preferences.setSettings("ann", { digest: { at: "18:00", weekday: "thu" } });
      await clock.skipTo("2030-01-10T16:59:59Z");
      await passed(1_000);
      expect(shown(mails)).toEqual([["ann", "2 comments on ", 2, ["Bob commented", "Cat commented"]]]);
    });

    test("moves with the tenant's settings, for users who have none of their own", async () => {
      const { service, mails, passed, clock } = setUp({ timeZone: () => "Europe/Berlin" });
      await service.preferences.defaults.set({ all: true }, "daily");
      await service.preferences.setSettings("own", { digest: { at: "20:00" }, timeZone: "UTC" });
      const users = ["own", ...Array.from({ length: 120 }, (_, index) => `user${index}`)];
      for (const to of users) {
        await service.create({ type: "mention", to, title: "Hello", message: "World" });
      }
      await service.runDue();
      await service.preferences.defaults.setSettings({ digest: { at: "18:00" } });
      await clock.skipTo("2030-01-09T16:59:59Z");
      await passed(1_000);
      expect(mails.tasks.map(({ recipient }) => recipient).toSorted()).toEqual(users.slice(1).toSorted());
      await service.create({ type: "mention", to: "user1", title: "Later", message: "World" });
      await service.runDue();
      await service.preferences.defaults.setSettings({ digest: { at: "19:00" } });
      await service.preferences.setSettings("user1", { timeZone: "UTC" });
      mails.clear();
      await clock.skipTo("2030-01-09T18:59:59Z");
      await passed(0);
      expect(mails.tasks).toEqual([]);
      await passed(1_000);
      await passed(3_600_000);
      expect(mails.tasks.map(({ recipient }) => recipient)).toEqual(["user1", "own"]);
    });

    test("closes a window that is over, whatever its user has changed since", async () => {
      const mails = recorder();
      const clock = testClock(new Date("2030-01-09T12:30:00Z"));
      const directory: Directory = (ids) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }]));
      const started = (worker: boolean) => {
        const options = { storage: database.storage(), clock, types, channels: [mails], directory, logger: silent, delivery: { worker } };
        return stopsAfterTest(new NotificationService(options));
      };
      const first = started(true);
      await first.preferences.set("ann", { all: true }, "daily");
      await first.create({ type: "mention", to: "ann", title: "one", message: "World" });
      await first.runDue();
      await first.stop();
      await clock.skipTo("2030-01-10T09:05:00Z");
      const idle = started(false);
      await idle.preferences.setSettings("ann", { digest: { at: "08:00" } });
      await idle.stop();
      await started(true).runDue();
      expect(shown(mails)).toEqual([["ann", "one", null, null]]);
    });

    test("comes at the end of quiet hours, and hourly at the next full hour", async () => {
      const { service, comment, mails, passed, clock } = setUp();
      await service.preferences.set("ann", { type: "comment" }, "hourly");
      await service.preferences.setSettings("ann", { quietHours: [{ from: "13:45", to: "15:00" }] });
      await comment("1", "Bob");
      await comment("2", "Cat");
      await passed(30 * MINUTE_MS);
      expect(mails.tasks.length).toBe(0);
      await clock.skipTo("2030-01-09T13:59:59Z");
      await passed(1_000);
      expect(shown(mails)).toEqual([["ann", "2 comments on ", 2, ["Bob commented", "Cat commented"]]]);
    });
  });

  describe("who looks", () => {
    test("finds the digest in the timeline, with its key, its window and what it came to", async () => {
      const { service, comment, passed } = setUp();
      const { notification } = await comment("1", "Bob");
      await comment("1", "Cat");
      const digestOf = async () =>
        (await service.operator.timeline(notification.id)).deliveries.find(({ channel }) => channel === "email")?.digest;
      await passed(0);
      const closesAt = new Date("2030-01-09T13:30:00Z");
      expect(await digestOf()).toMatchObject({
        plan: { by: "type", key: "1" },
        state: "open",
        openedAt: new Date("2030-01-09T12:30:00Z"),
        closesAt,
      });
      const [, email] = await service.explain("ann", "comment", { data: { post: "1", by: "Dan" } });
      expect(email).toMatchObject({
        outcome: "digest",
        reason: "digest",
        source: "type",
        digest: { key: "1", frequency: null, closesAt, leads: false },
      });
      await passed(HOUR_MS);
      expect(await digestOf()).toMatchObject({ state: "closed", closedAt: closesAt, shown: 2, total: 2 });
    });

    test("finds nothing of a deleted user's digests", async () => {
      const { service, comment, passed } = setUp();
      await comment("canary-post", "Bob", "canary");
      await comment("canary-post", "Cat", "canary");
      await passed(0);
      const lines: string[] = [];
      for await (const line of service.exportUser("canary")) {
        lines.push(line);
      }
      expect(lines.filter((line) => line.startsWith('{"record":"digest"'))).toHaveLength(1);
      await service.deleteUser("canary");
      await passed(HOUR_MS);
      expect((await database.content()).includes("canary")).toBe(false);
    });
  });

  describe("entries", () => {
    test("are not there passed a rollback, and join when their transaction commits", async () => {
      const { service, mails, comment, passed } = setUp();
      const data = { post: "1", by: "Late" };
      const lost = await service.prepare({ type: "comment", to: "ann", data });
      await database.rolledBack((tx) => lost.write(tx as never) as never);
      await comment("1", "Bob");
      const late = await service.prepare({ type: "comment", to: "ann", data });
      await passed(HOUR_MS / 2);
      await database.transaction((tx) => late.write(tx as never) as never);
      await passed(HOUR_MS / 2);
      expect(shown(mails)).toEqual([["ann", "2 comments on 1", 2, ["Bob commented", "Late commented"]]]);
    });
  });
});
