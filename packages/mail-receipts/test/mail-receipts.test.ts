import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import type { AddressInfo } from "node:net";
import { expressBelfry } from "@belfry/adapter-express";
import { honoBelfry } from "@belfry/adapter-hono";
import { consoleLogger, NotificationService, type Receipt } from "@belfry/core";
import { type Contract, createHandler } from "@belfry/core/http";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { recorder } from "@belfry/testkit/host";
import { type SesTopic, sesTopic } from "@belfry/testkit/mail";
import express from "express";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { mailReceipts } from "../src/index.ts";

const PATH = "http://localhost/api/belfry/mail-receipts";
const MESSAGE_ID = "<019b0000-0000-7000-8000-000000000001@shop.example>";
const ADDRESS = "ann@example.com";
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const SENDGRID = { publicKey: publicKey.export({ format: "der", type: "spki" }).toString("base64") };
const POSTMARK = { user: "belfry", password: "a long secret" };
const MAILGUN = { signingKey: "a signing key" };
const logger = { ...consoleLogger, warn: () => undefined, error: () => undefined };

const running: NotificationService[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.stop()));
});

/** A service with the webhooks mounted, and what is recorded. */
function mounted(contract: Contract, answers: Partial<Record<string, "under_way">> = {}) {
  const mails = recorder({ name: "email", answer: () => ({ status: "sent" }) });
  const service = new NotificationService({ storage: sqliteStorage(":memory:"), channels: [mails], logger });
  running.push(service);
  const record = vi.spyOn(service.receiptsOfAll, "record").mockImplementation(async ({ address = "" }: Receipt) => {
    return { outcome: answers[address] ?? "changed", isSuppressed: false };
  });
  const handler = createHandler(service, { contracts: [contract], logger });
  const post = async (name: string, init: { readonly headers?: Readonly<Record<string, string>>; readonly body: string }) => {
    const response = await handler.fetch(new Request(`${PATH}/${name}`, { method: "POST", headers: { ...init.headers }, body: init.body }));
    return [response.status, await response.json()] as const;
  };
  return { service, mails, handler, post, recorded: () => record.mock.calls.map(([receipt]) => receipt) };
}

function ofSendgrid(events: unknown, { at = Date.now(), signed = JSON.stringify(events) } = {}) {
  const timestamp = String(Math.floor(at / 1_000));
  const signature = sign("sha256", Buffer.from(`${timestamp}${signed}`), privateKey).toString("base64");
  const headers = {
    "x-twilio-email-event-webhook-signature": signature,
    "x-twilio-email-event-webhook-timestamp": timestamp,
  };
  return { headers, body: JSON.stringify(events) };
}

function ofPostmark(event: object, { user, password } = POSTMARK) {
  return { headers: { authorization: `Basic ${btoa(`${user}:${password}`)}` }, body: JSON.stringify(event) };
}

function ofMailgun(event: object, { token = "a token", at = Date.now(), key = MAILGUN.signingKey } = {}) {
  const timestamp = String(Math.floor(at / 1_000));
  const signature = createHmac("sha256", key).update(`${timestamp}${token}`).digest("hex");
  return { body: JSON.stringify({ signature: { timestamp, token, signature }, "event-data": event }) };
}

const REFUSED = [401, { error: "UNAUTHENTICATED" }] as const;
const DAY_MS = 86_400_000;

describe("Amazon SES", () => {
  let topic: SesTopic;
  beforeAll(async () => {
    topic = await sesTopic();
  });
  afterAll(() => topic.close());
  const contract = () => mailReceipts({ ses: { topicArns: [topic.topicArn] }, egress: topic.egress });

  test("events become receipts, by certificates that are fetched once", async () => {
    const { post, recorded } = mounted(contract());
    const about = { messageId: MESSAGE_ID, address: ADDRESS, at: new Date(1_800_000_000_000) };
    expect(await post("ses", topic.event({ ...about, kind: "Bounce", diagnosticCode: "550 no" }))).toEqual([200, { recorded: 1 }]);
    await post("ses", topic.event({ ...about, kind: "Bounce", bounceType: "Transient" }));
    await post("ses", topic.event({ ...about, kind: "Complaint" }));
    await post("ses", topic.event({ ...about, kind: "Delivery" }));
    await post("ses", topic.event({ ...about, kind: "DeliveryDelay" }));
    const receipt = { ...about, channel: "email", provider: "ses" };
    expect(recorded()).toEqual([
      { ...receipt, kind: "hard_bounce", detail: "550 no" },
      { ...receipt, kind: "soft_bounce", detail: "General" },
      { ...receipt, kind: "complaint", detail: "abuse" },
      { ...receipt, kind: "delivered" },
      { ...receipt, kind: "deferred" },
    ]);
    expect(topic.asked).toEqual(["/SimpleNotificationService-0123456789abcdef.pem"]);
  });

  test("subscriptions of the topic are confirmed, and only with Amazon", async () => {
    const { post, recorded } = mounted(contract());
    const subscription = topic.subscription();
    expect(await post("ses", subscription)).toEqual([200, { recorded: 0 }]);
    expect(topic.asked.at(-1)).toContain("Action=ConfirmSubscription");
    const before = topic.asked.length;
    const elsewhere = { ...JSON.parse(subscription.body), SubscribeURL: "https://sns.us-east-1.amazonaws.com.evil.test/" };
    expect(await post("ses", topic.signed(elsewhere))).toEqual(REFUSED);
    expect([topic.asked.length, recorded()]).toEqual([before, []]);
  });

  test("what Amazon did not sign, or not for this topic, is refused, and no certificate is fetched elsewhere", async () => {
    const { post, recorded } = mounted(contract());
    const event = topic.event({ kind: "Bounce", messageId: MESSAGE_ID, address: ADDRESS });
    const message = JSON.parse(event.body) as Readonly<Record<string, string>>;
    const wrong: readonly object[] = [
      { ...message, Message: message.Message?.replace("ann@", "bob@") },
      { ...message, Signature: "" },
      { ...message, SignatureVersion: "3" },
      { ...message, Type: "Other" },
      ...["https://evil.test/SimpleNotificationService-1.pem", "https://s3.amazonaws.com/SimpleNotificationService-1.pem"].map((url) => ({
        ...message,
        SigningCertURL: url,
      })),
      { ...message, SigningCertURL: "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem" },
      { ...message, SigningCertURL: "https://sns.us-east-1.amazonaws.com@evil.test/SimpleNotificationService-1.pem" },
      { ...message, SigningCertURL: "https://sns.us-east-1.amazonaws.com/?SimpleNotificationService-1.pem" },
      {},
      [],
    ];
    const before = topic.asked.length;
    for (const body of wrong) {
      expect(await post("ses", { body: JSON.stringify(body) })).toEqual(REFUSED);
    }
    const { SigningCertURL: _, Signature: __, SignatureVersion: ___, ...plain } = message;
    expect(await post("ses", topic.signed({ ...plain, TopicArn: `${topic.topicArn}2` }))).toEqual(REFUSED);
    expect(await post("ses", topic.signed({ ...plain, Timestamp: new Date(Date.now() - 2 * DAY_MS).toISOString() }))).toEqual(REFUSED);
    expect(await post("ses", { body: "no JSON" })).toEqual([422, { error: "VALIDATION_ERROR" }]);
    expect(recorded()).toEqual([]);
    // One certificate may have been asked of Amazon, for the first of these messages.
    expect(topic.asked.length - before).toBeLessThanOrEqual(1);
  });

  test("Amazon is asked to come again while its certificate cannot be fetched", async () => {
    const resolve = async () => [];
    const { post } = mounted(mailReceipts({ ses: { topicArns: [topic.topicArn] }, egress: { ...topic.egress, resolve } }));
    const event = topic.event({ kind: "Bounce", messageId: MESSAGE_ID, address: ADDRESS });
    expect(await post("ses", event)).toEqual([503, { error: "STORAGE_UNAVAILABLE" }]);
  });
});

describe("SendGrid", () => {
  const events = [
    { event: "delivered", response: "250 OK" },
    { event: "bounce", type: "bounce", reason: "550 no" },
    { event: "bounce", type: "blocked", reason: "550 spam" },
    { event: "deferred", response: "450 later" },
    { event: "dropped", reason: "Bounced Address" },
    { event: "dropped", reason: "Over quota" },
    { event: "spamreport" },
    { event: "open" },
    { event: "constructor" },
    "no event",
  ].map((event) => (typeof event === "string" ? event : { ...event, email: ADDRESS, "smtp-id": MESSAGE_ID, timestamp: 1_800_000_000 }));

  test("signed lists of events become receipts", async () => {
    const { post, recorded } = mounted(mailReceipts({ sendgrid: SENDGRID }));
    expect(await post("sendgrid", ofSendgrid(events))).toEqual([200, { recorded: 7 }]);
    expect(recorded().map(({ kind, detail }) => [kind, detail])).toEqual([
      ["delivered", "250 OK"],
      ["hard_bounce", "550 no"],
      ["soft_bounce", "550 spam"],
      ["deferred", "450 later"],
      ["hard_bounce", "Bounced Address"],
      ["soft_bounce", "Over quota"],
      ["complaint", undefined],
    ]);
    expect(recorded()[0]).toMatchObject({ messageId: MESSAGE_ID, address: ADDRESS, provider: "sendgrid", at: new Date(1_800_000_000_000) });
  });

  test("lists that were changed, are old or unsigned are refused", async () => {
    const { post, recorded } = mounted(mailReceipts({ sendgrid: SENDGRID }));
    for (const request of [
      ofSendgrid(events, { signed: "[]" }),
      ofSendgrid(events, { at: Date.now() - 2 * DAY_MS }),
      ofSendgrid(events, { at: Date.now() + DAY_MS }),
      { body: JSON.stringify(events) },
    ]) {
      expect(await post("sendgrid", request)).toEqual(REFUSED);
    }
    expect(recorded()).toEqual([]);
  });

  test("a list of thousands is recorded, and one that is larger than any of a provider is refused", async () => {
    const { post, recorded } = mounted(mailReceipts({ sendgrid: SENDGRID }));
    const many = Array.from({ length: 3_000 }, () => ({ event: "delivered", email: ADDRESS, "smtp-id": MESSAGE_ID }));
    expect(await post("sendgrid", ofSendgrid(many))).toEqual([200, { recorded: 3_000 }]);
    expect(recorded()).toHaveLength(3_000);
    expect(await post("sendgrid", ofSendgrid([{ reason: "x".repeat(1024 * 1024) }]))).toEqual([413, { error: "PAYLOAD_TOO_LARGE" }]);
  });
});

describe("Postmark", () => {
  const about = { Email: ADDRESS, Metadata: { "belfry-message-id": MESSAGE_ID }, BouncedAt: "2027-01-15T08:00:00.1234567-04:00" };

  test("webhooks with the password become receipts", async () => {
    const { post, recorded } = mounted(mailReceipts({ postmark: POSTMARK }));
    const bounces = ["HardBounce", "SoftBounce", "Transient", "AutoResponder", "toString"];
    for (const Type of bounces) {
      await post("postmark", ofPostmark({ ...about, RecordType: "Bounce", Type, Details: "550 no" }));
    }
    await post("postmark", ofPostmark({ ...about, RecordType: "SpamComplaint", Type: "SpamComplaint" }));
    await post(
      "postmark",
      ofPostmark({ Recipient: ADDRESS, Metadata: about.Metadata, RecordType: "Delivery", DeliveredAt: about.BouncedAt }),
    );
    expect(recorded().map(({ kind }) => kind)).toEqual(["hard_bounce", "soft_bounce", "deferred", "complaint", "delivered"]);
    for (const receipt of recorded()) {
      expect(receipt).toMatchObject({
        messageId: MESSAGE_ID,
        address: ADDRESS,
        provider: "postmark",
        at: new Date("2027-01-15T12:00:00.123Z"),
      });
    }
  });

  test("another password, or none, is refused", async () => {
    const { post, recorded } = mounted(mailReceipts({ postmark: POSTMARK }));
    const event = { ...about, RecordType: "Bounce", Type: "HardBounce" };
    expect(await post("postmark", ofPostmark(event, { user: "belfry", password: "another" }))).toEqual(REFUSED);
    expect(await post("postmark", { body: JSON.stringify(event) })).toEqual(REFUSED);
    expect(recorded()).toEqual([]);
  });
});

describe("Mailgun", () => {
  const about = { recipient: ADDRESS, message: { headers: { "message-id": MESSAGE_ID.slice(1, -1) } }, timestamp: 1_800_000_000.5 };

  test("signed webhooks become receipts", async () => {
    const { post, recorded } = mounted(mailReceipts({ mailgun: MAILGUN }));
    const events = [
      { event: "delivered" },
      { event: "failed", severity: "permanent", reason: "bounce", "delivery-status": { message: "550 no" } },
      { event: "failed", severity: "permanent", reason: "old" },
      { event: "failed", severity: "temporary", reason: "generic" },
      { event: "complained" },
      { event: "opened" },
    ];
    for (const [index, event] of events.entries()) {
      await post("mailgun", ofMailgun({ ...event, ...about }, { token: `token ${index}` }));
    }
    expect(recorded().map(({ kind, detail }) => [kind, detail])).toEqual([
      ["delivered", undefined],
      ["hard_bounce", "550 no"],
      ["soft_bounce", "old"],
      ["deferred", "generic"],
      ["complaint", undefined],
    ]);
    expect(recorded()[0]).toMatchObject({ messageId: MESSAGE_ID.slice(1, -1), address: ADDRESS, at: new Date(1_800_000_000_500) });
  });

  test("a token counts once, for a short time, and with the right key", async () => {
    const { post, recorded } = mounted(mailReceipts({ mailgun: MAILGUN }));
    const event = { event: "complained", ...about };
    expect(await post("mailgun", ofMailgun(event))).toEqual([200, { recorded: 1 }]);
    expect(await post("mailgun", ofMailgun({ ...event, recipient: "bob@example.com" }))).toEqual(REFUSED);
    expect(await post("mailgun", ofMailgun(event, { token: "2", key: "another" }))).toEqual(REFUSED);
    expect(await post("mailgun", ofMailgun(event, { token: "3", at: Date.now() - 2 * DAY_MS }))).toEqual(REFUSED);
    expect(await post("mailgun", ofMailgun(event, { token: "" }))).toEqual(REFUSED);
    expect(recorded()).toHaveLength(1);
  });

  test("a webhook whose mail is still being sent may come again with its token", async () => {
    const answers: Partial<Record<string, "under_way">> = { [ADDRESS]: "under_way" };
    const { post } = mounted(mailReceipts({ mailgun: MAILGUN }), answers);
    expect(await post("mailgun", ofMailgun({ event: "delivered", ...about }))).toEqual([503, { error: "STORAGE_UNAVAILABLE" }]);
    delete answers[ADDRESS];
    expect(await post("mailgun", ofMailgun({ event: "delivered", ...about }))).toEqual([200, { recorded: 1 }]);
  });
});

describe("mailReceipts", () => {
  test("records all of a request's reports, also behind one of a mail that is still being sent", async () => {
    const { post, recorded } = mounted(mailReceipts({ sendgrid: SENDGRID }), { "0@example.com": "under_way" });
    const events = Array.from({ length: 40 }, (_, index) => ({ event: "delivered", email: `${index}@example.com`, "smtp-id": MESSAGE_ID }));
    expect(await post("sendgrid", ofSendgrid(events))).toEqual([503, { error: "STORAGE_UNAVAILABLE" }]);
    expect(recorded().map(({ address }) => address)).toEqual(events.map(({ email }) => email));
  });

  test("records a bounce of a mail that was sent, through Express and Hono, and for one tenant alone where it is named", async () => {
    const contracts = [mailReceipts({ postmark: POSTMARK }), mailReceipts({ postmark: POSTMARK, tenant: "acme/1" })];
    const mails = recorder({ name: "email", answer: () => ({ status: "sent" }) });
    const service = new NotificationService({ storage: sqliteStorage(":memory:"), channels: [mails], logger });
    running.push(service);
    const app = express();
    app.use(expressBelfry(service, { contracts, logger }));
    const server = app.listen(0);
    const hono = honoBelfry(service, { contracts, logger });
    try {
      await service.create({ to: [{ email: "ann@example.com" }, { email: "bob@example.com" }], title: "Hello", message: "World" });
      await service.runDue();
      const bounceOf = (address: string) =>
        ofPostmark({
          RecordType: "Bounce",
          Type: "HardBounce",
          Email: address,
          Metadata: { "belfry-message-id": `<${mails.of(address)[0]?.id}@x.example>` },
        });
      const path = "/api/belfry/mail-receipts/tenants/acme%2F1/postmark";
      const ofTenant = await hono.request(path, { method: "POST", ...bounceOf("ann@example.com") });
      expect([ofTenant.status, (await service.suppressions.list()).suppressions]).toEqual([200, []]);
      expect((await service.tenant("acme/1").suppressions.list()).suppressions).toHaveLength(1);
      const init = { method: "POST", ...bounceOf("ann@example.com") };
      const { port } = server.address() as AddressInfo;
      const overExpress = await fetch(`http://127.0.0.1:${port}/api/belfry/mail-receipts/postmark`, init);
      const overHono = await hono.request("/api/belfry/mail-receipts/postmark", { method: "POST", ...bounceOf("bob@example.com") });
      expect([overExpress.status, overHono.status]).toEqual([200, 200]);
      expect((await service.suppressions.list()).suppressions.map(({ address }) => address)).toEqual([
        "ann@example.com",
        "bob@example.com",
      ]);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  test("refuses to be made without what its providers are verified by", () => {
    for (const options of [
      {},
      { ses: { topicArns: [] } },
      { sendgrid: { publicKey: "no key" } },
      { postmark: { user: "belfry", password: "" } },
      { mailgun: {} },
      { mailgun: { signingKey: "x", extra: 1 } },
      { mailgum: MAILGUN },
    ]) {
      expect(() => mailReceipts(options as never)).toThrow(expect.objectContaining({ code: "CONFIGURATION" }));
    }
  });

  test("passes over an event that no receipt can be made of, and records the others", async () => {
    const { service, post } = mounted(mailReceipts({ sendgrid: SENDGRID }));
    vi.mocked(service.receiptsOfAll.record).mockRestore();
    const events = [
      { event: "bounce", email: "\ud800".repeat(10), "smtp-id": MESSAGE_ID },
      { event: "bounce", email: "x".repeat(600), "smtp-id": MESSAGE_ID },
      { event: "bounce", email: ADDRESS, "smtp-id": "x".repeat(2_000) },
      { event: "bounce", email: ADDRESS, "smtp-id": MESSAGE_ID, timestamp: 1e300 },
    ];
    expect(await post("sendgrid", ofSendgrid(events))).toEqual([200, { recorded: 4 }]);
  });
});
