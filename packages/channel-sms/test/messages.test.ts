import type { Channel, DeliveryTask } from "@belfry/core";
import { type ProviderName, type ProviderServer, providerServer } from "@belfry/testkit/host";
import { afterEach, describe, expect, it } from "vitest";
import { sns, twilio, vonage } from "../src/index.ts";

const servers: ProviderServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

const TASK: DeliveryTask = {
  ...{ id: "0193c5a0-0000-7000-8000-000000000001", notificationId: "0193c5a0-0000-7000-8000-000000000002", tenant: "acme" },
  ...{ recipient: "+4930123456", address: "+4930123456", locale: "en", roomId: null, digest: null, type: "note", priority: "normal" },
  ...{ title: "Your table", message: "It is ready: 7 & 8.", url: "/tables/7", actions: null, data: {}, contents: null },
  ...{ unsubscribeUrl: null, group: null, unread: null, isFallback: false, attempt: 1, createdAt: new Date("2026-01-01T12:00:00Z") },
};

async function sent(name: ProviderName, make: (server: ProviderServer) => Channel, task: Partial<DeliveryTask> = {}) {
  const server = await providerServer(name);
  servers.push(server);
  const outcome = await make(server).deliver({ ...TASK, ...task }, new AbortController().signal);
  return { outcome, ...server.received[0] };
}

const at = ({ url: api }: ProviderServer) => ({ api, allowPrivate: true, baseUrl: "https://app.example.com" });
const ACCOUNT = `AC${"0".repeat(32)}`;
const TEXT = "Your table\nIt is ready: 7 & 8.\nhttps://app.example.com/tables/7";

describe("a text message", () => {
  it("goes out over Twilio, from a number or a messaging service", async () => {
    const own = { accountSid: ACCOUNT, authToken: "secret" };
    const { path, headers, body } = await sent("twilio", (server) => twilio({ ...at(server), ...own, from: "+15005550006" }));
    expect(path).toBe(`/2010-04-01/Accounts/${ACCOUNT}/Messages.json`);
    expect(headers?.authorization).toBe(`Basic ${Buffer.from(`${ACCOUNT}:secret`).toString("base64")}`);
    expect(body).toEqual({ To: "+4930123456", From: "+15005550006", Body: TEXT });
    const from = `MG${"a".repeat(32)}`;
    expect((await sent("twilio", (server) => twilio({ ...at(server), ...own, from }))).body).toMatchObject({ MessagingServiceSid: from });
  });

  it("goes out over Vonage, as Unicode where it has to", async () => {
    const channel = (server: ProviderServer) => vonage({ ...at(server), apiKey: "abcd1234", apiSecret: "secret", from: "TheShop" });
    const fields = { api_key: "abcd1234", api_secret: "secret", from: "TheShop", to: "4930123456", "client-ref": TASK.id };
    expect((await sent("vonage", channel)).body).toEqual({ ...fields, text: TEXT, type: "text" });
    expect((await sent("vonage", channel, { contents: { text: "Готово 🎐" } })).body).toEqual({
      ...fields,
      text: "Готово 🎐",
      type: "unicode",
    });
  });

  it("goes out over Amazon SNS, signed", async () => {
    const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
    const now = () => Date.parse("2026-01-01T12:00:00Z");
    const { headers, body } = await sent("sns", (server) =>
      sns({ ...at(server), region: "eu-central-1", credentials, senderId: "Shop", now }),
    );
    expect(headers?.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20260101\/eu-central-1\/sns\/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}$/,
    );
    expect(body).toEqual({
      ...{ Action: "Publish", Version: "2010-03-31", PhoneNumber: "+4930123456", Message: TEXT },
      ...{ "MessageAttributes.entry.1.Name": "AWS.SNS.SMS.SMSType", "MessageAttributes.entry.1.Value.DataType": "String" },
      ...{ "MessageAttributes.entry.1.Value.StringValue": "Transactional", "MessageAttributes.entry.2.Name": "AWS.SNS.SMS.SenderID" },
      ...{ "MessageAttributes.entry.2.Value.DataType": "String", "MessageAttributes.entry.2.Value.StringValue": "Shop" },
    });
  });

  it("is cut to the parts that it may have, with a note", async () => {
    const channel = (server: ProviderServer) =>
      vonage({ ...at(server), apiKey: "a", apiSecret: "secret", from: "TheShop", maxSegments: 1 });
    const { outcome, body } = await sent("vonage", channel, { contents: { text: "a".repeat(161) } });
    expect(outcome).toMatchObject({ status: "sent", note: "the text was cut to one segment" });
    expect(body?.text).toBe(`${"a".repeat(157)}...`);
  });

  it("needs options that can be used, and no refusal repeats a secret", () => {
    const secret = "a secret with spaces";
    const from = "TheShop";
    for (const make of [
      () => twilio({ accountSid: "AC1", authToken: "x", from }),
      () => twilio({ accountSid: ACCOUNT, authToken: secret, from }),
      () => twilio({ accountSid: ACCOUNT, authToken: "x", from: "a name\r\nwith lines" }),
      () => vonage({ apiKey: "a/b", apiSecret: "x", from }),
      () => vonage({ apiKey: "a", apiSecret: "x", from, maxSegments: 0 }),
      () => sns({ region: "evil.example.com/", credentials: { accessKeyId: "a", secretAccessKey: "b" } }),
      () => sns({ region: "eu-central-1", credentials: { accessKeyId: "a", secretAccessKey: secret } }),
    ]) {
      expect(make).toThrow(expect.objectContaining({ code: "CONFIGURATION", message: expect.not.stringContaining(secret) }));
    }
  });
});
