import { NotificationService } from "@belfry/core";
import { type RecorderAnswer, recorder, testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const HOUR_MS = 3_600_000;
const START = new Date("2030-01-09T12:30:00Z");
const ANN = { channel: "email", recipient: "ann@example.com" };

onEveryStorage((database) => {
  /** A service whose mail fails as `state` says: for a while, or for good where the address begins with `gone`. */
  function setUp() {
    const state = { error: "421 busy", works: false };
    const answer = ({ recipient }: { readonly recipient: string }): RecorderAnswer | undefined =>
      state.works ? undefined : { status: "failed", transient: !recipient.startsWith("gone"), error: state.error, provider: "smtp" };
    const mails = recorder({ name: "email", answer, retryDelaysMs: [HOUR_MS, HOUR_MS] });
    const clock = testClock(START);
    const service = stopsAfterTest(new NotificationService({ storage: database.storage(), clock, channels: [mails], logger: silent }));
    const mail = async (to: string, title = "Hello") => (await service.create({ to: { email: to }, title })).notification.id;
    const failing = async (channel?: string) => await service.operator.endpoints.failing(channel === undefined ? {} : { channel });
    return { service, clock, state, mails, mail, failing };
  }

  describe("endpoints that fail", () => {
    test("are listed with what went wrong, since when, how many it affects, and whether they rest or are paused", async () => {
      const { service, clock, state, mail, failing } = setUp();
      expect(await failing()).toEqual({ endpoints: [], isComplete: true });
      for (let index = 0; index < 4; index += 1) {
        await mail(ANN.recipient);
      }
      await service.runDue();
      await clock.skip(1_000);
      state.error = "550 no";
      await mail(ANN.recipient);
      await mail("gone@example.com");
      await service.runDue();
      await service.operator.pauses.pause({ channel: "email", recipient: "gone@example.com", actor: "eve" });
      const [since, later] = [START, new Date(START.getTime() + 1_000)];
      const cause = { provider: "smtp", reason: null };
      const ann = {
        ...{ ...ANN, deliveries: 5, retrying: 5, attempts: 5, firstAt: since, lastAt: later, failuresInARow: 5, pause: null },
        restsUntil: new Date(later.getTime() + 10_000),
        causes: [
          { ...cause, error: "421 busy", deliveries: 4, firstAt: since, lastAt: since },
          { ...cause, error: "550 no", deliveries: 1, firstAt: later, lastAt: later },
        ],
      };
      const gone = {
        ...{ channel: "email", recipient: "gone@example.com", deliveries: 1, retrying: 0, attempts: 1, firstAt: later, lastAt: later },
        ...{ restsUntil: null, failuresInARow: 0, causes: [{ ...cause, error: "550 no", deliveries: 1, firstAt: later, lastAt: later }] },
        pause: { channel: "email", recipient: "gone@example.com", actor: "eve", detail: null, pausedAt: later },
      };
      expect(await failing()).toEqual({ endpoints: [ann, gone], isComplete: true });
      expect((await failing("sms")).endpoints).toEqual([]);
      expect((await service.tenant("acme").operator.endpoints.failing()).endpoints).toEqual([]);
      state.works = true;
      await service.operator.retries.start({ recipient: ANN.recipient });
      await service.runDue();
      expect((await failing()).endpoints).toEqual([gone]);
    });

    test("say what it was where no attempt says it: a lost process, a mail that came back", async () => {
      const { service, clock, state, mails, failing } = setUp();
      state.works = true;
      const { notification } = await service.create({ to: { email: "back@example.com" }, title: "Hello" });
      await service.runDue();
      const [delivery] = (await service.deliveries(notification.id)).deliveries;
      await service.receipts.record({ kind: "hard_bounce", messageId: delivery?.id ?? "" });
      const idle = stopsAfterTest(
        new NotificationService({ storage: database.storage(), clock, channels: [mails], logger: silent, delivery: { worker: false } }),
      );
      await idle.create({ to: { email: "lost@example.com" }, title: "Hello" });
      const storage = database.storage();
      await storage.open();
      const dead = { owner: "dead", at: new Date(clock.now()), leaseMs: HOUR_MS, limit: 1, exceptTenants: [] };
      await storage.deliveries.leases.claim({ ...dead, perEndpoint: 1, channels: ["email"], exceptEndpoints: [] });
      await service.operator.pauses.pause({ channel: "email" });
      await clock.skip(2 * HOUR_MS);
      await service.runDue();
      const said = (await failing()).endpoints.map(({ recipient, causes }) => [
        recipient,
        causes.map(({ provider, error }) => [provider, error]),
      ]);
      expect(Object.fromEntries(said)).toEqual({
        "back@example.com": [["email", "The provider took it, and gave it back later."]],
        "lost@example.com": [["belfry", "The process that made this attempt was lost before it ended."]],
      });
      await storage.close();
    });

    test("are tried by one delivery, also while they rest", async () => {
      const { service, state, mails, mail } = setUp();
      const { endpoints } = service.operator;
      for (let index = 0; index < 5; index += 1) {
        await mail(ANN.recipient, `${index}`);
      }
      const failed = await mail("gone@example.com");
      await service.runDue();
      state.works = true;
      mails.clear();
      const tried = await endpoints.tryOne({ ...ANN, actor: "eve" });
      await service.runDue();
      expect(mails.tasks.map(({ title }) => title)).toEqual(["4"]);
      const timeline = await service.timeline(tried);
      expect([timeline.summary.status, timeline.audit.at(-1)]).toMatchObject(["delivered", { action: "retried", actor: "eve" }]);
      expect(await endpoints.tryOne({ channel: "email", recipient: "gone@example.com" })).toBe(failed);
      await service.runDue();
      expect((await service.get(failed)).status).toBe("delivered");
      await expect(endpoints.tryOne({ channel: "email", recipient: "gone@example.com" })).rejects.toMatchObject({ code: "NOT_FOUND" });
      await expect(service.tenant("acme").operator.endpoints.tryOne(ANN)).rejects.toMatchObject({ code: "NOT_FOUND" });
      await service.operator.pauses.pause({ channel: "email" });
      await expect(endpoints.tryOne(ANN)).rejects.toMatchObject({ code: "INVALID_STATE" });
      await expect(endpoints.tryOne({ channel: "email" } as never)).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
    });

    test("rest no longer once somebody says so, and what is due there goes out", async () => {
      const { service, state, mails, mail, failing } = setUp();
      const { endpoints } = service.operator;
      for (let index = 0; index < 5; index += 1) {
        await mail(ANN.recipient);
      }
      await service.runDue();
      state.works = true;
      mails.clear();
      await mail(ANN.recipient, "waits");
      await service.runDue();
      expect(mails.tasks).toEqual([]);
      expect(await service.tenant("acme").operator.endpoints.resume(ANN)).toBe(false);
      expect([await endpoints.resume({ ...ANN, actor: "eve" }), await endpoints.resume(ANN)]).toEqual([true, false]);
      await service.runDue();
      expect(mails.tasks.map(({ title }) => title)).toEqual(["waits"]);
      expect((await failing()).endpoints).toMatchObject([{ ...ANN, deliveries: 5, restsUntil: null }]);
      expect((await service.operator.auditLog({ limit: 1 })).map(({ action, actor }) => [action, actor])).toEqual([["resumed", "eve"]]);
    });
  });
});
