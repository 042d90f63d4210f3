import {
  type Channel,
  type ConditionSource,
  type Directory,
  defineTypes,
  type Logger,
  NotificationService,
  type TrackedDelivery,
} from "@belfry/core";
import { testClock } from "@belfry/testkit/host";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const HOUR_MS = 3_600_000;

onEveryStorage((database) => {
  describe("what users chose", () => {
    /** A service with types of all kinds, whose mails are kept. */
    function setUp({
      when,
      directory,
      logger = silent,
    }: {
      readonly logger?: Logger;
      readonly when?: (source: ConditionSource) => boolean | Promise<boolean>;
      readonly directory?: Directory;
    } = {}) {
      const clock = testClock();
      const mails: string[] = [];
      const priorities: string[] = [];
      const email: Channel = {
        name: "email",
        retryDelaysMs: [60_000],
        timeoutMs: 5_000,
        invalidRecipient: (recipient) => (recipient.includes("@") ? null : "is no address"),
        async deliver({ recipient, priority }) {
          mails.push(recipient);
          priorities.push(priority);
          return { status: "sent", provider: "email" };
        },
      };
      const types = defineTypes({
        comment: { category: "social", channels: ["inbox", "email"] },
        invoice: { required: ["email"], channels: ["email"] },
        later: { channels: { inbox: true, email: { afterMs: HOUR_MS, unlessRead: true } } },
        nudge: { channels: { email: { unlessOnline: true } } },
        guarded: { channels: { email: { ...(when === undefined ? {} : { when }) } } },
        quiet: { channels: { email: { default: "off" } } },
        optional: { channels: { inbox: { optional: true } } },
        both: { channels: { inbox: { optional: true }, email: true } },
        plain: { channels: ["inbox"] },
        throttled: {
          required: ["push"],
          channels: { email: { throttle: { max: 2, perMs: 60_000 } }, push: { throttle: { max: 1, perMs: 60_000 } } },
        },
      });
      const storage = database.storage();
      const reads = vi.spyOn(storage.decisions, "preferencesOf");
      const known: Directory = (ids) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }]));
      const options = {
        storage,
        types,
        channels: [email, { ...email, name: "push" }],
        clock,
        logger,
        directory: directory ?? known,
      };
      const service = stopsAfterTest(new NotificationService(options));
      const deliveries = async (id: string) => (await service.deliveries(id)).deliveries;
      return { service, clock, mails, priorities, deliveries, reads };
    }

    const told = ({ recipient, channel, status, reason, reasonSource }: TrackedDelivery) => [
      recipient,
      channel,
      status,
      reason,
      reasonSource,
    ];
    const texts = { title: "Hello", message: "World" };

    test("is obeyed when it is created: who does not want it is skipped, with whose choice that was", async () => {
      const { service, mails, deliveries } = setUp();
      await service.preferences.set("ann", { type: "comment", channel: "email" }, "off");
      await service.preferences.set("bob", { category: "social" }, "off");
      await service.preferences.defaults.set(
        { type: "comment", channel: "email", when: { size: { operator: "gt", value: 5 } } as never },
        "off",
      );
      const small = await service.create({ to: ["ann", "bob", "cat"], type: "comment", ...texts, data: { size: 1 } });
      expect((await deliveries(small.notification.id)).filter(({ channel }) => channel === "email").map(told)).toEqual([
        ["ann", "email", "skipped", "preference", "user type email"],
        ["bob", "email", "skipped", "preference", "user category"],
        ["cat", "email", "pending", null, null],
      ]);
      const large = await service.create({ to: "cat", type: "comment", channels: ["email"], ...texts, data: { size: 9 } });
      await service.runDue();
      expect(mails).toEqual(["cat"]);
      expect((await deliveries(large.notification.id)).map(told)).toEqual([["cat", "email", "skipped", "preference", "tenant type email"]]);
      expect((await service.get(large.notification.id)).status).toBe("skipped");
      expect(large.notification).toMatchObject({ status: "skipped" });
      expect((await service.inbox("bob").list()).items).toHaveLength(1);
    });

    test("is asked again at the claim, which gives the attempt back", async () => {
      const { service, clock, mails, deliveries } = setUp();
      const { notification } = await service.create({ to: ["ann", "bob"], type: "later", channels: ["email"], ...texts });
      expect((await deliveries(notification.id)).map(({ dueAt }) => dueAt?.getTime())).toEqual([
        clock.now() + HOUR_MS,
        clock.now() + HOUR_MS,
      ]);
      await service.preferences.set("ann", { all: true, channel: "email" }, "off");
      await clock.pass(HOUR_MS);
      await service.runDue();
      expect(mails).toEqual(["bob"]);
      const [ann] = await deliveries(notification.id);
      expect(ann).toMatchObject({ status: "skipped", reason: "preference", reasonSource: "user all email", attempt: 0, attempts: [] });
    });

    test("does not count for what is required, nor where the tenant has locked its own; a type's default does", async () => {
      const { service, mails, deliveries } = setUp();
      await service.preferences.set("ann", { all: true }, "off");
      await service.preferences.set("bob", { type: "comment" }, "off");
      await service.preferences.set("cat", { type: "quiet" }, "immediate");
      await service.preferences.defaults.set({ type: "comment", locked: true }, "on");
      await service.create({ to: "ann", type: "invoice", ...texts });
      await service.create({ to: "bob", type: "comment", channels: ["email"], ...texts });
      const { notification } = await service.create({ to: ["cat", "dan"], type: "quiet", ...texts });
      await service.runDue();
      expect(mails.toSorted()).toEqual(["ann", "bob", "cat"]);
      expect((await deliveries(notification.id)).map(told)[1]).toEqual(["dan", "email", "skipped", "preference", "type"]);
    });

    test("is obeyed by the inbox where the type lets users switch it off, with deliveries or without", async () => {
      const { service } = setUp();
      for (const type of ["optional", "both", "plain"] as const) {
        await service.preferences.set("ann", { type }, "off");
        await service.create({ to: ["ann", "bob"], type, ...texts });
      }
      await service.runDue();
      const types = async (userId: string) => (await service.inbox(userId).list()).items.map(({ type }) => type);
      expect([await types("ann"), await types("bob")]).toEqual([["plain"], ["plain", "both", "optional"]]);
    });

    test("is read in one statement for all users of a create, and not for a type that goes to inboxes alone", async () => {
      const { service, reads } = setUp();
      await service.create({ to: ["ann", "bob"], type: "plain", ...texts });
      expect(reads).not.toHaveBeenCalled();
      await service.create({ to: ["ann", "bob", "cat"], type: "comment", ...texts, scheduledAt: new Date(Date.UTC(2031, 0, 1)) });
      expect(reads.mock.calls).toEqual([["default", ["ann", "bob", "cat"]]]);
    });

    test("what was archived or removed counts as read, and what was snoozed does not; tasks say how much it matters", async () => {
      const { service, clock, mails, deliveries, priorities } = setUp();
      const to = ["ann", "bob", "cat", "dan", "eve"];
      const { notification } = await service.create({ to, type: "later", ...texts, priority: "high" });
      const { id } = notification;
      await service.inbox("ann").archive(id);
      await service.inbox("bob").remove(id);
      await service.inbox("cat").snooze(id, new Date(clock.now() + 2 * HOUR_MS));
      await service.inbox("dan").markRead(id);
      await clock.pass(HOUR_MS);
      await service.runDue();
      expect(mails.toSorted()).toEqual(["cat", "eve"]);
      expect(priorities).toEqual(["high", "high"]);
      const skipped = (await deliveries(id)).filter(({ status }) => status === "skipped");
      expect(skipped.map(told)).toEqual(["ann", "bob", "dan"].map((userId) => [userId, "email", "skipped", "read", "type"]));
    });

    test("an address obeys nobody's choice, and costs no read", async () => {
      const { service, reads, mails } = setUp();
      await service.preferences.defaults.set({ all: true }, "off");
      await service.create({ to: { email: "ann@example.com" }, type: "comment", ...texts });
      await service.runDue();
      expect([mails, reads.mock.calls]).toEqual([["ann@example.com"], []]);
    });

    test("a time zone and a locale of the directory that are none fall back, with a warning once a minute each", async () => {
      const contacts = { ann: { timeZone: "Mars/X", locale: "xx_yy" }, bob: { timeZone: 7, locale: 5 }, cat: { timeZone: null } };
      const directory: Directory = (ids) =>
        new Map(ids.map((id) => [id, { email: `${id}@example.com`, ...contacts[id as keyof typeof contacts] }])) as never;
      const logger = { ...silent, warn: vi.fn() };
      const { service, clock, mails } = setUp({ directory, logger });
      for (const to of ["ann", "bob", "cat"]) {
        await service.create({ to, type: "comment", channels: ["email"], ...texts });
        await service.runDue();
      }
      expect(mails).toEqual(["ann", "bob", "cat"]);
      const lines = () => logger.warn.mock.calls.splice(0);
      const ofLocale = `The host's directory gave a locale that is no BCP 47 tag such as "pt-BR"; the service's locale counts.`;
      const ofZone = `The host's directory gave a time zone that is no IANA zone such as "Europe/Berlin"; the tenant's counts, else UTC.`;
      expect(lines()).toEqual([
        [{ tenant: "default", userId: "ann", locale: '"xx_yy"' }, ofLocale],
        [{ tenant: "default", userId: "ann", timeZone: '"Mars/X"' }, ofZone],
      ]);
      await clock.pass(60_000);
      await service.create({ to: "bob", type: "comment", channels: ["email"], ...texts });
      await service.runDue();
      expect(lines()).toEqual([
        [{ tenant: "default", userId: "bob", locale: "5", timesSinceTheLastLine: 2 }, ofLocale],
        [{ tenant: "default", userId: "bob", timeZone: "7", timesSinceTheLastLine: 2 }, ofZone],
      ]);
    });

    test("quiet hours put a delivery off to their end, where they begin when it is created as well as later; what is urgent passes", async () => {
      const directory: Directory = (ids) => new Map(ids.map((id) => [id, { email: `${id}@example.com`, timeZone: "Asia/Tokyo" }]));
      const { service, clock, mails, deliveries } = setUp({ directory });
      // It is midnight UTC, and nine in Tokyo.
      await service.preferences.setSettings("ann", { timeZone: "UTC", quietHours: { from: "22:00", to: "07:00" } });
      await service.preferences.setSettings("bob", { quietHours: { from: "08:30", to: "10:00" } });
      await service.preferences.setSettings("cat", { pauseUntil: new Date(clock.now() + 5_000) });
      const { notification } = await service.create({ to: ["ann", "bob", "cat"], type: "comment", channels: ["email"], ...texts });
      await service.runDue();
      expect(
        (await deliveries(notification.id)).map(({ status, reason, reasonSource, attempt, dueAt }) => [
          status,
          reason,
          reasonSource,
          attempt,
          dueAt,
        ]),
      ).toEqual([
        ["pending", "quiet_hours", "user", 0, new Date(clock.now() + 7 * HOUR_MS)],
        ["pending", "quiet_hours", "user", 0, new Date(clock.now() + HOUR_MS)],
        ["pending", "quiet_hours", "user pause", 0, new Date(clock.now() + 5_000)],
      ]);
      await service.create({ to: ["ann", "bob", "cat"], type: "comment", channels: ["email"], ...texts, priority: "urgent" });
      await service.runDue();
      expect(mails.splice(0).toSorted()).toEqual(["ann", "bob", "cat"]);
      // Between two steps of the clock, what it made due is delivered: an attempt that was under way would run out of time.
      await clock.pass(5_000);
      await service.runDue();
      await clock.pass(HOUR_MS - 5_000);
      await service.runDue();
      expect(mails.toSorted()).toEqual(["bob", "cat"]);
      await clock.pass(6 * HOUR_MS);
      await service.runDue();
      expect(mails).toContain("ann");
    });

    test("what was read meanwhile, and whom it finds online, gets no mail", async () => {
      const { service, clock, mails, deliveries } = setUp();
      const later = await service.create({ to: ["ann", "bob"], type: "later", ...texts });
      await service.inbox("ann").markRead(later.notification.id);
      await clock.pass(HOUR_MS);
      await service.runDue();
      const subscription = service.inbox("ann").subscribe({ onEvent: () => {}, onState: () => {} });
      await subscription.ready;
      const nudge = await service.create({ to: ["ann", "bob"], type: "nudge", ...texts });
      await service.runDue();
      subscription.close();
      const mailsOf = async (id: string) => (await deliveries(id)).filter(({ channel }) => channel === "email").map(told);
      expect([await mailsOf(later.notification.id), await mailsOf(nudge.notification.id), mails]).toEqual([
        [
          ["ann", "email", "skipped", "read", "type"],
          ["bob", "email", "sent", null, null],
        ],
        [
          ["ann", "email", "skipped", "online", "type"],
          ["bob", "email", "sent", null, null],
        ],
        ["bob", "bob"],
      ]);
    });

    test("the host's own condition is asked right before each delivery; one that fails or hangs fails the attempt", async () => {
      const answers: (() => boolean | Promise<boolean>)[] = [
        () => false,
        () => true,
        () => Promise.reject(new Error("no idea")),
        () => "yes" as never,
        () => new Promise(() => {}),
      ];
      const asked: ConditionSource[] = [];
      const when = (source: ConditionSource) => {
        asked.push(source);
        return answers[Number(source.data.answer)]?.() ?? true;
      };
      const { service, clock, deliveries } = setUp({ when });
      const ids: string[] = [];
      for (const answer of answers.keys()) {
        ids.push((await service.create({ to: "ann", type: "guarded", ...texts, data: { answer } })).notification.id);
      }
      const isOver = async (id: string) =>
        (await deliveries(id)).every(({ status, attempts }) => status !== "pending" || attempts.length > 0);
      expect(await clock.until(async () => (await Promise.all(ids.map(isOver))).every(Boolean))).toBe(true);
      const outcomes = await Promise.all(
        ids.map(async (id) => (await deliveries(id)).map(({ status, reason, attempts }) => [status, reason, attempts[0]?.error ?? null])),
      );
      expect(outcomes.flat()).toEqual([
        ["skipped", "condition", null],
        ["sent", null, null],
        ["pending", null, 'The condition of the type "guarded" threw: no idea'],
        ["pending", null, 'The condition of the type "guarded" answered a value of the type string; expected true or false.'],
        ["pending", null, "The preferences of the user and the condition of the type gave no answer within 5000 ms."],
      ]);
      expect(asked[0]).toEqual({ user: { id: "ann", tenant: "default" }, data: { answer: 0 } });
    });

    test("a throttle lets each user get so many, and skips the others; what is not sent uses nothing up", async () => {
      const { service, clock, mails } = setUp();
      await service.preferences.set("cat", { type: "throttled" }, "off");
      const send = async (to: readonly string[]) => {
        const { notification } = await service.create({ to, type: "throttled", channels: ["email"], ...texts });
        return (await service.deliveries(notification.id)).deliveries.map(({ reason }) => reason ?? "goes");
      };
      expect([await send(["ann", "bob"]), await send(["ann"]), await send(["ann", "bob", "cat"])]).toEqual([
        ["goes", "goes"],
        ["goes"],
        ["throttled", "goes", "preference"],
      ]);
      await service.runDue();
      await clock.pass(30_000);
      expect([await send(["ann"]), await send(["ann"])]).toEqual([["goes"], ["throttled"]]);
      await service.preferences.takeBack("cat", { type: "throttled" });
      expect([await send(["cat"]), await send(["cat"]), await send(["cat"])]).toEqual([["goes"], ["goes"], ["throttled"]]);
      await service.runDue();
      expect(mails.toSorted()).toEqual(["ann", "ann", "ann", "bob", "bob", "cat", "cat"]);
    });

    test("a fallback obeys the user as well, and stands in for a channel where the user has no address", async () => {
      const { service, mails, deliveries } = setUp();
      await service.preferences.set("ann", { all: true, channel: "email" }, "off");
      const { notification } = await service.create({ to: ["ann", "bob"], type: "plain", ...texts, fallback: true });
      await service.runDue();
      expect((await deliveries(notification.id)).map(told)).toEqual([
        ["ann", "inbox", "failed", "offline", null],
        ["ann", "email", "skipped", "preference", "user all email"],
        ["bob", "inbox", "failed", "offline", null],
        ["bob", "email", "sent", null, null],
      ]);
      expect(mails).toEqual(["bob"]);
    });
  });
});
