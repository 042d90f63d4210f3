import {
  type Channel,
  type DeliveryFailure,
  type DeliveryTask,
  type Directory,
  defineTypes,
  NotificationService,
  type Receipt,
} from "@belfry/core";
import { recorder, testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const types = defineTypes({
  mail: { channels: ["email"] },
  important: { channels: ["email"], required: true },
  daily: { channels: { email: { digest: { windowMs: 60_000 } } } },
});
const texts = { title: "Hello", message: "World" };
const directory: Directory = (ids) => new Map(ids.map((id) => [id, { email: `${id}@Example.com` }]));
const DAY_MS = 86_400_000;

onEveryStorage((database) => {
  function setUp(more: readonly Channel[] = []) {
    const clock = testClock();
    const email = { ...recorder({ answer: () => ({ status: "sent" }) }), comparableAddress: (address: string) => address.toLowerCase() };
    const suppression = { softBounces: 3, withinMs: DAY_MS };
    const channels = more.some(({ name }) => name === email.name) ? more : [email, ...more];
    const service = stopsAfterTest(
      new NotificationService({ storage: database.storage(), types, channels, directory, clock, logger: silent, suppression }),
    );
    const told: string[] = [];
    for (const name of ["delivery.delivered", "delivery.failed", "send.changed", "address.suppressed", "address.lifted"] as const) {
      service.on(name, () => told.push(name));
    }
    /** Sends a mail, and returns its notification's id and its Message-ID. */
    const sent = async (to: string | { readonly email: string } = "ann", type: keyof typeof types = "mail") => {
      const { notification } = await service.create({ to, type, ...texts });
      await service.runDue();
      const { deliveries } = await service.deliveries(notification.id);
      return { id: notification.id, messageId: `<${deliveries[0]?.id.toUpperCase()}@example.com>` };
    };
    const stateOf = async (id: string) =>
      (await service.deliveries(id)).deliveries.map(({ status, reason, reasonSource }) => [status, reason, reasonSource]);
    const record = (receipt: Partial<Receipt>) => service.receipts.record({ kind: "hard_bounce", address: "ann@example.com", ...receipt });
    return { service, clock, email, told, sent, stateOf, record };
  }

  describe("a receipt", () => {
    test("of an arrival makes a mail delivered, and repeating it changes nothing", async () => {
      const { service, told, sent, stateOf, record } = setUp();
      const { id, messageId } = await sent();
      expect(await record({ kind: "deferred", messageId })).toEqual({ outcome: "unchanged", isSuppressed: false });
      expect(await record({ kind: "delivered", messageId })).toEqual({ outcome: "changed", isSuppressed: false });
      expect(await record({ kind: "delivered", messageId })).toEqual({ outcome: "unchanged", isSuppressed: false });
      expect(await stateOf(id)).toEqual([["delivered", null, null]]);
      expect((await service.get(id)).status).toBe("delivered");
      expect(told).toEqual(["send.changed", "delivery.delivered", "send.changed"]);
    });

    test("of a hard bounce fails a mail that arrived, suppresses its address in any spelling, and nothing leads back", async () => {
      const { service, told, sent, stateOf, record } = setUp();
      const { id, messageId } = await sent();
      await record({ kind: "delivered", messageId });
      told.length = 0;
      const bounce = { messageId, provider: "ses", detail: "550 no\u0000 such user" } as const;
      expect(await record(bounce)).toEqual({ outcome: "changed", isSuppressed: true });
      expect(await record(bounce)).toEqual({ outcome: "unchanged", isSuppressed: true });
      expect(await record({ kind: "delivered", messageId })).toEqual({ outcome: "unchanged", isSuppressed: true });
      expect(await stateOf(id)).toEqual([["failed", "bounced", "hard bounce"]]);
      expect((await service.get(id)).status).toBe("failed");
      expect(told).toEqual(["delivery.failed", "send.changed", "address.suppressed"]);
      expect(await service.suppressions.get("email", "ANN@example.com")).toMatchObject({
        ...{ address: "ann@example.com", reason: "hard_bounce", actor: "ses", detail: "550 no such user" },
      });
    });

    test("of a complaint says that the mail arrived, and suppresses the address", async () => {
      const { service, sent, stateOf, record } = setUp();
      const { id, messageId } = await sent();
      expect(await record({ kind: "complaint", messageId })).toEqual({ outcome: "changed", isSuppressed: true });
      expect(await stateOf(id)).toEqual([["delivered", null, null]]);
      expect(await service.suppressions.list()).toMatchObject({ suppressions: [{ reason: "complaint" }], nextCursor: null });
    });

    test("of a soft bounce fails a mail that did not arrive, and suppresses the address when there are several", async () => {
      const { clock, sent, stateOf, record } = setUp();
      const first = await sent();
      expect(await record({ kind: "soft_bounce", messageId: first.messageId })).toEqual({ outcome: "changed", isSuppressed: false });
      expect(await record({ kind: "soft_bounce", messageId: first.messageId })).toEqual({ outcome: "unchanged", isSuppressed: false });
      expect(await stateOf(first.id)).toEqual([["failed", "bounced", "soft bounce"]]);
      const arrived = await sent();
      await record({ kind: "delivered", messageId: arrived.messageId });
      // A note of absence comes after the arrival.
      await record({ kind: "soft_bounce", messageId: arrived.messageId });
      expect(await stateOf(arrived.id)).toEqual([["delivered", null, null]]);
      await clock.pass(2 * DAY_MS);
      const outcomes: boolean[] = [];
      for (const _ of [1, 2, 3]) {
        outcomes.push((await record({ kind: "soft_bounce", messageId: (await sent()).messageId })).isSuppressed);
      }
      expect(outcomes).toEqual([false, false, true]);
    });

    test("about what is unknown, another tenant's or another channel's changes no delivery", async () => {
      const { service, sent, stateOf, record } = setUp();
      const { id, messageId } = await sent();
      const others = service.tenant("other").receipts;
      const unknown = { outcome: "unknown", isSuppressed: false };
      expect(await others.record({ kind: "delivered", messageId })).toEqual(unknown);
      expect(await record({ kind: "delivered", messageId, channel: "sms" })).toEqual(unknown);
      expect(await record({ kind: "delivered", messageId: "<019b0000-0000-7000-8000-000000000041@example.com>" })).toEqual(unknown);
      expect(await record({ kind: "delivered", messageId: "<someone.else@example.com>" })).toEqual(unknown);
      expect(await service.receiptsOfAll.record({ kind: "hard_bounce", address: "ann@example.com" })).toEqual(unknown);
      expect(await others.record({ kind: "hard_bounce", messageId, address: "ann@example.com" })).toEqual({
        outcome: "unknown",
        isSuppressed: true,
      });
      expect(await stateOf(id)).toEqual([["sent", null, null]]);
      expect((await service.suppressions.list()).suppressions).toEqual([]);
      expect((await service.tenant("other").suppressions.list()).suppressions).toHaveLength(1);
    });

    test("of a provider that tenants share finds the delivery's tenant", async () => {
      const { service } = setUp();
      const acme = service.tenant("acme");
      const { notification } = await acme.create({ to: "ann", type: "mail", ...texts });
      await service.runDue();
      const [delivery] = (await acme.deliveries(notification.id)).deliveries;
      const bounce = { kind: "hard_bounce", messageId: delivery?.id ?? "", address: "ann@example.com" } as const;
      expect(await service.receiptsOfAll.record(bounce)).toEqual({ outcome: "changed", isSuppressed: true });
      expect((await acme.suppressions.list()).suppressions).toHaveLength(1);
      expect((await service.suppressions.list()).suppressions).toEqual([]);
    });

    test("that comes at once with its repetitions counts once", async () => {
      const { service, told, sent, record } = setUp();
      const { messageId } = await sent();
      const all = await Promise.all(Array.from({ length: 5 }, () => record({ messageId })));
      expect(all.filter(({ outcome }) => outcome === "changed")).toHaveLength(1);
      expect(told.filter((name) => name === "delivery.failed")).toHaveLength(1);
      expect((await service.suppressions.list()).suppressions).toHaveLength(1);
    });

    test("of an earlier try counts no more once somebody retried, and suppression still skips it", async () => {
      const { service, clock, email, sent, stateOf, record } = setUp();
      const { id, messageId } = await sent();
      const at = new Date(clock.now());
      await record({ kind: "soft_bounce", messageId, at });
      await clock.pass(1_000);
      await service.retry(id);
      await service.runDue();
      expect(await stateOf(id)).toEqual([["sent", null, null]]);
      expect(await record({ kind: "hard_bounce", messageId, at })).toEqual({ outcome: "unchanged", isSuppressed: true });
      expect(await stateOf(id)).toEqual([["sent", null, null]]);
      expect(email.tasks).toHaveLength(2);
    });

    test("of a bounce starts the fallback that still waits", async () => {
      const { service, stateOf, record } = setUp([recorder({ name: "sms", isAddress: () => true })]);
      const input = { to: "ann", channels: ["email"], fallback: { channel: "sms", afterMs: DAY_MS } };
      const { notification } = await service.create({ ...input, type: "mail", ...texts });
      await service.runDue();
      const [delivery] = (await service.deliveries(notification.id)).deliveries;
      await record({ messageId: delivery?.id ?? "" });
      await service.runDue();
      expect(await stateOf(notification.id)).toEqual([
        ["failed", "bounced", "hard bounce"],
        ["delivered", null, null],
      ]);
    });

    test("of a digest counts for everything in it", async () => {
      const { service, clock, stateOf, record } = setUp();
      const one = await service.create({ to: "ann", type: "daily", ...texts });
      const two = await service.create({ to: "ann", type: "daily", ...texts });
      await service.runDue();
      await clock.pass(60_000);
      await service.runDue();
      const [first, second] = await Promise.all([one, two].map(({ notification }) => service.deliveries(notification.id)));
      const carriers = [first, second].flatMap((page) => page?.deliveries ?? []).filter(({ attempts }) => attempts.length > 0);
      expect(await record({ messageId: carriers[0]?.id ?? "" })).toMatchObject({ outcome: "changed" });
      for (const { notification } of [one, two]) {
        expect(await stateOf(notification.id)).toEqual([["failed", "bounced", "hard bounce"]]);
      }
    });
  });

  describe("an attempt that finds nobody at its address", () => {
    const gone = {
      status: "failed",
      transient: false,
      provider: "smtp",
      error: "refused",
      response: "550 5.1.1 no\u0000 such user",
    } as const;

    /** A service whose mail server knows nobody. */
    function withoutMailboxes(outcome: Partial<DeliveryFailure> = {}) {
      const tasks: DeliveryTask[] = [];
      const email: Channel = {
        ...recorder(),
        comparableAddress: (address) => address.toLowerCase(),
        async deliver(task) {
          tasks.push(task);
          return { ...gone, isHardBounce: true, ...outcome };
        },
      };
      return { ...setUp([email]), tasks };
    }

    test("suppresses it as a receipt does: the next mail is skipped, explain and the audit log say so", async () => {
      const { service, told, tasks, stateOf } = withoutMailboxes();
      const { notification } = await service.create({ to: ["ann", { email: "ann@example.com" }], type: "mail", ...texts });
      await service.runDue();
      expect((await stateOf(notification.id)).filter(([status]) => status === "failed")).not.toEqual([]);
      const next = await service.create({ to: "ann", type: "important", ...texts });
      await service.runDue();
      expect(await stateOf(next.notification.id)).toEqual([["skipped", "suppressed", "suppressions"]]);
      expect(new Set(tasks.map(({ notificationId }) => notificationId))).toEqual(new Set([notification.id]));
      expect(await service.suppressions.get("email", "ann@example.com")).toMatchObject({
        ...{ reason: "hard_bounce", actor: "smtp", detail: "550 5.1.1 no such user" },
      });
      expect(await service.explain("ann", "mail")).toMatchObject([{ outcome: "skip", reason: "suppressed" }]);
      const lines = (await service.operator.auditLog({})).filter(({ action }) => action === "suppressed");
      expect(lines.map(({ action, actor, details }) => [action, actor, details])).toEqual([["suppressed", "smtp", "email, hard_bounce"]]);
      expect(told.filter((name) => name === "address.suppressed")).toHaveLength(1);
    });

    test("suppresses it for a digest, and takes no other tenant's mail", async () => {
      const { service, clock, told, tasks, stateOf } = withoutMailboxes();
      const entries = [
        await service.create({ to: "ann", type: "daily", ...texts }),
        await service.create({ to: "ann", type: "daily", ...texts }),
      ];
      await service.runDue();
      await clock.pass(60_000);
      await service.runDue();
      for (const { notification } of entries) {
        expect(await stateOf(notification.id)).toEqual([["failed", null, null]]);
      }
      expect((await service.suppressions.list()).suppressions).toMatchObject([{ address: "ann@example.com", reason: "hard_bounce" }]);
      expect(told.filter((name) => name === "address.suppressed")).toHaveLength(1);
      await service.tenant("other").create({ to: "ann", type: "mail", ...texts });
      await service.runDue();
      expect(tasks.map(({ tenant }) => tenant)).toEqual(["default", "other"]);
    });

    test.each([{ transient: true }, { isHardBounce: false }])("does not with %j", async (outcome) => {
      const { service, told, sent } = withoutMailboxes(outcome);
      await sent();
      expect((await service.suppressions.list()).suppressions).toEqual([]);
      expect(told).not.toContain("address.suppressed");
    });
  });

  describe("a suppressed address", () => {
    test("gets nothing, not even what is required, until it is lifted; explain says so", async () => {
      const { service, email, told, stateOf } = setUp();
      await service.suppressions.add({ channel: "email", address: "ANN@example.com", actor: "support" });
      const skipped = [["skipped", "suppressed", "suppressions"]];
      for (const type of ["mail", "important"] as const) {
        const { notification } = await service.create({ to: "ann", type, ...texts });
        await service.runDue();
        expect(await stateOf(notification.id)).toEqual(skipped);
        expect(await service.explain("ann", type)).toMatchObject([{ outcome: "skip", reason: "suppressed", source: "suppressions" }]);
      }
      const direct = await service.create({ to: { email: "Ann@Example.com" }, type: "mail", ...texts });
      await service.runDue();
      expect(await stateOf(direct.notification.id)).toEqual(skipped);
      expect(email.tasks).toEqual([]);
      expect(await service.suppressions.lift("email", "ann@example.com", { actor: "support" })).toBe(true);
      expect(await service.suppressions.lift("email", "ann@example.com")).toBe(false);
      const { notification } = await service.create({ to: "ann", type: "mail", ...texts });
      await service.runDue();
      expect(await stateOf(notification.id)).toEqual([["sent", null, null]]);
      expect(await service.explain("ann", "mail")).toMatchObject([{ outcome: "deliver" }]);
      expect(told.filter((name) => name.startsWith("address."))).toEqual(["address.suppressed", "address.lifted"]);
    });

    test("starts a fallback, and takes no other user's mail", async () => {
      const { service, stateOf } = setUp([recorder({ name: "sms", isAddress: () => true })]);
      await service.suppressions.add({ channel: "email", address: "ann@example.com" });
      await service.tenant("other").suppressions.add({ channel: "email", address: "bob@example.com" });
      const { notification } = await service.create({
        to: ["ann", "bob"],
        channels: ["email"],
        fallback: { channel: "sms" },
        type: "mail",
        ...texts,
      });
      await service.runDue();
      expect(await stateOf(notification.id)).toEqual([
        ["skipped", "suppressed", "suppressions"],
        ["delivered", null, null],
        ["sent", null, null],
        ["waiting", null, null],
      ]);
    });

    test("gets no digest", async () => {
      const { service, clock, email, stateOf } = setUp();
      const { notification } = await service.create({ to: "ann", type: "daily", ...texts });
      await service.runDue();
      await service.suppressions.add({ channel: "email", address: "ann@example.com" });
      await clock.pass(60_000);
      await service.runDue();
      expect(await stateOf(notification.id)).toEqual([["skipped", "suppressed", "suppressions"]]);
      expect(email.tasks).toEqual([]);
    });

    test("is listed in pages, and stays suppressed when its user is deleted", async () => {
      const { service, email } = setUp();
      for (const name of ["ann", "bob", "cat"]) {
        await service.suppressions.add({ channel: "email", address: `${name}@example.com`, reason: "unsubscribed", detail: "asked" });
      }
      const first = await service.suppressions.list({ limit: 2 });
      expect(first.suppressions.map(({ address }) => address)).toEqual(["ann@example.com", "bob@example.com"]);
      const last = await service.suppressions.list({ limit: 2, cursor: first.nextCursor ?? "" });
      expect([last.suppressions.map(({ address }) => address), last.nextCursor]).toEqual([["cat@example.com"], null]);
      await expect(service.suppressions.list({ cursor: "x" })).rejects.toMatchObject({ code: "INVALID_CURSOR" });
      await service.deleteUser("ann", { addresses: ["Ann@example.com"] });
      expect((await service.suppressions.list({ prefix: "ann" })).suppressions).toEqual([]);
      await service.create({ to: { email: "ann@example.com" }, type: "mail", ...texts });
      await service.runDue();
      expect(email.tasks).toEqual([]);
      expect(await service.suppressions.get("email", "ann@example.com")).toMatchObject({ reason: "unsubscribed", detail: null });
    });
  });
});
