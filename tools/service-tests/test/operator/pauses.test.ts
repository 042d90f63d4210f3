import { defineTypes, NotificationService } from "@belfry/core";
import { recorder, testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const START = new Date("2030-01-09T12:30:00Z");

const types = defineTypes({
  mail: { channels: { email: true } },
  news: { channels: { inbox: true, email: true } },
  comment: { channels: { email: { digest: { windowMs: HOUR_MS } } } },
});

onEveryStorage((database) => {
  /** A service whose mail is recorded, and others on the same database, as other processes are. */
  function setUp() {
    const clock = testClock(START);
    const mails = recorder();
    const open = () => {
      const directory = (ids: readonly string[]) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }]));
      const parts = { storage: database.storage(), clock, types, channels: [mails], directory, logger: silent };
      return stopsAfterTest(new NotificationService(parts));
    };
    const service = open();
    const mail = async (to: string, title: string) => (await service.create({ type: "mail", to: { email: to }, title })).notification.id;
    const standing = async (id: string) => {
      const [delivery] = (await service.timeline(id)).deliveries.filter(({ channel }) => channel === "email");
      return { ...delivery?.standing, pause: delivery?.pause };
    };
    const shown = () => mails.tasks.map(({ title }) => title);
    return { service, open, clock, mails, mail, standing, shown };
  }

  const PAUSE = { actor: "host", detail: null, pausedAt: START };
  const HELD = { state: "held", heldBy: "paused", until: null };

  describe("a pause", () => {
    test("of an endpoint holds back what goes there, in every process, and once it is resumed, the oldest goes out first", async () => {
      const { service, open, clock, mail, standing, shown } = setUp();
      const other = open();
      await other.create({ type: "mail", to: { email: "cat@example.com" }, title: "0" });
      await other.runDue();
      const place = { channel: "email", recipient: "ann@example.com" };
      const pause = { ...place, actor: "eve", detail: "Her server moves.", pausedAt: START };
      const { detail, actor } = pause;
      expect(await service.operator.pauses.pause({ ...place, detail, actor })).toEqual(pause);
      expect(await other.operator.pauses.pause({ ...place, actor: "bob" })).toEqual(pause);
      expect(await other.operator.pauses.list()).toEqual([pause]);
      const ids = [await mail("ann@example.com", "1"), await mail("ann@example.com", "2"), await mail("bob@example.com", "3")];
      await service.runDue();
      expect(shown()).toEqual(["0", "3"]);
      expect(await standing(ids[0] ?? "")).toEqual({ ...HELD, failures: 0, pause });
      expect((await service.timeline(ids[0] ?? "")).summary.standing).toMatchObject(HELD);
      const { notifications } = await service.operator.search({ state: "held", channel: "email" });
      expect(notifications.map(({ title }) => title)).toEqual(["2", "1"]);
      await service.stop();
      await clock.skip(SECOND_MS);
      await other.create({ type: "mail", to: { email: "ann@example.com" }, title: "4" });
      await other.runDue();
      expect([shown(), await other.operator.pauses.resume({ ...place, actor: "bob" })]).toEqual([["0", "3"], true]);
      expect(await other.operator.pauses.resume(place)).toBe(false);
      await other.runDue();
      expect(shown()).toEqual(["0", "3", "1", "2", "4"]);
      expect(await other.operator.pauses.list()).toEqual([]);
      const { deliveries } = await other.deliveries(ids[0] ?? "");
      expect(deliveries).toMatchObject([{ status: "delivered", attempt: 1, reason: null, reasonSource: null }]);
    });

    test("of a channel, or of everything, holds back what it covers; what another one covers stays held back", async () => {
      const { service, clock, mail, shown } = setUp();
      const { pauses } = service.operator;
      await pauses.pause({ channel: "email" });
      await pauses.pause();
      const id = await mail("ann@example.com", "1");
      await service.tenant("acme").create({ type: "mail", to: { email: "ann@example.com" }, title: "of acme" });
      await service.runDue();
      expect(shown()).toEqual(["of acme"]);
      expect(await pauses.list()).toEqual([
        { channel: null, recipient: null, ...PAUSE },
        { channel: "email", recipient: null, ...PAUSE },
      ]);
      await pauses.resume({ channel: "email" });
      await clock.skip(2 * 60 * SECOND_MS);
      await service.runDue();
      expect(shown()).toEqual(["of acme"]);
      await pauses.pause({ channel: "email", recipient: "ann@example.com" });
      await pauses.resume();
      await service.runDue();
      expect((await service.get(id)).status).toBe("pending");
      await pauses.resume({ channel: "email", recipient: "ann@example.com" });
      await service.runDue();
      expect(shown()).toEqual(["of acme", "1"]);
    });

    test("whose end a process wrote before it died is ended by another, also for what that one holds back before it knows", async () => {
      const { service, clock, mail, shown } = setUp();
      await service.operator.pauses.pause({ channel: "email" });
      await mail("ann@example.com", "1");
      await service.runDue();
      const storage = database.storage();
      await storage.open();
      expect(await storage.holds.resume("default", { channel: "email", recipient: null }, new Date(clock.now()))).toBe(true);
      await storage.close();
      await mail("ann@example.com", "2");
      await service.runDue();
      await clock.skip(60 * SECOND_MS);
      await service.runDue();
      expect(shown()).toEqual(["1", "2"]);
    });

    test("holds back a digest as a whole, and neither the inbox nor what expires", async () => {
      const { service, clock, mails, standing } = setUp();
      await service.operator.pauses.pause();
      const first = await service.create({ type: "comment", to: "ann", title: "One" });
      await service.create({ type: "comment", to: "ann", title: "Two" });
      const news = await service.create({ type: "news", to: "bob", title: "News", expiresAt: new Date(START.getTime() + 2 * HOUR_MS) });
      expect((await service.inbox("bob").list()).items).toMatchObject([{ title: "News" }]);
      await service.runDue();
      await clock.skip(HOUR_MS);
      await service.runDue();
      expect([mails.tasks, await standing(first.notification.id)]).toMatchObject([[], HELD]);
      expect((await service.operator.search({ state: "held" })).notifications).toHaveLength(2);
      await clock.skip(2 * HOUR_MS);
      await service.operator.pauses.resume();
      await service.runDue();
      expect(mails.tasks.map(({ digest }) => digest?.total)).toEqual([2]);
      expect((await service.deliveries(news.notification.id)).deliveries.find(({ channel }) => channel === "email")).toMatchObject({
        ...{ status: "skipped", reason: "expired" },
      });
    });

    test("shows in what explain says, in the audit log and to listeners, and goes with its user", async () => {
      const { service } = setUp();
      const { pauses } = service.operator;
      const heard: unknown[] = [];
      service.on("pause.started", (event) => heard.push(["started", event]));
      service.on("pause.ended", (event) => heard.push(["ended", event]));
      const pause = { ...PAUSE, channel: "email", recipient: "ann", actor: "eve" };
      await pauses.pause({ channel: "email", recipient: "ann", actor: "eve" });
      const explained = async (userId: string) =>
        (await service.explain(userId, "news")).map((one) => [one.channel, one.outcome, one.pause]);
      const inbox = ["inbox", "deliver", null];
      expect(await explained("ann")).toEqual([inbox, ["email", "deliver", pause]]);
      expect(await explained("bob")).toEqual([inbox, ["email", "deliver", null]]);
      await pauses.pause({ actor: "ann" });
      await pauses.resume({ channel: "email", recipient: "ann", actor: "bob" });
      const everything = { ...PAUSE, channel: null, recipient: null, actor: "ann" };
      expect(heard).toEqual([
        ["started", { ...pause, tenant: "default" }],
        ["started", { ...everything, tenant: "default" }],
        ["ended", { ...pause, tenant: "default" }],
      ]);
      await pauses.pause({ channel: "email", actor: "fay" });
      const lines = await service.operator.auditLog();
      expect(lines.map(({ action, actor, targetKind, targetId, details }) => [action, actor, targetKind, targetId, details])).toEqual([
        ["paused", "fay", "channel", "email", null],
        ["resumed", "bob", "address", null, "email"],
        ["paused", "ann", null, null, "every channel"],
        ["paused", "eve", "address", null, "email"],
      ]);
      await pauses.resume({ channel: "email" });
      await pauses.pause({ channel: "email", recipient: "ann" });
      await service.deleteUser("ann");
      expect(await pauses.list()).toEqual([{ ...everything, actor: "" }]);
    });

    test("is refused for a channel that nobody has, for a recipient alone, and beyond a hundred", async () => {
      const { service } = setUp();
      const { pauses } = service.operator;
      for (const channel of ["emial", "inbox"]) {
        await expect(pauses.pause({ channel })).rejects.toMatchObject({ code: "CHANNEL_NOT_CONFIGURED", details: { channel } });
        expect(await pauses.resume({ channel })).toBe(false);
      }
      await expect(pauses.pause({ recipient: "ann" })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
      await expect(pauses.resume({ recipient: "ann" })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
      for (let index = 0; index < 100; index += 1) {
        await pauses.pause({ channel: "email", recipient: `user ${index}` });
      }
      await expect(pauses.pause()).rejects.toMatchObject({ code: "INVALID_STATE" });
      expect(await service.tenant("acme").operator.pauses.pause()).toMatchObject({ channel: null });
      expect(await pauses.pause({ channel: "email", recipient: "user 7" })).toMatchObject({ recipient: "user 7" });
    });
  });
});
