import { type Channel, type DeliveryTask, defineTypes, NotificationService, systemClock } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { refusal } from "../refusal.ts";
import { silent } from "../silent.ts";
import { useSqliteDatabase } from "../sqlite-database.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

/** A channel for addresses of one kind that keeps its tasks. */
function channel(name: string, pattern: RegExp): Channel & { readonly tasks: DeliveryTask[] } {
  const tasks: DeliveryTask[] = [];
  return {
    name,
    tasks,
    retryDelaysMs: [],
    timeoutMs: 5_000,
    invalidRecipient: (recipient) => (pattern.test(recipient) ? null : `is no ${name} address`),
    async deliver(task) {
      tasks.push(task);
      return { status: "sent", provider: name };
    },
  };
}

const email = () => channel("email", /^\S+@\S+$/);

const LEASE_MS = 60_000;

/** Sends to Ann's inbox, and leases the delivery for a process that is never heard of again; answers the send's id. */
async function loseDelivery(storage: Storage): Promise<string> {
  const service = stopsAfterTest(new NotificationService({ storage, delivery: { worker: false } }));
  const { id } = await service.trackFromContract({ to: "ann", message: "x" });
  const claim = {
    owner: "lost",
    at: new Date(),
    leaseMs: LEASE_MS,
    limit: 1,
    perEndpoint: 1,
    channels: ["inbox"],
    exceptTenants: [],
    exceptEndpoints: [],
  };
  expect(await storage.deliveries.leases.claim(claim)).toHaveLength(1);
  return id;
}

/** Runs what is due while Ann is connected; answers how the delivery of a send stands, and its attempts. */
async function deliverAgain(service: NotificationService, sendId: string): Promise<unknown> {
  const subscription = service.inbox("ann").subscribe({ onEvent: () => {}, onState: () => {} });
  await subscription.ready;
  await service.runDue();
  const {
    deliveries: [delivery],
  } = await service.deliveries(sendId);
  subscription.close();
  return [delivery?.status, delivery?.attempts.map(({ status }) => status)];
}

describe("on a storage that one process uses", () => {
  const database = useSqliteDatabase();

  test("a delivery over the inbox that the process before did not survive is made again at once", async () => {
    const id = await loseDelivery(database.storage());
    const next = stopsAfterTest(new NotificationService({ storage: database.storage() }));
    expect(await deliverAgain(next, id)).toEqual(["sent", ["unknown", "sent"]]);
  });
});

const sentByOwn = { status: "sent", provider: "own" } as const;

onEveryStorage((database) => {
  describe("send", () => {
    test("a user's address comes from the directory, when it is needed, for all users at once", async () => {
      const mail = email();
      const asked: (readonly string[])[] = [];
      const service = stopsAfterTest(
        new NotificationService({
          storage: database.storage(),
          channels: [mail],
          directory: async (ids, { tenant }) => {
            asked.push([tenant, ...ids]);
            return new Map([
              ["ann", { email: "ann@example.com" }],
              ["bob", { email: "no address" }],
            ]);
          },
        }),
      );
      const {
        notification: { id },
      } = await service.create({ channels: ["email"], to: ["ann", "bob", "cat", "dan@example.com"], message: "x" });
      await service.runDue();
      expect(mail.tasks.map(({ recipient, address }) => [recipient, address]).toSorted()).toEqual([
        ["ann", "ann@example.com"],
        ["dan@example.com", "dan@example.com"],
      ]);
      expect(asked).toEqual([["default", "ann", "bob", "cat"]]);
      const { deliveries } = await service.deliveries(id);
      expect(deliveries.map(({ status, reason, attempts }) => [status, reason, attempts[0]?.error])).toEqual([
        ["sent", null, null],
        ["failed", null, "The email address that the host's directory gave is no email address."],
        ["skipped", "no_address", undefined],
        ["sent", null, null],
      ]);
    });

    test("a directory that fails is no reason to give up", async () => {
      let fails = true;
      const mail = { ...email(), retryDelaysMs: [1] };
      const service = stopsAfterTest(
        new NotificationService({
          storage: database.storage(),
          channels: [mail],
          directory: () => {
            if (fails) {
              fails = false;
              throw new Error("no directory today");
            }
            return new Map([["ann", { email: "ann@example.com" }]]);
          },
        }),
      );
      const {
        notification: { id },
      } = await service.create({ channels: ["email"], to: "ann", message: "x" });
      await expect.poll(async () => (await service.get(id)).status).toBe("sent");
      const {
        deliveries: [delivery],
      } = await service.deliveries(id);
      expect(delivery?.attempts.map(({ status, error }) => [status, error])).toEqual([
        ["failed", "The host's directory failed: no directory today"],
        ["sent", null],
      ]);
    });

    test("a type says which channels it goes over, each to everybody", async () => {
      const mail = email();
      const types = defineTypes({ welcome: { channels: ["inbox", "email"] } });
      const service = stopsAfterTest(
        new NotificationService({
          storage: database.storage(),
          channels: [mail],
          types,
          directory: () => new Map([["ann", { email: "ann@example.com" }]]),
        }),
      );
      const {
        notification: { id },
      } = await service.create({
        type: "welcome",
        to: "ann",
        title: "Welcome",
        message: "Hi",
        data: { step: 1, icon: "wave" },
      });
      await service.runDue();
      expect((await service.get(id)).channels).toEqual(["inbox", "email"]);
      expect((await service.inbox("ann").list()).items).toMatchObject([
        { id, type: "welcome", title: "Welcome", data: { step: 1, icon: "wave" } },
      ]);
      expect(mail.tasks.map(({ title, data }) => [title, data])).toEqual([["Welcome", { step: 1, icon: "wave" }]]);
      expect((await service.get(id)).status).toBe("sent");
    });

    test("every change of state is reported, and a listener that throws does not stop the others", async () => {
      const mail = email();
      const service = stopsAfterTest(
        new NotificationService({
          storage: database.storage(),
          channels: [mail],
          directory: () => new Map([["ann", { email: "ann@example.com" }]]),
          logger: silent,
        }),
      );
      const told: string[] = [];
      for (const name of ["delivery.pending", "delivery.sent", "delivery.delivered", "delivery.failed", "delivery.cancelled"] as const) {
        service.on(name, ({ delivery, from }) => told.push(`${delivery.channel}: ${from} -> ${delivery.status}`));
      }
      service.on("delivery.failed", () => {
        throw new Error("a listener's own");
      });
      service.on("send.changed", ({ from, to }) => told.push(`send: ${from} -> ${to}`));
      const { id } = await service.defaultTenant.trackFromContract({ to: "ann", message: "x", fallback: true });
      await service.runDue();
      await service.inbox("ann").markRead(id);
      expect(told).toEqual([
        "inbox: pending -> failed",
        "email: waiting -> pending",
        "email: pending -> sent",
        "send: pending -> sent",
        "inbox: failed -> delivered",
        "send: sent -> delivered",
      ]);
    });

    test.each([
      ["a channel that is not there", { channels: ["sms"], to: "1" }, "CHANNEL_NOT_CONFIGURED", /sms.*inbox, email/],
      ["an address that cannot be an id either", { channels: ["email"], to: "a b" }, "INVALID_RECIPIENTS", /"a b" is no email address/],
      ["an address that is none", { to: { email: "ann" } }, "INVALID_RECIPIENTS", /"ann" is no email address/],
      ["an address of a channel that is not there", { to: ["ann", { sms: "1" }] }, "CHANNEL_NOT_CONFIGURED", /sms.*inbox, email/],
      ["an address of two channels", { to: [{ email: "a@b", sms: "1" }] }, "VALIDATION_ERROR", /to.0: must be a user's id, or one/],
      ["an inbox as an address", { to: { inbox: "ann" } }, "VALIDATION_ERROR", /to: must be a user's id, or one channel's address/],
      [
        "a fallback of an address",
        { to: { email: "a@b" }, fallback: true },
        "VALIDATION_ERROR",
        /fallback: stands in for a channel of a user/,
      ],
      ["an exception that is no user", { to: { email: "a@b" }, except: [7] }, "VALIDATION_ERROR", /except.0/],
      ["no channels", { channels: [], to: "a@b" }, "VALIDATION_ERROR", /at least one/],
      [
        "a fallback over a channel that it has",
        { to: "ann", message: "x", channels: ["inbox", "email"], fallback: true },
        "VALIDATION_ERROR",
        /fallback: stands in over "email", which is among the channels inbox, email already/,
      ],
      ["nobody at all", { channels: ["email"] }, "VALIDATION_ERROR", /^.*to: must be a user's id, an address .*got undefined/],
      ["null for somebody", { channels: ["email"], to: null }, "VALIDATION_ERROR", /to: must be a user's id, an address .*got null/],
      [
        "a number among users",
        { channels: ["email"], to: ["ann", 7] },
        "INVALID_RECIPIENTS",
        /a value of the type number in to is no text/,
      ],
      ["a fallback to the inbox", { to: "ann", fallback: { channel: "inbox" } }, "VALIDATION_ERROR", /fallback/],
      ["too many recipients", { channels: ["email"], to: new Array(1_000_001).fill("ann") }, "VALIDATION_ERROR", /1000000.*split/],
      ["an invalid date", { to: "ann", scheduledAt: new Date(Number.NaN) }, "VALIDATION_ERROR", /scheduledAt/],
      ["a key that is empty", { to: "ann", idempotencyKey: "" }, "VALIDATION_ERROR", /idempotencyKey/],
      ["nothing", undefined, "VALIDATION_ERROR", /create takes an object of to, except, /],
    ])("%s is refused with what to do, and nothing is stored", async (_, input, code, message) => {
      const service = stopsAfterTest(
        new NotificationService({ storage: database.storage(), channels: [email()], directory: () => new Map() }),
      );
      await expect(service.create(input as never)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
      expect((await service.list()).total).toBe(0);
    });

    test("a fallback over a channel of the type is refused, and one over another channel is taken", async () => {
      const types = { offer: { channels: ["inbox", "email"] }, hint: {} };
      const directory = () => new Map();
      const service = stopsAfterTest(new NotificationService({ storage: database.storage(), channels: [email()], types, directory }));
      const twice = await refusal(service.create({ to: "ann", type: "offer", title: "x", fallback: true }));
      expect([twice.code, twice.message]).toEqual(["VALIDATION_ERROR", expect.stringContaining("users would get it twice")]);
      const { notification } = await service.create({ to: "ann", type: "hint", title: "x", fallback: true });
      expect((await service.deliveries(notification.id)).deliveries.map(({ channel }) => channel)).toEqual(["inbox", "email"]);
    });

    test("a user who is no address is refused without a directory, and the refusal says so", async () => {
      const service = stopsAfterTest(new NotificationService({ storage: database.storage(), channels: [email()] }));
      const { code, message } = await refusal(service.create({ to: "ann", title: "x", channels: ["email"] }));
      expect(code).toBe("INVALID_RECIPIENTS");
      expect(message).toContain('"ann" is no email address, and the service has no directory to look this user up in');
      const { message: ofAddress } = await refusal(service.create({ to: { email: "ann" }, title: "x" }));
      expect(ofAddress).not.toContain("directory");
    });

    test("a notification for inboxes alone has no deliveries to read, and the answer leaves that open", async () => {
      const service = stopsAfterTest(new NotificationService({ storage: database.storage() }));
      const { notification } = await service.create({ to: "ann", title: "x" });
      const { code, message } = await refusal(service.deliveries(notification.id));
      expect([code, message]).toEqual(["NOT_FOUND", expect.stringContaining("or it went to inboxes alone")]);
    });

    test("a fallback to e-mail that is not configured is refused; over a contract, it fails when its turn comes, and says so", async () => {
      const service = stopsAfterTest(new NotificationService({ storage: database.storage() }));
      const { id } = await service.defaultTenant.trackFromContract({ to: "ann", message: "x", fallback: true });
      await service.runDue();
      expect((await service.get(id)).status).toBe("failed");
      const {
        deliveries: [, fallback],
      } = await service.deliveries(id);
      expect(fallback?.attempts.map(({ error }) => error)).toEqual(["The channel email is not configured."]);
      for (const fallback of [true, { channel: "sms" }] as const) {
        const own = service.create({ to: "ann", message: "x", fallback });
        await expect(own).rejects.toMatchObject({ code: "CHANNEL_NOT_CONFIGURED" });
      }
    });

    test("an empty notification is not sent, and a word of another vocabulary is named", async () => {
      const own = { name: "own", retryDelaysMs: [], timeoutMs: 1_000, invalidRecipient: () => null, deliver: async () => sentByOwn };
      const service = stopsAfterTest(new NotificationService({ storage: database.storage(), channels: [own] }));
      const to = { to: { own: "ann@x.cc" } };
      for (const empty of [to, { ...to, title: " ", message: "\n" }, { to: "ann", fallback: { channel: "own" } }]) {
        await expect(service.create(empty)).rejects.toMatchObject({
          code: "VALIDATION_ERROR",
          message: expect.stringMatching(/nothing would be delivered/),
        });
      }
      const titled = service.create({ ...to, subject: "Hello", message: "Hi" } as never);
      await expect(titled).rejects.toMatchObject({
        code: "VALIDATION_ERROR",
        message: expect.stringMatching(/got "subject", which is title here/),
      });
      const {
        notification: { id },
      } = await service.create({ ...to, data: { order: 1 } });
      await expect(service.update(id, { data: {} })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
      await expect(service.create({ to: "ann", idempotencyKey: "k" })).resolves.toMatchObject({ notification: { kind: "send" } });
    });

    test.each(["2027-02-29T09:00:00Z", "2100-02-29T09:00:00+02:00", "2028-02-30T09:00:00Z", "2028-04-31T09:00:00Z"])(
      "scheduledAt %s is no day of the calendar",
      async (scheduledAt) => {
        const service = stopsAfterTest(new NotificationService({ storage: database.storage() }));
        await expect(service.create({ to: "ann", message: "x", scheduledAt })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
      },
    );

    test("a filter may lie outside of the years that a database knows", async () => {
      const service = stopsAfterTest(new NotificationService({ storage: database.storage() }));
      await service.create({ to: "ann", message: "x", scheduledAt: "2028-02-29T09:00:00Z" });
      const [first, last] = ["-000001-06-01T00:00:00Z", "+010000-01-01T12:00:00Z"].map((text) => new Date(text));
      expect((await service.list({ createdAfter: first as Date, createdBefore: last as Date })).total).toBe(1);
      expect((await service.list({ createdBefore: first as Date })).total).toBe(0);
      expect((await service.analytics({ from: first as Date, before: last as Date })).total).toBe(1);
    });

    test("a delivery over the inbox that its process did not survive is made again, once its lease has run out", async () => {
      const id = await loseDelivery(database.storage());
      const clock = { ...systemClock, now: () => Date.now() + 2 * LEASE_MS };
      const next = stopsAfterTest(new NotificationService({ storage: database.storage(), clock }));
      expect(await deliverAgain(next, id)).toEqual(["sent", ["unknown", "sent"]]);
    });

    test("channels need names of their own", () => {
      const make =
        (...channels: Channel[]) =>
        () =>
          stopsAfterTest(new NotificationService({ storage: database.storage(), channels }));
      expect(make(email(), email())).toThrowError(expect.objectContaining({ code: "CONFIGURATION" }));
      expect(make(channel("inbox", /./))).toThrowError(expect.objectContaining({ code: "CONFIGURATION" }));
    });

    test("a repeated send whose answer named somebody who was erased is answered with the send as it is, and makes no second one", async () => {
      const storage = database.storage();
      const service = stopsAfterTest(new NotificationService({ storage, channels: [email()] }));
      const input = {
        channels: ["email"],
        to: ["ann@example.com", "bob@example.com"],
        message: "x",
        idempotencyKey: "once",
        scheduledAt: "2100-01-01T00:00:00Z",
      };
      const {
        notification: { id, tenant },
      } = await service.create(input);
      await storage.deliveries.erase({ tenant, userId: "ann@example.com" }, 10, new Date());
      expect((await service.create(input)).notification).toMatchObject({ id, recipients: ["bob@example.com"], erasedRecipients: 1 });
      await storage.deliveries.erase({ tenant, userId: "bob@example.com" }, 10, new Date());
      await expect(service.create(input)).rejects.toMatchObject({ code: "NOT_FOUND" });
      expect((await service.list()).total).toBe(0);
    });

    test("in a transaction of the host, a send is delivered after the commit, or never", async () => {
      const mail = email();
      const service = stopsAfterTest(new NotificationService({ storage: database.storage(), channels: [mail] }));
      const batch = await service.prepare({ channels: ["email"], to: "ann@example.com", message: "x" });
      await database.rolledBack((tx) => batch.write(tx));
      await service.runDue();
      expect(mail.tasks).toEqual([]);
      await database.transaction((tx) => batch.write(tx));
      await service.runDue();
      expect([mail.tasks.length, (await service.get(batch.notification.id)).status]).toEqual([1, "sent"]);
      await expect(service.prepare({ to: "ann", idempotencyKey: "k" })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
    });
  });
});
